/** Counts the rows of a finished file, whose bytes it is given in order. */
export interface RowCounter {
  add(chunk: Uint8Array): void
  /** Rows, once all bytes have been added. */
  end(): number
}
