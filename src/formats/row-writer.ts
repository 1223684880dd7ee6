/** What a format writes its rows with, one after the other. */
import type { Cursor } from './cells.ts'
import type { RowChanges } from './changes.ts'

/**
 * Reads the row at its cursor and writes it there. Is asked to write a row again, into a larger buffer, when the first was full. After a
 * RefusedRow it is asked for the next row; what it has written and counted of the refused one is taken back for it.
 */
export interface RowWriter {
  readonly cursor: Cursor
  readonly changes: RowChanges
  row(): void
  /** The same of a row of COPY text in valid UTF-8, in one pass. Without it such rows come in the `json` form too. */
  copyRow?(): void
}
