/** Reads and counts one part, batch by batch, inside the transaction it is given. */
import type { Statement } from 'better-sqlite3'
import { FreightError } from '../../job/errors.ts'
import type { Layout } from '../../job/row-text.ts'
import type { CheckedPart, TableRef } from '../../job/spec.ts'
import type { OpenDatabase } from './database.ts'
import { NamedBinder, SqliteDialect } from './dialect.ts'
import { type TableFacts, tableFacts } from './facts.ts'
import { sqliteCode } from './fault.ts'
import { type PartPlan, planPart } from './plan.ts'
import { SliceCount } from './slice-count.ts'

/** The rows of a batch are too heavy together: it is asked for again with fewer. */
export class BatchFull extends Error {}

export interface Batch {
  /** Null when there was no row. */
  readonly bytes: Uint8Array<ArrayBuffer> | null
  readonly rows: number
  readonly isLast: boolean
}

const BATCH_BYTES = 4 * 1024 * 1024
const BATCH_ROWS = 2_000
/** Before anything is known of the rows' size. */
const FIRST_ROWS = 500

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

type BatchRow = [text: Buffer | string | null, rows: bigint, last: bigint | null]

export class PartReader {
  /** The exact number of rows, once it is known. */
  known: number | null = null
  delivered = 0
  readonly #open: OpenDatabase
  readonly #part: CheckedPart
  readonly #plan: PartPlan
  readonly #values: Record<string, unknown>
  readonly #isView: boolean
  #batch: Statement | null = null
  #from: bigint
  #rows = FIRST_ROWS
  #slices: SliceCount | null = null

  /** Throws SOURCE_CHANGED when a table or column is gone. */
  constructor(open: OpenDatabase & { views: boolean }, part: CheckedPart, index: number, layout: Layout) {
    const binder = new NamedBinder()
    const known = new Map<string, TableFacts>()
    const facts = (table: TableRef): TableFacts => {
      const key = JSON.stringify([table.schema, table.name])
      const found = known.get(key) ?? tableFacts(open.db, table)
      if (found.kind === 'view' && !open.views) throw becameView(table)
      known.set(key, found)
      return found
    }
    let temporaries = 0
    const temporary = (what: string): string => {
      temporaries += 1
      return `freight_${what}_${index}_${temporaries}`
    }
    const bench = { db: open.db, dialect: new SqliteDialect(facts), binder, facts, setup: [], temporary }
    this.#open = open
    this.#part = part
    this.#plan = planPart(bench, part, layout, open.isUtf8)
    this.#values = binder.values
    this.#isView = facts(part.table).kind === 'view'
    this.#from = this.#start
  }

  rewind(): void {
    this.delivered = 0
    this.#from = this.#start
  }

  /** The next rows. `weigh` is told before each try how many bytes of heavy rows it may take. */
  next(weigh: (roomBytes: number) => void, roomBytes: number): Batch {
    const batch = this.#prepared()
    for (;;) {
      const wanted = this.#wanted()
      if (wanted === 0) return this.#ended(null, 0)
      try {
        // A row that is heavier than a whole batch travels alone.
        weigh(wanted === 1 ? Number.POSITIVE_INFINITY : roomBytes)
        return this.#took(batch.get({ ...this.#values, from: this.#from, rows: BigInt(wanted) }) as BatchRow, wanted)
      } catch (thrown) {
        const isTooBig = thrown instanceof BatchFull || sqliteCode(thrown) === 'SQLITE_TOOBIG'
        if (!isTooBig) throw thrown
        if (wanted === 1) throw this.#rowTooLarge(thrown)
        this.#rows = Math.max(1, wanted >> 2)
      }
    }
  }

