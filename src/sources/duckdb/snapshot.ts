/** One reading of a place: a database copied or locked, or files that must stay what they are until the last row. */
import { rmSync } from 'node:fs'
import type { Engine } from '../../duckdb/engine.ts'
import { OUTPUT_PATH } from '../../duckdb/messages.ts'
import { FreightError } from '../../job/errors.ts'
import type { RowChunk, RowCount, Shape } from '../../job/row-text.ts'
import { shapeOf } from '../../job/shape.ts'
import type { Query, Snapshot } from '../source.ts'
import { isTooLarge, sourceError } from './fault.ts'
import { type LargeRows, readLargeRows } from './large-rows.ts'
import { type Allowance, changedSince, type DuckDbSourceOptions, LARGE, openWithin, type Place, USUAL } from './place.ts'
import type { PartPlan, Statement } from './plan.ts'

export interface Reading {
  readonly options: DuckDbSourceOptions
  readonly place: Place
  /** What the files were when they were found. */
  readonly identities: ReadonlyMap<string | null, string>
  readonly query: Query
  /** By name, those that are read. */
  readonly tables: ReadonlySet<string>
  /** Of the query's parts. */
  readonly plans: readonly PartPlan[]
  readonly takenAt: Date
  /** What the first process was started with. */
  readonly allowance: Allowance
  /** Holds the copy of a database; goes with the snapshot. */
  readonly folder: string | null
}

/** A row's text is JSON on one line. Without a quote nothing is quoted: with one, DuckDB quotes every row that has a `#` in it. */
const AS_LINES = `format csv, header false, delimiter '\x02', quote '', escape '', nullstr '\x03', use_tmp_file false`
const CHUNK_BYTES = 1024 * 1024
const NEWLINE = 10

export class DuckDbSnapshot implements Snapshot {
  readonly takenAt: Date
  readonly session = null
  readonly #reading: Reading
  readonly #signal: AbortSignal
  readonly #engines = new Set<Engine>()
  /** Counts, and gives the rows of the part that is read first: after that its output is spent. */
  #engine: Engine | null
  #isOutputSpent = false
  #over: FreightError | null = null
  #closing: Promise<void> | null = null

  constructor(reading: Reading, engine: Engine, signal: AbortSignal) {
    this.#reading = reading
    this.takenAt = reading.takenAt
    this.#engine = engine
    this.#engines.add(engine)
    this.#signal = signal
    signal.addEventListener('abort', this.#abort, { once: true })
    if (signal.aborted) this.#abort()
  }

  readonly #abort = (): void => {
    this.#over ??= new FreightError('ABORTED', 'Reading the source was stopped.')
    void this.#endAll()
  }

