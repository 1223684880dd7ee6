/** One read transaction over one connection, or several that see the same snapshot, and counts over others. */
import type pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { RowChunk, RowCount, Shape } from '../../job/row-text.ts'
import { shapeOf } from '../../job/shape.ts'
import type { WrittenForm } from '../../job/spec.ts'
import type { Query, Snapshot } from '../source.ts'
import { BinaryRows } from './binary/rows.ts'
import { aborted, setVariables, sever } from './connection.ts'
import { CopyOut } from './copy-out.ts'
import { nameOf } from './facts.ts'
import { QUERY_CANCELED, sourceError, sqlState } from './fault.ts'
import { readRanges } from './parallel.ts'
import { type PartPlan, type Reading, readingOf } from './part-plan.ts'
import { cutTable, type KeyRange } from './ranges.ts'
import { type Backend, sessionText, terminate } from './session.ts'

/** A server that does not answer a COMMIT for so long is not worth waiting for. */
const GOODBYE_MS = 2_000

export interface SnapshotOptions {
  readonly url: string
  /** For what is asked beside the rows. */
  readonly pool: pg.Pool
  readonly query: Query
  readonly signal: AbortSignal
  /** Connections that read a whole table at once. */
  readonly parallel: number
  /** Hex; null: nothing is hashed. */
  readonly maskKey: string | null
  /** Who makes CSV where COPY could: COPY itself, or this side, of its binary form. */
  readonly csv: 'server' | 'binary'
  /** Told once, when it is closed. */
  closed(snapshot: Snapshot): void
}

export interface OpenedSnapshot {
  readonly client: pg.Client
  readonly readers: readonly pg.Client[]
  /** That serve the connections. */
  readonly backends: readonly Backend[]
  readonly plans: readonly PartPlan[]
  readonly join: string
  readonly takenAt: Date
}

export class PostgresSnapshot implements Snapshot {
  readonly takenAt: Date
  readonly session: string
  readonly #options: SnapshotOptions
  readonly #client: pg.Client
  /** For ranges of a part; none when parts are read over one connection. */
  #readers: readonly pg.Client[]
  readonly #plans: readonly PartPlan[]
  /** Begins a transaction that sees this snapshot. */
  readonly #join: string
  #copying: CopyOut | null = null
  readonly #counting = new Set<pg.PoolClient>()
  /** What the server said when it ended the connection between two statements. */
  #lost: Error | null = null
  #isClosed = false
  #closing: Promise<void> | null = null

