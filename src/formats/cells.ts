/**
 * Scans the cells of row text, byte by byte: no cell becomes a JavaScript string or object on the ordinary path.
 *
 * What is here reads the `json` form. Rows in `copy` form are rewritten to it (`copy-text.ts`) where a format has no faster way for them
 * (`copy-cells.ts`), so the same rows give the same bytes whatever form they travelled in. Every scan stops at a control byte and a chunk
 * ends with a newline, so none runs past its end.
 */
import type { ErrorCode } from '../job/errors.ts'

export const NEWLINE = 10
export const RETURN = 13
export const SPACE = 32
export const QUOTE = 34
export const COMMA = 44
export const COLON = 58
export const BACKSLASH = 92
export const OPEN_BRACKET = 91
export const CLOSE_BRACKET = 93
export const OPEN_BRACE = 123
export const CLOSE_BRACE = 125
export const LOWER_N = 110
export const LOWER_U = 117

/** What a byte is inside a JSON string: 0 an ordinary byte, else the string ends, escapes or is broken here. */
export const STRING_STOPS = byteTable((byte) => byte < SPACE || byte === QUOTE || byte === BACKSLASH)
/** The value of a hexadecimal digit, or 255. */
export const HEX_VALUES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase())
  return value < 0 ? 255 : value
})

export function byteTable(isMarked: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isMarked(byte) ? 1 : 0))
}

/**
 * A place in row text and a place in the output. Stores past the end of `out` are lost without harm (ECMAScript ignores them): whoever
 * drives the cursor sees `p > out.length` after a row, takes a larger buffer and writes that row again. So nothing checks for room on
 * the way; `set` and the like, which throw, are not used.
 */
export class Cursor {
  src: Uint8Array = new Uint8Array(0)
  i = 0
  out: Uint8Array = new Uint8Array(0)
  p = 0
  /** Set when half of a surrogate pair was met and U+FFFD written in its place. */
  replaced = false
}

/** Row text that is not what its contract says. */
export class MalformedRow extends Error {
  /** Its place in the chunk, from 0; set by whoever counts rows. */
  row = 0
}

/** A row, or one cell of it, that the format cannot hold; the message says why, without the value. */
export class RefusedRow extends Error {
  readonly code: ErrorCode
  /** Null where it is the row as a whole. */
  readonly column: string | null
  /** Its place in the chunk, from 0, and that of its first byte; set by whoever counts rows. */
  row = 0
  start = 0

  constructor(code: ErrorCode, column: string | null, why: string) {
    super(why)
    this.code = code
    this.column = column
  }
}

/** What was thrown while the row at `row` was read, with that place in it. */
export function atRow(thrown: unknown, row: number): unknown {
  if (thrown instanceof MalformedRow) thrown.row = row
  return thrown
}

export function put(cursor: Cursor, bytes: Uint8Array): void {
  const { out } = cursor
  const { length } = bytes
  let { p } = cursor
  for (let k = 0; k < length; k++) out[p++] = bytes[k] as number
  cursor.p = p
}

/**
 * Steps over `separator` (`[` before a row's first cell, else a comma) to the first byte of the cell that must follow it, and
 * returns that byte.
 */
export function enterCell(cursor: Cursor, separator: number): number {
  const { src } = cursor
  let { i } = cursor
  while (src[i] === SPACE) i++
  if (src[i] !== separator) throw new MalformedRow('a cell is missing')
  i++
  while (src[i] === SPACE) i++
  cursor.i = i
  return src[i] as number
}

/** Steps over the `[` of a row without cells. */
export function enterEmptyRow(cursor: Cursor): void {
  if (cursor.src[cursor.i++] !== OPEN_BRACKET) throw new MalformedRow('a row does not begin with [')
}

/** Steps over `]`. */
export function leaveRow(cursor: Cursor): void {
  const { src } = cursor
  while (src[cursor.i] === SPACE) cursor.i++
  if (src[cursor.i] !== CLOSE_BRACKET) throw new MalformedRow('a row has more cells than its shape')
  cursor.i++
}

/** Steps over the newline behind a row of a chunk. */
export function leaveLine(cursor: Cursor): void {
  if (cursor.src[cursor.i] !== NEWLINE) throw new MalformedRow('a row does not end with its line')
  cursor.i++
}

