/**
 * Rows that are too large to be read as DuckDB reads: 2,048 at a time, each cell in several copies, and JSON text made with six bytes for each
 * byte of a text. Here a statement reads only as many as fit.
 */
import type { Engine } from '../../duckdb/engine.ts'
import { FreightError } from '../../job/errors.ts'
import type { RowChunk } from '../../job/row-text.ts'
import { isOutOfMemory, rowTooLarge } from './fault.ts'
import type { RowWindows, Statement } from './plan.ts'

/** Of row text that one statement makes; a row that is larger is read alone. */
const WINDOW_BYTES = 32 * 1024 * 1024
/** Rows differ: the next window may meet larger ones than the last. */
const GROWTH = 4

export interface LargeRows {
  readonly few: RowWindows
  /** Gives the number of all rows. */
  readonly count: Statement
  /** The first row to be read, counted from 0. */
  readonly from: number
  /** What the rows are of, for errors. */
  readonly resource: string
  /** A process with a fresh output. */
  start(): Promise<Engine>
  end(engine: Engine): Promise<void>
  read(engine: Engine, statement: Statement): AsyncIterable<RowChunk>
}

/** Throws ROW_TOO_LARGE for a row that does not fit even alone, by its number and, where that can be told, its largest field. */
export async function* readLargeRows(reading: LargeRows): AsyncIterable<RowChunk> {
  let engine: Engine | null = await reading.start()
  try {
    // Known first: to find nothing behind the last row DuckDB would read all cells of the table.
    const [counted] = await engine.rows(reading.count.sql, reading.count.values)
    const until = Number(counted?.[0])
    let next = reading.from
    let count = 1
    while (next < until) {
      const asked = Math.min(count, until - next)
      engine ??= await reading.start()
      let rows = 0
      let bytes = 0
      try {
        for await (const chunk of reading.read(engine, reading.few.lines(next, asked))) {
          rows += chunk.rows
          bytes += chunk.bytes.length
          yield chunk
        }
        if (rows !== asked) throw new FreightError('ROWS_INCOMPLETE', `${asked} rows were to be read, of which ${rows} arrived.`)
        count = Math.max(1, Math.min(asked * GROWTH, Math.floor((WINDOW_BYTES * rows) / bytes)))
      } catch (thrown) {
        if (!isOutOfMemory(thrown)) throw thrown
        if (asked === 1) throw rowTooLarge(reading.resource, next + 1, await largestField(reading, next), thrown)
        count = 1
      }
      next += rows
      // Its output is spent, and memory that it keeps is given back.
      await reading.end(engine)
      engine = null
    }
  } finally {
    if (engine !== null) await reading.end(engine)
  }
}

interface FieldSize {
  readonly field: string
  readonly bytes: number
}

/** Null where not even that can be read. */
async function largestField({ few, start, end }: LargeRows, at: number): Promise<FieldSize | null> {
  const engine = await start()
  try {
    const { sql, values } = few.sizes(at, 1)
    const [row = []] = await engine.rows(sql, values)
    const sizes = few.fields.map((field, index): FieldSize => ({ field, bytes: Number(row[index] ?? 0) }))
    return sizes.reduce((one: FieldSize | null, other) => (one && one.bytes >= other.bytes ? one : other), null)
  } catch {
    return null
  } finally {
    await end(engine)
  }
}
