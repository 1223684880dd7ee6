/** One read transaction over one connection, and counts of the same snapshot over others. */
import type pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { RowChunk, RowCount, Shape } from '../../job/row-text.ts'
import { shapeOf } from '../../job/shape.ts'
import type { WrittenForm } from '../../job/spec.ts'
import type { Query, Snapshot } from '../source.ts'
import { aborted, beginStatements, connect, sever } from './connection.ts'
import { CopyOut } from './copy-out.ts'
import { PostgresDialect } from './dialect.ts'
import { KnownTables, loadFacts, nameOf, type TableFacts } from './facts.ts'
import { QUERY_CANCELED, sourceError, sqlState } from './fault.ts'
import { LiteralBinder, literal, quoteName } from './literals.ts'
import { type PartPlan, planPart } from './plan.ts'
import { type Bench, tablesTouched } from './relations.ts'
import { BACKEND_COLUMNS, sessionText, terminate } from './session.ts'

export interface SnapshotOptions {
  readonly url: string
  /** For what is asked beside the rows. */
  readonly pool: pg.Pool
  readonly query: Query
  readonly signal: AbortSignal
  /** Told once, when it is closed. */
  closed(snapshot: Snapshot): void
}

/** A run that nobody gave a longest time ends within a day. */
const MAX_MS = 24 * 60 * 60 * 1000
/** A server that does not answer a COMMIT for so long is not worth waiting for. */
const GOODBYE_MS = 2_000

export async function openSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { query, signal } = options
  const client = await connect(options.url, signal)
  try {
    const { tables, version, isValidText } = await lookUp(client, query)
    const bench: Bench = { tables, dialect: new PostgresDialect(tables, version), binder: new LiteralBinder(), isValidText }
    const plans = query.parts.map((part) => planPart(bench, part, query.layout))
    const begin = beginStatements({ name: `freight ${query.job ?? ''}`.trim(), statementMs: query.maxMs ?? MAX_MS, version })
    await client.query([begin, ...lockStatements(tables)].join('; '))
    await setVariables(client, query)
    const { rows } = await client.query<SnapshotRow>(SNAPSHOT_SQL)
    const [row] = rows
    if (!row) throw new Error('a select without a table gave no row')
    return new PostgresSnapshot(options, client, plans, { ...row, begin })
  } catch (thrown) {
    sever(client)
    throw signal.aborted ? aborted() : sourceError(thrown, namesOf(query))
  }
}

interface SnapshotRow {
  readonly id: string
  readonly taken_ms: string
  readonly pid: string
  readonly started_at: string
}

const SNAPSHOT_SQL = `select pg_catalog.pg_export_snapshot() id, ${BACKEND_COLUMNS},
  pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()) * 1000)::int8 taken_ms`

async function lookUp(client: pg.Client, query: Query): Promise<{ tables: KnownTables; version: number; isValidText: boolean }> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    `select pg_catalog.current_setting('server_version_num') as version, pg_catalog.current_setting('server_encoding') as encoding`,
  )
  const tables = new KnownTables(await loadFacts(client, tablesTouched(query.parts)))
  return { tables, version: Number(rows[0]?.version), isValidText: rows[0]?.encoding !== 'SQL_ASCII' }
}

/**
 * The tables are locked, as reading them does anyway, before the snapshot is taken: TRUNCATE and some forms of ALTER TABLE by others
 * would otherwise show in it (https://www.postgresql.org/docs/current/mvcc-caveats.html). Views cannot be, and a role that may
 * read only some columns may not.
 */
function lockStatements(tables: KnownTables): string[] {
  const names = tables
    .all()
    .filter(({ relkind, readable }) => readable && (relkind === 'r' || relkind === 'p'))
    .map(({ namespace, name }: TableFacts) => `${quoteName(namespace)}.${quoteName(name)}`)
  return names.length === 0 ? [] : [`lock table ${names.join(', ')} in access share mode`]
}

async function setVariables(client: pg.ClientBase, { sessionVariables = {} }: Query): Promise<void> {
  for (const [name, value] of Object.entries(sessionVariables)) {
    await client.query('select pg_catalog.set_config($1, $2, true)', [name, value])
  }
}

function namesOf({ parts }: Query): string {
  return [...new Set(parts.map(({ table }) => nameOf(table)))].join(', ')
}

class PostgresSnapshot implements Snapshot {
  readonly takenAt: Date
  readonly session: string
  readonly #options: SnapshotOptions
  readonly #client: pg.Client
  readonly #plans: readonly PartPlan[]
  readonly #id: string
  readonly #begin: string
  #copying: CopyOut | null = null
  #isClosed = false
  #closing: Promise<void> | null = null