/** Steps over `null`, `true` or `false`, whose first byte has been seen. */
export function skipWord(cursor: Cursor, word: 'null' | 'true' | 'false'): void {
  for (let k = 0; k < word.length; k++) {
    if (cursor.src[cursor.i++] !== word.charCodeAt(k)) throw new MalformedRow('a cell is neither text, number, bytes nor null')
  }
}

/** Copies a JSON number's text (RFC 8259, section 6) as it stands. */
export function copyNumber(cursor: Cursor): void {
  const { src, out } = cursor
  let { i, p } = cursor
  let c = src[i] as number
  if (c === 45) {
    out[p++] = c
    c = src[++i] as number
  }
  const digits = i
  const leading = c
  while ((c ^ 48) < 10) {
    out[p++] = c
    c = src[++i] as number
  }
  if (i === digits || (leading === 48 && i > digits + 1)) throw new MalformedRow('a number is broken')
  if (c === 46) {
    const fraction = i
    do {
      out[p++] = c
      c = src[++i] as number
    } while ((c ^ 48) < 10)
    if (i === fraction + 1) throw new MalformedRow('a number is broken')
  }
  cursor.i = i
  cursor.p = p
  if ((c | 32) === 101) copyExponent(cursor)
}

function copyExponent(cursor: Cursor): void {
  const { src, out } = cursor
  let { i, p } = cursor
  out[p++] = src[i++] as number
  if (src[i] === 43 || src[i] === 45) out[p++] = src[i++] as number
  const digits = i
  while (((src[i] as number) ^ 48) < 10) out[p++] = src[i++] as number
  if (i === digits) throw new MalformedRow('a number is broken')
  cursor.i = i
  cursor.p = p
}

const INFINITY = Buffer.from('9.0e+999')

/** Whether the number at the cursor is infinity: 1 or -1, else 0. */
export function infinityAt(src: Uint8Array, i: number): number {
  const negative = src[i] === 45
  if (src[negative ? i + 1 : i] !== INFINITY[0]) return 0
  const start = negative ? i + 1 : i
  for (let k = 0; k < INFINITY.length; k++) if (src[start + k] !== INFINITY[k]) return 0
  return ((src[start + INFINITY.length] as number) ^ 48) < 10 ? 0 : negative ? -1 : 1
}

/** Steps over `{"b":"` and returns where the hexadecimal digits begin; the cursor stands behind the whole cell. */
export function enterBytes(cursor: Cursor): { from: number; to: number } {
  const { src } = cursor
  let { i } = cursor
  const mark = [OPEN_BRACE, QUOTE, 98, QUOTE, 58, QUOTE]
  for (const byte of mark) {
    while (src[i] === SPACE) i++
    if (src[i++] !== byte) throw new MalformedRow('a cell of bytes is broken')
  }
  const from = i
  while (HEX_VALUES[src[i] as number] !== 255 && src[i] !== undefined) i++
  const to = i
  if ((to - from) % 2 === 1 || src[i] !== QUOTE) throw new MalformedRow('a cell of bytes is broken')
  i++
  while (src[i] === SPACE) i++
  if (src[i++] !== CLOSE_BRACE) throw new MalformedRow('a cell of bytes is broken')
  cursor.i = i
  return { from, to }
}

/** From behind the opening quote to behind the closing one. */
function skipString(cursor: Cursor): void {
  const { src } = cursor
  let { i } = cursor
  for (;;) {
    while (STRING_STOPS[src[i] as number] === 0) i++
    const c = src[i++]
    if (c === QUOTE) break
    if (c !== BACKSLASH || src[i] === NEWLINE) throw new MalformedRow('a text is cut')
    i++
  }
  cursor.i = i
}

/** Steps over a whole cell of any kind. */
export function skipCell(cursor: Cursor): void {
  const { src } = cursor
  let depth = 0
  do {
    const c = src[cursor.i++]
    if (c === QUOTE) skipString(cursor)
    else if (c === OPEN_BRACKET || c === OPEN_BRACE) depth++
    else if (c === CLOSE_BRACKET || c === CLOSE_BRACE) depth--
    else if (c === undefined || c < SPACE) throw new MalformedRow('a row is cut')
    else if (depth === 0) while (isScalarByte(src[cursor.i])) cursor.i++
  } while (depth > 0)
  if (depth < 0) throw new MalformedRow('a cell is missing')
}

function isScalarByte(byte: number | undefined): boolean {
  return byte !== undefined && byte > SPACE && byte !== COMMA && byte !== CLOSE_BRACKET && byte !== CLOSE_BRACE
}
