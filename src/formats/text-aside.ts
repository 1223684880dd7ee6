/** Texts that are written aside before they go into a cell as a whole: the JSON of a relation or a document, the elements of a list. */
import { Cursor } from './cells.ts'
import type { RowChanges } from './changes.ts'

const FIRST_BYTES = 4096

export class TextAside {
  /** What is written stands at the beginning of its `out`, until the next. */
  readonly cursor = new Cursor()
  readonly #changes: RowChanges

  constructor(changes: RowChanges) {
    this.#changes = changes
  }

  /**
   * Has `write` write, at the cursor here, what stands at `from`, and returns how many bytes that took; `from` does not move. Where the
   * buffer is too small it is done again in a larger one, and what was counted is taken back.
   */
  write(from: Cursor, write: () => void): number {
    const { cursor } = this
    cursor.src = from.src
    if (cursor.out.length === 0) cursor.out = new Uint8Array(FIRST_BYTES)
    for (;;) {
      const before = this.#changes.count
      cursor.i = from.i
      cursor.p = 0
      write()
      if (cursor.p <= cursor.out.length) return cursor.p
      this.#changes.cutTo(before)
      cursor.out = new Uint8Array(cursor.p * 2)
    }
  }
}