  constructor(options: SnapshotOptions, client: pg.Client, plans: readonly PartPlan[], made: SnapshotRow & { begin: string }) {
    this.#options = options
    this.#client = client
    this.#plans = plans
    this.#id = made.id
    this.#begin = made.begin
    this.takenAt = new Date(Number(made.taken_ms))
    this.session = sessionText([{ pid: Number(made.pid), startedAt: made.started_at }])
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  shape(part: number): Shape {
    return shapeOf(this.#options.query.parts[part]?.select ?? [], this.#options.query.layout)
  }

  /** On another connection, which sees the same snapshot; the server itself ends it after its time. */
  async count(part: number, { ms }: { ms: number }): Promise<RowCount> {
    this.#assertOpen()
    const plan = this.#plan(part)
    const client = await this.#options.pool.connect().catch((thrown: unknown) => {
      throw sourceError(thrown, this.#name(part))
    })
    // A server that does not answer at all must not hold up the end of the run.
    const late = setTimeout(() => sever(client), ms + GOODBYE_MS)
    try {
      const count = await this.#countOver(client, plan, Math.max(1, Math.ceil(ms)))
      client.release()
      return count
    } catch (thrown) {
      client.release(true)
      this.#assertOpen()
      throw sourceError(thrown, this.#name(part))
    } finally {
      clearTimeout(late)
    }
  }

  async #countOver(client: pg.PoolClient, plan: PartPlan, ms: number): Promise<RowCount> {
    await client.query(`${this.#begin}; set transaction snapshot ${literal(this.#id)}; set local statement_timeout = ${ms}`)
    await setVariables(client, this.#options.query)
    try {
      const { rows } = await client.query<{ count: string }>(plan.count)
      return { rows: Number(rows[0]?.count), exact: true }
    } catch (thrown) {
      if (sqlState(thrown) !== QUERY_CANCELED || this.#isClosed) throw thrown
      await client.query('rollback')
      return { rows: await plannedRows(client, plan.bare), exact: false }
    } finally {
      await client.query('rollback').catch(() => {})
    }
  }

  async *rows(part: number, wanted?: WrittenForm): AsyncIterable<RowChunk> {
    this.#assertOpen()
    const plan = this.#plan(part)
    const written = wanted ? plan.written(wanted) : null
    const copy = new CopyOut(written ?? plan.rows)
    try {
      // A reader that leaves in the middle must not take the transaction with it.
      await this.#client.query('savepoint reading')
      this.#copying = this.#client.query(copy)
      for await (const chunk of copy.chunks(written === null ? 'copy' : 'written')) {
        yield chunk
        this.#assertOpen()
      }
      this.#copying = null
    } catch (thrown) {
      this.#copying = null
      throw this.#fault(thrown, part, copy)
    } finally {
      if (this.#copying !== null) await this.#leave(copy)
    }
    this.#assertOpen()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  readonly #onAbort = (): void => {
    this.#isClosed = true
    this.#copying?.fail(aborted())
    sever(this.#client)
  }

  async #close(): Promise<void> {
    const { signal, url, closed } = this.#options
    closed(this)
    signal.removeEventListener('abort', this.#onAbort)
    const wasReading = this.#isClosed || this.#copying !== null
    this.#isClosed = true
    this.#copying?.fail(aborted())
    if (!wasReading && (await isSaidGoodbye(this.#client))) return
    sever(this.#client)
    // The server may not notice for long that nobody listens. A run that ended otherwise has nothing to end there.
    await terminate(url, this.session).catch(() => {})
  }

  /** Stops the COPY and goes back to before it. */
  async #leave(copy: CopyOut): Promise<void> {
    this.#copying = null
    if (this.#isClosed) return
    copy.discard()
    await this.#options.pool.query('select pg_catalog.pg_cancel_backend($1)', [this.session.split('@')[0]]).catch(() => {})
    await copy.over
    await this.#client.query('rollback to savepoint reading').catch(() => {})
  }

  #plan(part: number): PartPlan {
    const plan = this.#plans[part]
    if (!plan) throw new RangeError(`there is no part ${part}`)
    return plan
  }

  #name(part: number): string {
    const table = this.#options.query.parts[part]?.table
    return table ? nameOf(table) : 'the source'
  }

  #fault(thrown: unknown, part: number, copy: CopyOut): FreightError {
    if (this.#isClosed) return aborted()
    const fault = sourceError(thrown, this.#name(part))
    if (fault.code !== 'ROW_TOO_LARGE') return fault
    return new FreightError(fault.code, `Row ${copy.received + 1}: ${fault.message}`, { cause: thrown })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw aborted()
  }
}

/** Without running it. */
export async function plannedRows(client: pg.ClientBase | pg.Pool, select: string): Promise<number | null> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (format json) ${select}`)
  const [plan] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '[]') as { Plan?: { 'Plan Rows'?: number } }[]
  return plan?.Plan?.['Plan Rows'] ?? null
}

async function isSaidGoodbye(client: pg.Client): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), GOODBYE_MS)
  client
    .query('commit')
    .then(() => client.end())
    .then(
      () => resolve(true),
      () => resolve(false),
    )
  return await promise.finally(() => clearTimeout(timer))
}
