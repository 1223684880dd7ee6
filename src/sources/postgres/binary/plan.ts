/** The text of rows of COPY BINARY, made on this side. */
import type { BinaryField } from './fields.ts'
import type { Memory } from './memory.ts'

/** Instead of a field's length. */
export const NULL = -1

/** Writes one row after the other. */
export interface BinaryRowWriter {
  /** Where the row that was written last ends in the source. */
  readonly next: number
  /**
   * Writes the row whose first field begins at `i`, at `p` of `out`, and returns where it ends there, or -1 for a row that cannot be written
   * in this form. What it returns is past the `room` of `out` where that does not suffice: who called then asks again with more.
   */
  write(src: Memory, i: number, out: Memory, p: number): number
}

export interface BinaryPlan {
  /** What is to be selected, in order. */
  readonly fields: readonly BinaryField[]
  /** Of the file's own bytes. */
  writer(): BinaryRowWriter
}
