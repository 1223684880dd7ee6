/**
 * Cells of COPY text as CSV fields in one pass. What is written is what `CsvRow` writes of the same cell in the `json` form; false,
 * with nothing written, where only that way will do.
 */
import type { Output } from '../job/spec.ts'
import { BACKSLASH, byteTable, type Cursor, NEWLINE, QUOTE, RETURN } from './cells.ts'
import { TAB, unescaped } from './copy-cells.ts'

export class CopyCsv {
  readonly #cursor: Cursor
  /** Whether a field is quoted for no other reason than what it holds. */
  readonly #isSimple: boolean
  readonly #stops: Uint8Array
  readonly #quoted: Uint8Array

  constructor(cursor: Cursor, output: Output, isOnlyColumn: boolean) {
    const delimiter = output.delimiter.charCodeAt(0)
    this.#cursor = cursor
    this.#isSimple = output.quoting === 'minimal' && output.nullText === '' && !isOnlyColumn
    this.#quoted = byteTable((byte) => byte === delimiter || byte === QUOTE || byte === NEWLINE || byte === RETURN)
    this.#stops = byteTable(
      (byte) => byte === delimiter || byte === QUOTE || byte === BACKSLASH || byte === TAB || byte === NEWLINE,
    )
  }

  /** Text, or what is written as its text. Written plainly first; begun anew when it turns out to need quotes. */
  write(): boolean {
    if (!this.#isSimple) return false
    const cursor = this.#cursor
    const { src, out, p: begin } = cursor
    const stops = this.#stops
    let { i, p } = cursor
    for (;;) {
      let c = src[i++] as number
      while (stops[c] === 0) {
        out[p++] = c
        c = src[i++] as number
      }
      if (c === BACKSLASH) {
        c = unescaped(src[i++] as number)
        if (this.#quoted[c] === 1) break
        out[p++] = c
      } else if (c === TAB || c === NEWLINE) {
        if (p === begin) break
        cursor.i = i - 1
        cursor.p = p
        return true
      } else break
    }
    this.#writeQuoted()
    return true
  }

  #writeQuoted(): void {
    const cursor = this.#cursor
    const { src, out } = cursor
    let { i, p } = cursor
    out[p++] = QUOTE
    for (;;) {
      let c = src[i++] as number
      while (c > BACKSLASH || (c > QUOTE && c < BACKSLASH)) {
        out[p++] = c
        c = src[i++] as number
      }
      if (c === TAB || c === NEWLINE) break
      if (c === BACKSLASH) c = unescaped(src[i++] as number)
      if (c === QUOTE) out[p++] = QUOTE
      out[p++] = c
    }
    out[p++] = QUOTE
    cursor.i = i - 1
    cursor.p = p
  }
}
