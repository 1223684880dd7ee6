/** JSON strings: what their bytes stand for, and the one way in which Freight spells an escape. */
import { BACKSLASH, type Cursor, HEX_VALUES, LOWER_U, MalformedRow, QUOTE, SPACE, STRING_STOPS } from './cells.ts'

/** Writes the text of a JSON string, from behind its opening quote; the cursor then stands behind its closing one. */
export function decodeString(cursor: Cursor): void {
  const { src, out } = cursor
  let { i, p } = cursor
  for (;;) {
    let c = src[i++] as number
    while (STRING_STOPS[c] === 0) {
      out[p++] = c
      c = src[i++] as number
    }
    if (c === QUOTE) break
    if (c !== BACKSLASH) throw new MalformedRow('a text is cut')
    const escaped = src[i] as number
    if (escaped === QUOTE || escaped === BACKSLASH) {
      out[p++] = escaped
      i++
    } else {
      cursor.i = i
      cursor.p = p
      decodeEscape(cursor)
      i = cursor.i
      p = cursor.p
    }
  }
  cursor.i = i
  cursor.p = p
}

/** Writes what an escape stands for, from behind its backslash. Half a surrogate pair becomes U+FFFD and sets `replaced`. */
export function decodeEscape(cursor: Cursor): void {
  const c = cursor.src[cursor.i++] as number
  if (c !== LOWER_U) {
    const at = ESCAPES.indexOf(c)
    if (at < 0) throw new MalformedRow('a text has an unknown escape')
    cursor.out[cursor.p++] = ESCAPED[at] as number
    return
  }
  const unit = fourHexDigits(cursor.src, cursor.i)
  cursor.i += 4
  let code = unit
  if (unit >= 0xd800 && unit <= 0xdfff) {
    const low = unit < 0xdc00 ? lowSurrogateAt(cursor.src, cursor.i) : 0
    if (low > 0) cursor.i += 6
    else cursor.replaced = true
    code = low > 0 ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd
  }
  putCodePoint(cursor, code)
}

/** The second half of a surrogate pair, where its escape stands at `i`; else 0. */
function lowSurrogateAt(src: Uint8Array, i: number): number {
  if (src[i] !== BACKSLASH || src[i + 1] !== LOWER_U) return 0
  const unit = fourHexDigits(src, i + 2)
  return unit >= 0xdc00 && unit <= 0xdfff ? unit : 0
}

const ESCAPES = Buffer.from('"\\/bfnrt')
const ESCAPED = Buffer.from('"\\/\b\f\n\r\t')

function fourHexDigits(src: Uint8Array, i: number): number {
  let value = 0
  for (let k = i; k < i + 4; k++) {
    const digit = HEX_VALUES[src[k] as number] ?? 255
    if (digit === 255) throw new MalformedRow('a text has a broken escape')
    value = value * 16 + digit
  }
  return value
}

function putCodePoint(cursor: Cursor, code: number): void {
  const { out } = cursor
  if (code < 0x80) {
    out[cursor.p++] = code
    return
  }
  if (code < 0x800) out[cursor.p++] = 0xc0 | (code >> 6)
  else {
    if (code < 0x10000) out[cursor.p++] = 0xe0 | (code >> 12)
    else {
      out[cursor.p++] = 0xf0 | (code >> 18)
      out[cursor.p++] = 0x80 | ((code >> 12) & 63)
    }
    out[cursor.p++] = 0x80 | ((code >> 6) & 63)
  }
  out[cursor.p++] = 0x80 | (code & 63)
}

const HEX_DIGITS = Buffer.from('0123456789abcdef')
/** The letters of JSON's short escapes by the control byte they stand for; 0: there is none. */
const SHORT_ESCAPES = Uint8Array.from(
  { length: 32 },
  (_, byte) => 'btnfr'.charCodeAt('\b\t\n\f\r'.indexOf(String.fromCharCode(byte))) || 0,
)

/** Writes the one escape that Freight uses for a control byte, a quote or a backslash in JSON; returns the new place in `out`. */
export function putEscape(out: Uint8Array, at: number, c: number): number {
  let p = at
  out[p++] = BACKSLASH
  const short = c < SPACE ? (SHORT_ESCAPES[c] as number) : c
  if (short !== 0) {
    out[p++] = short
    return p
  }
  out[p++] = LOWER_U
  out[p++] = 48
  out[p++] = 48
  out[p++] = 48 + (c >> 4)
  out[p++] = HEX_DIGITS[c & 15] as number
  return p
}
