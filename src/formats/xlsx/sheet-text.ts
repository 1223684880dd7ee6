/**
 * Texts as the content of a spreadsheet's string elements (ECMA-376 part 1, 22.9.2.19 ST_Xstring): XML, in which characters that XML cannot hold
 * are `_xHHHH_`, and an underscore that would begin such an escape is escaped itself.
 */
import {
  BACKSLASH,
  byteTable,
  Cursor,
  HEX_VALUES,
  LOWER_U,
  MalformedRow,
  NEWLINE,
  put,
  QUOTE,
  SPACE,
  STRING_STOPS,
} from '../cells.ts'
import { decodeEscape, decodeString } from '../strings.ts'
import { bytesOf } from './cell-markup.ts'

/** What a cell holds at most, in UTF-16 units ("Excel specifications and limits"). */
export const CELL_UNITS = 32_767

const TAB = 9
const UNDERSCORE = 95
const LOWER_X = 120
const AMPERSAND = 38
const LESS = 60
const GREATER = 62
const AMP = bytesOf('&amp;')
const LT = bytesOf('&lt;')
const GT = bytesOf('&gt;')
const ESCAPED_UNDERSCORE = bytesOf('_x005F_')
/** Without it a reader may take white space off both ends. */
export const PRESERVE = bytesOf(' xml:space="preserve"')
const UPPER_HEX = bytesOf('0123456789ABCDEF')
/** First byte of U+FFFE and U+FFFF, the two noncharacters that XML 1.0 rules out, among many others. */
const EF = 0xef

const MARKUP = byteTable((byte) => byte < SPACE || [AMPERSAND, LESS, GREATER, UNDERSCORE, EF].includes(byte))
const STRING_MARKUP = byteTable((byte) => MARKUP[byte] === 1 || STRING_STOPS[byte] === 1)

export class SheetText {
  readonly #cursor: Cursor
  /** Enough for what a cell holds: a unit is three bytes at most. What is decoded beyond its end is lost, and not needed. */
  readonly #decoded = new Uint8Array(CELL_UNITS * 3 + 8)
  readonly #decoding = new Cursor()
  #hasBreak = false
  /** Set when a text was cut. */
  cut = false

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  /** The JSON string that begins behind the cursor's quote, behind an opening tag. */
  writeString(): void {
    const cursor = this.#cursor
    const { src, out, i: start, p: begin } = cursor
    let i = start
    let p = begin
    for (;;) {
      let c = src[i++] as number
      while (STRING_MARKUP[c] === 0) {
        out[p++] = c
        c = src[i++] as number
      }
      if (c === QUOTE) break
      if (c === BACKSLASH && (src[i] === QUOTE || src[i] === BACKSLASH)) {
        // The commonest: a document's quotes.
        out[p++] = src[i++] as number
        continue
      }
      cursor.i = i
      cursor.p = p
      if (c === BACKSLASH) this.#escape()
      else if (c >= SPACE) cursor.i = this.#markup(c, src, i, src.length)
      else throw new MalformedRow('a text is cut')
      i = cursor.i
      p = cursor.p
    }
    cursor.i = i
    cursor.p = p
    // A text has no more UTF-16 units than bytes.
    if (i - start <= CELL_UNITS + 1) this.#finish(begin)
    else this.#measured(start, begin)
  }

  /** UTF-8 as it is, not as a JSON string holds it, behind an opening tag. */
  writeText(bytes: Uint8Array, from: number, to: number): void {
    const cursor = this.#cursor
    const begin = cursor.p
    const end = to - from <= CELL_UNITS ? to : endOfCell(bytes, from, to)
    if (end < to) this.cut = true
    for (let i = from; i < end; ) {
      const c = bytes[i++] as number
      if (MARKUP[c] === 0) cursor.out[cursor.p++] = c
      else i = this.#markup(c, bytes, i, end)
    }
    this.#finish(begin)
  }

  /** How long a long text is, is known once it has been decoded. */
  #measured(start: number, begin: number): void {
    const decoding = this.#decoding
    decoding.src = this.#cursor.src
    decoding.out = this.#decoded
    decoding.i = start
    decoding.p = 0
    decodeString(decoding)
    this.#hasBreak = false
    this.#cursor.p = begin
    this.writeText(this.#decoded, 0, decoding.p)
  }

