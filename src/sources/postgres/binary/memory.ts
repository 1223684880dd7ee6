/**
 * Bytes that are read and written by words as well. A loop over single bytes takes 1 to 3 ns for each of them, a word of four about as long
 * (measured with names and texts of 8 to 70 bytes).
 */

/** So much of a row is written without a look at the room that is left: a name, and a value whose type bounds its length. */
export const MARGIN = 128
const WORD = 4

export class Memory {
  /** Stores past its end are lost without harm. */
  readonly bytes: Uint8Array
  /** The same bytes; throws past their end. */
  readonly words: DataView
  /** Up to here there is room for `MARGIN` bytes. */
  readonly room: number

  constructor(bytes: Uint8Array) {
    // As a plain Uint8Array: inner loops that meet Buffers as well run slower.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.room = bytes.length - MARGIN
  }
}

/** Bytes that are written again and again. */
export class Constant {
  readonly #bytes: Uint8Array
  /** Little-endian, filled up with zeros; none where they are too many for the margin. */
  readonly #words: Int32Array

  constructor(text: string) {
    const bytes = Buffer.from(text)
    const count = bytes.length <= MARGIN / 2 ? Math.ceil(bytes.length / WORD) : 0
    const filled = Buffer.concat([bytes, Buffer.alloc(WORD)])
    this.#bytes = new Uint8Array(bytes)
    this.#words = Int32Array.from({ length: count }, (_, k) => filled.readInt32LE(WORD * k))
  }

  /** At `p`, which is within `room`; returns where they end. */
  put(out: Memory, p: number): number {
    const words = this.#words
    if (words.length === 0) return putBytes(this.#bytes, out, p)
    for (let k = 0; k < words.length; k++) out.words.setInt32(p + WORD * k, words[k] as number, true)
    return p + this.#bytes.length
  }
}

export function putBytes(bytes: Uint8Array, { bytes: out }: Memory, p: number): number {
  for (let k = 0; k < bytes.length; k++) out[p + k] = bytes[k] as number
  return p + bytes.length
}

/** Copies from `i` to `end`. Up to three bytes behind the copy are overwritten, which is where the next value goes. */
export function putRange(src: Memory, i: number, end: number, out: Memory, p: number): number {
  const stop = p + end - i
  if (end + WORD > src.bytes.length || stop + WORD > out.bytes.length) return putBytes(src.bytes.subarray(i, end), out, p)
  for (let k = i, at = p; k < end; k += WORD, at += WORD) out.words.setInt32(at, src.words.getInt32(k, true), true)
  return stop
}
