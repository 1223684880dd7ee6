/**
 * The names before the values of JSON objects: the same bytes for every row, and more than a third of a file, so they are written
 * eight at a time.
 */
import { type Cursor, put } from './cells.ts'

export interface Lead {
  readonly bytes: Uint8Array
  /** The same bytes, padded to a multiple of eight, as floats of that bit pattern; empty where that could change a byte. */
  readonly words: Float64Array
}

const WORD = 8

export function leadOf(text: string): Lead {
  const bytes = new Uint8Array(Buffer.from(text))
  const padded = new Uint8Array(Math.ceil(bytes.length / WORD) * WORD)
  padded.set(bytes)
  // Only a pattern that is not a number may come out as another one, and its bytes are never ASCII.
  const isAscii = bytes.every((byte) => byte < 127)
  return { bytes, words: isAscii ? littleEndian(padded) : new Float64Array(0) }
}

function littleEndian(padded: Uint8Array): Float64Array {
  const view = new DataView(padded.buffer)
  return Float64Array.from({ length: padded.length / WORD }, (_, index) => view.getFloat64(index * WORD, true))
}

export class LeadWriter {
  #out: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(this.#out.buffer)

  /** What stands behind the lead in `out` is written over next. */
  put(cursor: Cursor, lead: Lead): void {
    const { words } = lead
    const { out, p } = cursor
    const { length } = words
    if (length === 0 || p + length * WORD > out.length) {
      put(cursor, lead.bytes)
      return
    }
    if (out !== this.#out) this.#look(out)
    const view = this.#view
    for (let k = 0; k < length; k++) view.setFloat64(p + k * WORD, words[k] as number, true)
    cursor.p = p + lead.bytes.length
  }

  #look(out: Uint8Array): void {
    this.#out = out
    this.#view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  }
}
