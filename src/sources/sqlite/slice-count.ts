/** Counts the rows of a whole table in slices of its keys, so that rows can be read in between. */
import type { Database } from 'better-sqlite3'
import type { PartPlan } from './plan.ts'

type Slice = NonNullable<PartPlan['slice']>

/** A slice should have about so many rows; counting them takes about 1 ms. */
const SLICE_ROWS = 32_000n
/** Keys may lie far apart or close together: the width follows. */
const WIDEN = 4n

export class SliceCount {
  rows = 0
  readonly #db: Database
  readonly #slice: Slice
  #width = SLICE_ROWS
  #from = 0n
  /** Null before the first slice. */
  #last: bigint | null = null

  constructor(db: Database, slice: Slice) {
    this.#db = db
    this.#slice = slice
  }

  /** Counts one slice; true after the last. A slice that the watch of the statement stopped is tried again, narrower. */
  next(): boolean {
    if (this.#last === null && !this.#begin()) return true
    const last = this.#last ?? 0n
    const end = this.#from + this.#width - 1n
    const to = end < last ? end : last
    const width = this.#width
    this.#width = width > WIDEN ? width / WIDEN : 1n
    const [counted] = this.#db.prepare(this.#slice.count).raw().safeIntegers().get({ from: this.#from, to }) as [bigint]
    this.#width = counted * WIDEN < SLICE_ROWS ? width * WIDEN : width
    this.rows += Number(counted)
    this.#from = to + 1n
    return to === last
  }

  /** False when there is no row at all. */
  #begin(): boolean {
    const [first, last] = this.#db.prepare(this.#slice.ends).raw().safeIntegers().get() as [bigint | null, bigint | null]
    if (first === null || last === null) return false
    this.#from = first
    this.#last = last
    return true
  }
}
