/** Hands rows out sheet by sheet, cutting the chunk that holds the end of one and the beginning of the next. */
import type { RowChunk } from '../../job/row-text.ts'
import { NEWLINE } from '../cells.ts'

export class RowFeed {
  readonly #rows: AsyncIterator<RowChunk>
  /** Asked for and not handed out yet. */
  #next: RowChunk | null = null

  constructor(rows: AsyncIterable<RowChunk>) {
    this.#rows = rows[Symbol.asyncIterator]()
  }

  /** Whether no row is left. Only to be asked when the last chunk's bytes are needed no more. */
  async isAtEnd(): Promise<boolean> {
    if (this.#next === null) {
      const { value, done } = await this.#rows.next()
      if (!done) this.#next = value
    }
    return this.#next === null
  }

  /** The next `limit` rows, or as many as there are. */
  async *upTo(limit: number): AsyncIterable<RowChunk> {
    for (let left = limit; left > 0 && !(await this.isAtEnd()); ) {
      const chunk = this.#next as RowChunk
      const cut = chunk.rows > left ? endOfRows(chunk.bytes, left) : chunk.bytes.length
      const rows = Math.min(chunk.rows, left)
      this.#next = rows < chunk.rows ? { ...chunk, bytes: chunk.bytes.subarray(cut), rows: chunk.rows - rows } : null
      left -= rows
      yield { ...chunk, bytes: chunk.bytes.subarray(0, cut), rows }
    }
  }

  async close(): Promise<void> {
    await this.#rows.return?.()
  }
}

/** Behind the first `rows` rows: in row text a newline is the end of a row and nothing else. */
function endOfRows(bytes: Uint8Array, rows: number): number {
  let end = 0
  for (let row = 0; row < rows; row++) {
    const newline = bytes.indexOf(NEWLINE, end)
    // A chunk with fewer rows than it says is refused by who reads it.
    if (newline < 0) return bytes.length
    end = newline + 1
  }
  return end
}
