/** The PostgreSQL source: rows by COPY, over a connection per export and a few shared ones for what is asked beside. */
import type pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { RowCount } from '../../job/row-text.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Query, Snapshot, Source, TableDescription } from '../source.ts'
import { createPool } from './connection.ts'
import { PostgresDialect } from './dialect.ts'
import { describeTable, KnownTables, loadFacts, nameOf, readingsOf, TABLES_SQL } from './facts.ts'
import { sourceError } from './fault.ts'
import { LiteralBinder } from './literals.ts'
import { openSnapshot } from './open.ts'
import { planPart } from './plan.ts'
import { tablesTouched } from './relations.ts'
import { terminate } from './session.ts'
import { plannedRows } from './snapshot.ts'

export interface PostgresSourceOptions {
  /** `postgres://user:password@host:port/database?sslmode=...`. Never part of a message. */
  readonly url: string
  /** Connections that read one whole table at once; 1 for the usual way. */
  readonly parallel: number
  /** Who makes CSV that COPY could write as it is asked for; `server` when absent. See decisions 004 and 005. */
  readonly csv?: 'server' | 'binary'
  /** Hex; for hashed masks. Absent: a field that is to be hashed fails. */
  readonly maskKey?: string
}

/** Nothing is connected before it is needed. */
export function createPostgresSource(options: PostgresSourceOptions): Source {
  return new PostgresSource(options)
}

class PostgresSource implements Source {
  readonly masks = true
  readonly #url: string
  readonly #parallel: number
  readonly #maskKey: string | null
  readonly #csv: 'server' | 'binary'
  #pool: pg.Pool | null = null
  #isClosed = false
  readonly #open = new Set<Snapshot>()

  constructor({ url, parallel, csv, maskKey }: PostgresSourceOptions) {
    this.#url = url
    this.#parallel = parallel
    this.#maskKey = maskKey ?? null
    this.#csv = csv ?? 'server'
  }

  async tables(): Promise<string[]> {
    const { rows } = await this.#ask((pool) => pool.query<{ name: string }>(TABLES_SQL))
    return rows.map(({ name }) => name)
  }

  async describe(table: string): Promise<TableDescription | null> {
    const [facts] = await this.#ask((pool) => loadFacts(pool, readingsOf(table)))
    return facts ? describeTable(facts) : null
  }

  /** The planner's estimate, filters and all. */
  async estimate(part: CheckedPart, signal: AbortSignal): Promise<RowCount> {
    signal.throwIfAborted()
    const rows = await this.#ask(async (pool) => {
      const tables = new KnownTables(await loadFacts(pool, tablesTouched([part])))
      const bench = { tables, dialect: new PostgresDialect(tables, 0), binder: new LiteralBinder(), isValidText: false }
      return await plannedRows(pool, planPart(bench, part, 'flat').bare)
    }, nameOf(part.table))
    return { rows, exact: false }
  }

  async open(query: Query, signal: AbortSignal): Promise<Snapshot> {
    const closed = (snapshot: Snapshot): void => void this.#open.delete(snapshot)
    const snapshot = await openSnapshot({
      url: this.#url,
      pool: this.#connections(),
      parallel: this.#parallel,
      maskKey: this.#maskKey,
      csv: this.#csv,
      query,
      signal,
      closed,
    })
    this.#open.add(snapshot)
    return snapshot
  }

  endSession(session: string): Promise<void> {
    return terminate(this.#url, session)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#open].map((snapshot) => snapshot.close()))
    await this.#pool?.end()
    this.#pool = null
  }

  async #ask<T>(work: (pool: pg.Pool) => Promise<T>, what?: string): Promise<T> {
    const pool = this.#connections()
    try {
      return await work(pool)
    } catch (thrown) {
      throw sourceError(thrown, what)
    }
  }

  #connections(): pg.Pool {
    if (this.#isClosed) throw new FreightError('SOURCE_UNAVAILABLE', 'The source is closed.')
    this.#pool ??= createPool(this.#url)
    return this.#pool
  }
}