  /** Counts on a little while rows are read. Null while the number is not known, and where only reading will tell. */
  countSlice(): number | null {
    if (this.known !== null || this.#plan.slice === null) return this.known
    this.#slices ??= new SliceCount(this.#open.db, this.#plan.slice)
    const limit = this.#part.limit ?? Number.POSITIVE_INFINITY
    const isAll = this.#slices.next()
    if (isAll || this.#slices.rows >= limit) this.known = Math.min(this.#slices.rows, limit)
    return this.known
  }

  /** Whether counting means preparing to read: the work of a view is not done twice, and nothing stops it in between. */
  get isCountedByReading(): boolean {
    return this.#isView
  }

  /** Counts to the end in one statement, which the tick can stop. */
  countAll(): number {
    if (this.#isView) {
      this.#prepared()
      return this.known ?? 0
    }
    const [rows] = this.#open.db.prepare(this.#plan.count).raw().get(this.#values) as [number]
    this.known = rows
    return rows
  }

  /** Whether counting would get anywhere now; a filtered part that is being read knows its number once its keys are found. */
  canCountOn(isReading: boolean): boolean {
    return this.known !== null || !isReading || this.#plan.slice !== null
  }

  get #start(): bigint {
    return this.#plan.keys === null ? INT64_MIN : 1n
  }

  #prepared(): Statement {
    if (this.#batch) return this.#batch
    for (const sql of this.#plan.setup) this.#open.db.prepare(sql).run(this.#values)
    if (this.#plan.keys !== null) {
      // Its rowids run from 1, so the last is their number.
      const [rows] = this.#open.db.prepare(`select max(rowid) from temp.${this.#plan.keys}`).raw().get() as [number | null]
      this.known = rows ?? 0
    }
    this.#batch = this.#open.db.prepare(this.#plan.batch).raw().safeIntegers()
    return this.#batch
  }

  #wanted(): number {
    const limit = this.#plan.keys === null ? (this.#part.limit ?? Number.POSITIVE_INFINITY) : (this.known ?? 0)
    return Math.min(this.#rows, limit - this.delivered)
  }

  #took([text, taken, last]: BatchRow, wanted: number): Batch {
    const rows = Number(taken)
    this.delivered += rows
    if (text === null || last === null) return this.#ended(null, 0)
    const bytes = ownBytes(text)
    this.#rows = Math.max(1, Math.min(BATCH_ROWS, Math.floor((BATCH_BYTES * rows) / bytes.length)))
    this.#from = last + 1n
    const isLast = rows < wanted || last === INT64_MAX || this.#wanted() === 0
    return isLast ? this.#ended(bytes, rows) : { bytes, rows, isLast }
  }

  #ended(bytes: Uint8Array<ArrayBuffer> | null, rows: number): Batch {
    if (this.known !== null && this.known !== this.delivered) {
      throw new FreightError(
        'ROWS_INCOMPLETE',
        `"${this.#part.resource}": the source counted ${this.known} rows and gave ${this.delivered} in the same transaction.`,
      )
    }
    this.known = this.delivered
    return { bytes, rows, isLast: true }
  }

  #rowTooLarge(cause: unknown): FreightError {
    const [key] = this.#open.db
      .prepare(this.#plan.keyAt)
      .raw()
      .get({ ...this.#values, from: this.#from }) as [string | null]
    const which = key ? ` (key ${key})` : ''
    return new FreightError(
      'ROW_TOO_LARGE',
      `Row ${this.delivered + 1}${which} of "${this.#part.resource}" is larger than the 1 GB that SQLite can hold in one piece; leave out its largest fields.`,
      { cause },
    )
  }
}

/** Its work could not be stopped here. */
function becameView({ name }: TableRef): FreightError {
  return new FreightError(
    'SOURCE_CHANGED',
    `"${name}" is a view now and was a table when it was looked at; restart Freight, or ask anew.`,
  )
}

/** In memory of its own, so that it can change hands; small buffers share a pool. */
function ownBytes(text: Buffer | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const isAlone = bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.byteLength
  return isAlone ? new Uint8Array(bytes.buffer) : Uint8Array.from(bytes)
}
