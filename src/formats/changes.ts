/** What was changed in the row being written, kept until the row stands: a row may be written twice when its buffer was too small. */
import type { ChangeCause } from '../job/manifest.ts'
import type { RowTally } from '../job/tally.ts'

const WHAT: Readonly<Record<ChangeCause, string>> = {
  invalid_utf8: 'bytes that are not UTF-8 were replaced by U+FFFD',
  formula_guarded: 'an apostrophe was put before text that a spreadsheet takes for a formula',
  time_kept: "the database's own text was kept, since the format cannot say this time",
  json_invalid: 'the stored document is not valid JSON and was written as a string',
  number_as_text: 'a number that the format cannot hold was written as text',
  text_cut: 'text was cut, since a cell holds 32,767 characters at most',
  nul_replaced: 'a NUL was replaced by U+FFFD, since nothing that loads this file takes one',
}

export class RowChanges {
  #columns: string[] = []
  #causes: ChangeCause[] = []
  /** Read on every row, so a plain field. */
  count = 0

  add(column: string, cause: ChangeCause): void {
    this.#columns.push(column)
    this.#causes.push(cause)
    this.count++
  }

  has(column: string, cause: ChangeCause): boolean {
    return this.#columns.some((name, index) => name === column && this.#causes[index] === cause)
  }

  /** Forgets all but the first `count`. */
  cutTo(count: number): void {
    this.#columns.length = count
    this.#causes.length = count
    this.count = count
  }

  /** Tells them to the tally as one row's; `key` is asked only while the log has room. */
  report(tally: RowTally, row: number, key: () => string | null): void {
    for (const [index, column] of this.#columns.entries()) {
      const cause = this.#causes[index] as ChangeCause
      tally.cellChanged(column, cause, () => ({ row, key: key(), what: WHAT[cause] }))
    }
    tally.rowWarned()
    this.cutTo(0)
  }
}
