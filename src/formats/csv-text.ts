/**
 * Texts as CSV fields (RFC 4180). Minimal quoting is the rule of PostgreSQL's COPY ... CSV, so that either may write the same file: a field is
 * quoted when it holds the delimiter, a quote or a line break, when it is the empty text, when it equals the text that stands for NULL, and when it
 * is `\.` alone in its record.
 */
import type { Output } from '../job/spec.ts'
import { BACKSLASH, byteTable, type Cursor, LOWER_N, MalformedRow, NEWLINE, put, QUOTE, RETURN, STRING_STOPS } from './cells.ts'
import { decodeEscape } from './strings.ts'

const DOT = 46
/** Delimiters that stand in no number, time or hexadecimal text, so that only texts need a look. */
const USUAL_DELIMITERS = [',', ';', '|', '\t']

/** U+FFFD */
const REPLACEMENT = Uint8Array.of(0xef, 0xbf, 0xbd)

export class CsvText {
  readonly #cursor: Cursor
  readonly #delimiter: number
  readonly #nullText: Uint8Array
  readonly #quotesAll: boolean
  readonly #isOnlyColumn: boolean
  /** NUL becomes U+FFFD: what the file is made for takes none. */
  readonly #replacesNul: boolean
  /** Set when that was done. */
  nulReplaced = false
  /** Whether a field that is no text may need quotes as well. */
  readonly #checksPlain: boolean
  /** Bytes inside a JSON string that are not simply copied. */
  readonly #stops: Uint8Array
  /** Bytes that make quotes necessary. */
  readonly #quoted: Uint8Array

  constructor(cursor: Cursor, output: Output, isOnlyColumn: boolean) {
    const delimiter = output.delimiter.charCodeAt(0)
    this.#cursor = cursor
    this.#delimiter = delimiter
    this.#nullText = new Uint8Array(Buffer.from(output.nullText))
    this.#quotesAll = output.quoting === 'all'
    this.#isOnlyColumn = isOnlyColumn
    this.#replacesNul = output.profile === 'postgres' || output.profile === 'bigquery'
    this.#checksPlain =
      this.#quotesAll || output.nullText !== '' || !USUAL_DELIMITERS.includes(output.delimiter) || isDecimalComma(output)
    this.#stops = byteTable((byte) => STRING_STOPS[byte] === 1 || byte === delimiter)
    this.#quoted = byteTable((byte) => byte === delimiter || byte === QUOTE || byte === NEWLINE || byte === RETURN)
  }

  writeNull(): void {
    put(this.#cursor, this.#nullText)
  }

  /** The JSON string that begins behind the cursor's quote. Written plainly first; begun anew when it turns out to need quotes. */
  writeString(): void {
    const cursor = this.#cursor
    const { src, out, i: start, p: begin } = cursor
    const stops = this.#stops
    let i = start
    let p = begin
    if (!this.#quotesAll) {
      for (;;) {
        let c = src[i++] as number
        while (stops[c] === 0) {
          out[p++] = c
          c = src[i++] as number
        }
        if (c === QUOTE) {
          if (p === begin || this.#isSpecial(out, begin, p)) break
          cursor.i = i
          cursor.p = p
          return
        }
        if (c !== BACKSLASH) {
          if (c !== this.#delimiter) throw new MalformedRow('a text is cut')
          break
        }
        c = src[i] as number
        // The common escapes: those of a quote and a line break.
        if (c === QUOTE || c === LOWER_N) break
        cursor.i = i
        cursor.p = p
        decodeEscape(cursor)
        if (out[p] === 0 && this.#replacesNul) this.#replaceNul(p)
        if (this.#quoted[out[p] as number] === 1) break
        i = cursor.i
        p = cursor.p
      }
    }
    cursor.i = start
    cursor.p = begin
    this.#writeQuotedString()
  }

  #writeQuotedString(): void {
    const cursor = this.#cursor
    const { src, out } = cursor
    let { i, p } = cursor
    out[p++] = QUOTE
    for (;;) {
      let c = src[i++] as number
      while (STRING_STOPS[c] === 0) {
        out[p++] = c
        c = src[i++] as number
      }
      if (c === QUOTE) break
      if (c !== BACKSLASH) throw new MalformedRow('a text is cut')
      c = src[i] as number
      if (c === QUOTE) {
        out[p++] = QUOTE
        out[p++] = QUOTE
        i++
      } else {
        cursor.i = i
        cursor.p = p
        decodeEscape(cursor)
        if (out[p] === 0 && this.#replacesNul) this.#replaceNul(p)
        i = cursor.i
        // A quote may also come as \u0022.
        if (out[p] === QUOTE && cursor.p === p + 1) out[cursor.p++] = QUOTE
        p = cursor.p
      }
    }
    out[p++] = QUOTE
    cursor.i = i
    cursor.p = p
  }

  #replaceNul(at: number): void {
    this.#cursor.p = at
    put(this.#cursor, REPLACEMENT)
    this.nulReplaced = true
  }

  /** Text as it is, not as a JSON string holds it. */
  writeText(bytes: Uint8Array, from: number, to: number): void {
    const { out } = this.#cursor
    let { p } = this.#cursor
    let needsQuotes = this.#quotesAll || from === to || this.#isSpecial(bytes, from, to)
    for (let k = from; k < to && !needsQuotes; k++) needsQuotes = this.#quoted[bytes[k] as number] === 1
    if (needsQuotes) out[p++] = QUOTE
    for (let k = from; k < to; k++) {
      const c = bytes[k] as number
      if (c === QUOTE) out[p++] = QUOTE
      out[p++] = c
    }
    if (needsQuotes) out[p++] = QUOTE
    this.#cursor.p = p
  }

  /** Puts quotes around the number, time or word that was written from `begin` on, where it needs them. */
  finishPlain(begin: number): void {
    if (!this.#checksPlain) return
    const { out, p } = this.#cursor
    let needsQuotes = this.#quotesAll || this.#isSpecial(out, begin, p)
    for (let k = begin; k < p && !needsQuotes; k++) needsQuotes = this.#quoted[out[k] as number] === 1
    if (!needsQuotes) return
    out.copyWithin(begin + 1, begin, p)
    out[begin] = QUOTE
    out[p + 1] = QUOTE
    this.#cursor.p = p + 2
  }

  /** Text that unquoted would mean something else: NULL, or the end of the data to older readers of COPY. */
  #isSpecial(bytes: Uint8Array, from: number, to: number): boolean {
    const nullText = this.#nullText
    if (this.#isOnlyColumn && to === from + 2 && bytes[from] === BACKSLASH && bytes[from + 1] === DOT) return true
    if (nullText.length === 0 || to - from !== nullText.length) return false
    let k = 0
    while (k < nullText.length && bytes[from + k] === nullText[k]) k++
    return k === nullText.length
  }
}

function isDecimalComma({ profile, delimiter }: Output): boolean {
  return profile === 'excel-eu' && delimiter === ','
}
