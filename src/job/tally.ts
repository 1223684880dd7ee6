/**
 * Counts what became of the rows: each is in exactly one of `successful`, `warnings` (written, at least one cell changed)
 * and `errors` (left out), and the three sum to the rows read. Cell counts per column and cause go to the manifest.
 */
import type { CellChange, ChangeCause } from './manifest.ts'
import type { LeftOutRow } from './row-text.ts'
import type { OnRowError } from './spec.ts'

export interface Results {
  readonly successful: number
  readonly warnings: number
  readonly errors: number
}

/** One line of the errors log. `row` counts from 1; `key` is the primary key's text where it was read, else null. */
export interface LogEntry {
  readonly resource: string
  readonly row: number
  readonly key: string | null
  readonly column: string | null
  readonly what: string
}

/** The errors log is for a person to read; the counts stay exact beyond it. */
const LOG_ENTRIES = 100

export class RowTally {
  readonly resource: string
  /** What becomes of a row that the format cannot hold. */
  readonly onRowError: OnRowError
  rows = 0
  warnings = 0
  errors = 0
  /** Those of the errors that the format left out. */
  refused = 0
  #changes = new Map<string, { column: string; cause: ChangeCause; cells: number }>()
  #log: LogEntry[] = []

  constructor(resource: string, onRowError: OnRowError = 'fail') {
    this.resource = resource
    this.onRowError = onRowError
  }

  /** Rows that were written without any change; cheap enough to call once per chunk. */
  written(rows: number): void {
    this.rows += rows
  }

  /** Rows that the source left out. */
  leftOut(rows: readonly LeftOutRow[]): void {
    this.errors += rows.length
    for (const row of rows.slice(0, LOG_ENTRIES - this.#log.length)) this.#log.push({ resource: this.resource, ...row })
  }

  /** A row that the format left out; `logged` is asked only while the log has room. */
  rowRefused(logged: () => LeftOutRow): void {
    this.errors += 1
    this.refused += 1
    if (this.#log.length < LOG_ENTRIES) this.#log.push({ resource: this.resource, ...logged() })
  }

  /** A cell that was changed on writing; `logged` is asked only while the log has room. */
  cellChanged(column: string, cause: ChangeCause, logged: () => { row: number; key: string | null; what: string }): void {
    const name = `${cause} ${column}`
    const change = this.#changes.get(name)
    if (change) change.cells += 1
    else this.#changes.set(name, { column, cause, cells: 1 })
    if (this.#log.length < LOG_ENTRIES) this.#log.push({ resource: this.resource, column, ...logged() })
  }

  /** One of the rows given to `written` had at least one cell changed. */
  rowWarned(): void {
    this.warnings += 1
  }

  get changes(): CellChange[] {
    return [...this.#changes.values()].map((change) => ({ resource: this.resource, ...change }))
  }

  get log(): readonly LogEntry[] {
    return this.#log
  }

  get results(): Results {
    return { successful: this.rows - this.warnings, warnings: this.warnings, errors: this.errors }
  }
}
