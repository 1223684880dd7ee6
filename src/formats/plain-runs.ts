/** Runs of ordinary bytes in JSON strings, copied four at a time: a third less than byte by byte for the texts of an order. */
import type { Cursor } from './cells.ts'

const WORD = 4
const HIGH_BITS = 0x80808080 | 0

export class RunCopier {
  #src: Uint8Array = new Uint8Array(0)
  #from: DataView = new DataView(this.#src.buffer)
  #out: Uint8Array = this.#src
  #to: DataView = this.#from

  /** Copies what it can in whole words; fewer than four ordinary bytes, or the end of a buffer, may then follow before the next stop. */
  copy(cursor: Cursor): void {
    const { src, out } = cursor
    let { i, p } = cursor
    if (src !== this.#src) {
      this.#src = src
      this.#from = new DataView(src.buffer, src.byteOffset, src.byteLength)
    }
    if (out !== this.#out) {
      this.#out = out
      this.#to = new DataView(out.buffer, out.byteOffset, out.byteLength)
    }
    const from = this.#from
    const to = this.#to
    const lastFrom = src.length - WORD
    const lastTo = out.length - WORD
    while (i <= lastFrom && p <= lastTo) {
      const word = from.getInt32(i, true)
      if (hasStop(word)) break
      to.setInt32(p, word, true)
      i += WORD
      p += WORD
    }
    cursor.i = i
    cursor.p = p
  }
}

/**
 * Whether a byte of the four is below 32, a quote or a backslash; now and then also where none is. Exclusive or with 2 leaves the bytes
 * below 32 there and brings the quote next to them; a byte below `n` sets its high bit in `(x - n) & ~x` ("Determine if a word has a
 * byte less than n", Sean Anderson, Bit Twiddling Hacks).
 */
function hasStop(word: number): boolean {
  const low = word ^ 0x02020202
  const slash = word ^ 0x5c5c5c5c
  return ((((low - 0x21212121) & ~low) | ((slash - 0x01010101) & ~slash)) & HIGH_BITS) !== 0
}