  /** From behind a backslash. */
  #escape(): void {
    const cursor = this.#cursor
    const { out, p } = cursor
    decodeEscape(cursor)
    const c = out[p] as number
    const isWhole = cursor.p === p + 1 ? MARKUP[c] === 0 : c !== EF
    if (isWhole) return
    const length = cursor.p - p
    cursor.p = p
    if (c === UNDERSCORE) put(cursor, ESCAPED_UNDERSCORE)
    else if (length === 1) this.#markup(c, out, p + 1, p + 1)
    else if (isNoncharacter(out, p + 1)) this.#markup(c, out, p + 1, p + length)
    else cursor.p = p + length
  }

  /** Writes what stands for `c`, which lies before `bytes[i]`, and returns where the text goes on. */
  #markup(c: number, bytes: Uint8Array, i: number, end: number): number {
    const cursor = this.#cursor
    if (c === UNDERSCORE && beginsEscape(bytes, i, end)) put(cursor, ESCAPED_UNDERSCORE)
    else if (c === AMPERSAND) put(cursor, AMP)
    else if (c === LESS) put(cursor, LT)
    else if (c === GREATER) put(cursor, GT)
    else if (c === EF && isNoncharacter(bytes, i)) {
      this.#hexEscape(0xffc0 | ((bytes[i + 1] as number) & 0x3f))
      return i + 2
    } else if (c >= SPACE || c === TAB || c === NEWLINE) {
      cursor.out[cursor.p++] = c
      if (c < SPACE) this.#hasBreak = true
    } else this.#hexEscape(c)
    return i
  }

  #hexEscape(code: number): void {
    const { out } = this.#cursor
    let { p } = this.#cursor
    out[p++] = UNDERSCORE
    out[p++] = LOWER_X
    for (let shift = 12; shift >= 0; shift -= 4) out[p++] = UPPER_HEX[(code >> shift) & 15] as number
    out[p++] = UNDERSCORE
    this.#cursor.p = p
  }

  /** Asks for white space to be kept, in the tag before `begin`, where the text has some at an end or between lines. */
  #finish(begin: number): void {
    const cursor = this.#cursor
    const { out, p } = cursor
    if (this.#hasBreak || (p > begin && (out[begin] === SPACE || out[p - 1] === SPACE))) {
      out.copyWithin(begin - 1 + PRESERVE.length, begin - 1, p)
      cursor.p = begin - 1
      put(cursor, PRESERVE)
      cursor.p = p + PRESERVE.length
    }
    this.#hasBreak = false
  }
}

/** BF BE or BF BF: the rest of U+FFFE or U+FFFF. */
function isNoncharacter(bytes: Uint8Array, i: number): boolean {
  return bytes[i] === 0xbf && (bytes[i + 1] as number) >= 0xbe
}

/**
 * Whether an underscore before `i` could be read as the beginning of an escape: `x` and four hexadecimal digits follow. The underscore at the
 * escape's end is not asked for, since that of an escape written next would do. Where a JSON string has an escape, the answer is yes to be safe:
 * an underscore that is escaped for nothing reads the same.
 */
function beginsEscape(bytes: Uint8Array, i: number, end: number): boolean {
  if (bytes[i] === BACKSLASH) return bytes[i + 1] === LOWER_U
  if (i + 5 > end || bytes[i] !== LOWER_X) return false
  for (let k = i + 1; k < i + 5; k++) {
    if (bytes[k] === BACKSLASH) return true
    if (HEX_VALUES[bytes[k] as number] === 255) return false
  }
  return true
}

/** Where a cell that begins at `from` is full, never inside a character. */
function endOfCell(bytes: Uint8Array, from: number, to: number): number {
  let units = 0
  for (let i = from; i < to; i++) {
    const c = bytes[i] as number
    if ((c & 0xc0) === 0x80) continue
    units += c >= 0xf0 ? 2 : 1
    if (units > CELL_UNITS) return i
  }
  return to
}