  shape(part: number): Shape {
    return shapeOf(this.#reading.query.parts[part]?.select ?? [], this.#reading.query.layout)
  }

  async count(part: number, { ms }: { ms: number }): Promise<RowCount> {
    this.#assertOpen()
    const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(ms)))
    const statement = this.#reading.plans[part]?.count
    if (!statement) return { rows: null, exact: false }
    const { promise: late, resolve } = Promise.withResolvers<null>()
    timeout.addEventListener('abort', () => resolve(null), { once: true })
    try {
      const engine = await this.#counting()
      const counting = engine.rows(statement.sql, statement.values, timeout)
      // Whoever is late is not waited for.
      counting.catch(() => {})
      const rows = await Promise.race([counting, late])
      this.#assertOpen()
      return rows === null ? { rows: null, exact: false } : { rows: Number(rows[0]?.[0]), exact: true }
    } catch (thrown) {
      this.#assertOpen()
      // The rows themselves are read with more memory; their number is not worth that.
      if (timeout.aborted || isTooLarge(thrown)) return { rows: null, exact: false }
      throw this.#fault(part, thrown)
    }
  }

  async *rows(part: number): AsyncIterable<RowChunk> {
    this.#assertOpen()
    try {
      yield* this.#rowsOf(part)
      const changed = await this.#changed()
      if (changed !== null) throw changed
    } catch (thrown) {
      this.#assertOpen()
      throw (await this.#changed()) ?? this.#fault(part, thrown)
    }
    this.#assertOpen()
  }

  /** As usual, and where that takes too much memory on from there in other steps. */
  async *#rowsOf(part: number): AsyncIterable<RowChunk> {
    const plan = this.#reading.plans[part]
    if (!plan) throw new Error('there is no such part')
    let seen = 0
    if (this.#reading.allowance === USUAL) {
      try {
        for await (const chunk of this.#readOnce(await this.#forRows(), plan.all)) {
          seen += chunk.rows
          yield chunk
        }
        return
      } catch (thrown) {
        if (!isTooLarge(thrown) || (plan.few === null && seen > 0)) throw thrown
      }
    }
    const { few, count, all } = plan
    if (few === null) yield* this.#readOnce(await this.#start(LARGE), all)
    else yield* readLargeRows({ ...this.#largeReading(part), few, count, from: seen })
  }

  #largeReading(part: number): Pick<LargeRows, 'resource' | 'start' | 'end' | 'read'> {
    return {
      resource: this.#reading.query.parts[part]?.resource ?? '',
      start: () => this.#start(LARGE),
      end: (engine) => this.#end(engine),
      read: (engine, statement) => this.#read(engine, statement),
    }
  }

  async *#readOnce(engine: Engine, statement: Statement): AsyncIterable<RowChunk> {
    let isWhole = false
    try {
      yield* this.#read(engine, statement)
      isWhole = true
    } finally {
      // In the middle of its rows it can only be ended.
      if (!isWhole || engine !== this.#engine) await this.#end(engine)
    }
  }

  close(): Promise<void> {
    this.#over ??= new FreightError('ABORTED', 'The snapshot of the source is closed.')
    this.#closing ??= this.#close()
    return this.#closing
  }

  async *#read(engine: Engine, { sql, values }: Statement): AsyncIterable<RowChunk> {
    let fault: unknown = null
    const copying = engine
      .run(`copy (${sql}) to '${OUTPUT_PATH}' (${AS_LINES})`, values)
      .then(async (rows) => {
        await engine.closeOutput()
        return rows
      })
      .catch((thrown: unknown) => {
        fault = thrown
        engine.output.destroy()
        return -1
      })
    let seen = 0
    try {
      for await (const chunk of wholeRows(engine.output as AsyncIterable<Uint8Array>)) {
        this.#assertOpen()
        seen += chunk.rows
        yield chunk
      }
    } catch (thrown) {
      throw fault ?? thrown
    }
    const written = await copying
    if (fault !== null) throw fault
    if (written === seen) return
    throw new FreightError('ROWS_INCOMPLETE', `The source wrote ${written} rows, of which ${seen} arrived.`)
  }

  /** A file that was cut or replaced is the reason of whatever went wrong with it. */
  async #changed(): Promise<FreightError | null> {
    const { place, folder, identities } = this.#reading
    return folder === null ? await changedSince(identities, place) : null
  }

  #fault(part: number, thrown: unknown): unknown {
    const { place, query } = this.#reading
    return sourceError(thrown, place.tables, query.parts[part]?.table.name)
  }

  async #counting(): Promise<Engine> {
    this.#engine ??= await this.#start(this.#reading.allowance)
    return this.#engine
  }

  async #forRows(): Promise<Engine> {
    if (this.#engine === null || this.#isOutputSpent) return await this.#start(USUAL)
    this.#isOutputSpent = true
    return this.#engine
  }

  async #start(allowance: Allowance): Promise<Engine> {
    const { options, place, tables } = this.#reading
    const engine = await openWithin(allowance, options, place, tables)
    this.#engines.add(engine)
    if (this.#over) await this.#end(engine)
    this.#assertOpen()
    return engine
  }

  async #end(engine: Engine): Promise<void> {
    if (engine === this.#engine) {
      this.#engine = null
      this.#isOutputSpent = false
    }
    this.#engines.delete(engine)
    await engine.end()
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#engines].map((engine) => this.#end(engine)))
  }

  async #close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#abort)
    await this.#endAll()
    if (this.#reading.folder !== null) rmSync(this.#reading.folder, { recursive: true, force: true })
  }

  #assertOpen(): void {
    if (this.#over) throw this.#over
  }
}

/** The lines of a stream in chunks; what comes behind the last newline is lost, and so is missing from the number of rows. */
async function* wholeRows(pieces: AsyncIterable<Uint8Array>): AsyncIterable<RowChunk> {
  let kept: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    kept.push(piece)
    bytes += piece.length
    const end = piece.lastIndexOf(NEWLINE) + 1
    if (bytes < CHUNK_BYTES || end === 0) continue
    kept[kept.length - 1] = piece.subarray(0, end)
    yield chunkOf(kept)
    kept = [piece.subarray(end)]
    bytes = piece.length - end
  }
  const rest = Buffer.concat(kept)
  const end = rest.lastIndexOf(NEWLINE) + 1
  if (end > 0) yield chunkOf([rest.subarray(0, end)])
}

function chunkOf(pieces: readonly Uint8Array[]): RowChunk {
  const bytes = Buffer.concat(pieces)
  let rows = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) rows++
  return { form: 'json', bytes, rows }
}
