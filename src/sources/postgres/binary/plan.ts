/** The text of rows of COPY BINARY, made on this side. */
import type { BinaryField } from './fields.ts'

/** Instead of a field's length. */
export const NULL = -1

/** Writes one row after the other. */
export interface BinaryRowWriter {
  /** Where the row that was written last ends in the source. */
  readonly next: number
  /**
   * Writes the row whose first field begins at `i`, at `p` of `out`, and returns where it ends there, or -1 for a row that cannot be written
   * in this form. Stores past the end of `out` are lost without harm: who called sees it and asks again with more room.
   */
  write(src: Uint8Array, i: number, out: Uint8Array, p: number): number
}

export interface BinaryPlan {
  /** What is to be selected, in order. */
  readonly fields: readonly BinaryField[]
  /** Of the file's own bytes. */
  writer(): BinaryRowWriter
}