  constructor(options: SnapshotOptions, opened: OpenedSnapshot) {
    this.#options = options
    this.#client = opened.client
    this.#readers = opened.readers
    this.#plans = opened.plans
    this.#join = opened.join
    this.takenAt = opened.takenAt
    this.session = sessionText(opened.backends)
    for (const client of [opened.client, ...opened.readers]) {
      client.on('error', (error) => {
        this.#lost ??= error
      })
    }
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
    this.#counting.add(client)
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
      this.#counting.delete(client)
    }
  }

  async #countOver(client: pg.PoolClient, plan: PartPlan, ms: number): Promise<RowCount> {
    await client.query(`${this.#join}; set local statement_timeout = ${ms}`)
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
    const ranges = await this.#rangesOf(part)
    for await (const chunk of ranges.length > 1 ? this.#byRanges(part, ranges, wanted) : this.#whole(part, wanted)) {
      yield chunk
      this.#assertOpen()
    }
    this.#assertOpen()
  }

  async *#whole(part: number, wanted: WrittenForm | undefined): AsyncIterable<RowChunk> {
    const { copy: text, form, binary } = this.#reading(part, wanted)
    const copy = new CopyOut(text(null), binary ? 'messages' : 'rows')
    try {
      // A reader that leaves in the middle must not take the parts behind this one with it. Inside a savepoint a replica's conflict with
      // recovery ends the whole session, up to version 15 without a word (tried), so it is not set where nothing follows.
      if (this.#isFollowed(part)) await this.#client.query('savepoint reading')
      this.#copying = this.#client.query(copy)
      if (binary) yield* binaryChunks(copy, new BinaryRows(binary))
      else yield* copy.chunks(form)
      this.#copying = null
    } catch (thrown) {
      this.#copying = null
      throw this.#fault(thrown, part, copy.received)
    } finally {
      if (this.#copying !== null) await this.#leave(part, copy)
    }
  }

  /** Where it does not pay, one range or none. */
  async #rangesOf(part: number): Promise<readonly KeyRange[]> {
    const { cut } = this.#plan(part)
    if (cut === null || this.#readers.length === 0) return []
    try {
      return await cutTable(this.#client, cut)
    } catch (thrown) {
      throw this.#fault(thrown, part, 0)
    }
  }

  async *#byRanges(part: number, ranges: readonly KeyRange[], wanted: WrittenForm | undefined): AsyncIterable<RowChunk> {
    const clients = this.#readers
    let isWhole = false
    let received = 0
    try {
      for await (const chunk of readRanges({ clients, ranges, reading: this.#reading(part, wanted) })) {
        received += chunk.rows
        yield chunk
      }
      isWhole = true
    } catch (thrown) {
      throw this.#fault(thrown, part, received)
    } finally {
      // What still comes over them has no reader. Parts that follow are read over the first connection.
      if (!isWhole) this.#readers = []
      if (!isWhole) for (const client of clients) sever(client)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  readonly #onAbort = (): void => {
    this.#isClosed = true
    this.#copying?.fail(aborted())
    for (const client of [this.#client, ...this.#readers, ...this.#counting]) sever(client)
  }

  async #close(): Promise<void> {
    const { signal, url, closed } = this.#options
    closed(this)
    signal.removeEventListener('abort', this.#onAbort)
    const wasReading = this.#isClosed || this.#copying !== null
    this.#isClosed = true
    // The server ends such a count after its time by itself.
    for (const client of this.#counting) sever(client)
    this.#copying?.fail(aborted())
    const clients = [this.#client, ...this.#readers]
    if (!wasReading && (await Promise.all(clients.map(isSaidGoodbye))).every((isSaid) => isSaid)) return
    for (const client of clients) sever(client)
    // The server may not notice for long that nobody listens. A run that ended otherwise has nothing to end there.
    await terminate(url, this.session).catch(() => {})
  }

  /** Stops the COPY and goes back to before it. Of the last part nothing is left to read: the transaction has failed. */
  async #leave(part: number, copy: CopyOut): Promise<void> {
    this.#copying = null
    if (this.#isClosed) return
    copy.discard()
    await this.#options.pool.query('select pg_catalog.pg_cancel_backend($1)', [this.session.split('@')[0]]).catch(() => {})
    await copy.over
    if (this.#isFollowed(part)) await this.#client.query('rollback to savepoint reading').catch(() => {})
  }

  #reading(part: number, wanted: WrittenForm | undefined): Reading {
    return readingOf(this.#plan(part), wanted, this.#options.csv)
  }

  #isFollowed(part: number): boolean {
    return part < this.#plans.length - 1
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

  #fault(thrown: unknown, part: number, received: number): FreightError {
    if (this.#isClosed) return aborted()
    const isTold = sqlState(thrown) !== null || thrown instanceof FreightError
    const fault = sourceError(isTold ? thrown : (this.#lost ?? thrown), this.#name(part))
    if (fault.code !== 'ROW_TOO_LARGE') return fault
    return new FreightError(fault.code, `Row ${received + 1}: ${fault.message}`, { cause: thrown })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw aborted()
  }
}

async function* binaryChunks(copy: CopyOut, rows: BinaryRows): AsyncIterable<RowChunk> {
  for await (const chunk of copy.chunks('written')) yield* rows.read(chunk.bytes)
  rows.assertWhole(copy.announced)
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
