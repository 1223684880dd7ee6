/** Single values of COPY BINARY as JSON: in a file, and in the `json` form of row text. */
import type { BinaryType } from './fields.ts'
import { Constant, type Memory, putBytes, putRange } from './memory.ts'
import {
  specialNumeric,
  type ValueWriter,
  writeBool,
  writeDate,
  writeHex,
  writeInt2,
  writeInt4,
  writeInt8,
  writeNumeric,
  writeOid,
  writeRfc3339,
  writeTime,
  writeTimestamp,
  writeTimestamptz,
  writeUuid,
} from './values.ts'

const SPACE = 32
const QUOTE = 34
const EQUALS = 61
const BACKSLASH = 92
const UPPER_N = 78
const UPPER_I = 73
const MINUS = 45
const TRUE = new Constant('true')
const FALSE = new Constant('false')
const BYTES_OPEN = new Constant('{"b":"')
const BYTES_CLOSE = bytesOf('"}')
const NAN = new Constant('"NaN"')
const INFINITY = new Constant('9.0e+999')
const NEGATIVE_INFINITY = new Constant('-9.0e+999')
const BASE64 = bytesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
/** JSON's escape for a byte, where it has to have one. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) => {
  const isPlain = byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH
  return isPlain ? null : bytesOf(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))
})
/** The letter behind the backslash, of escapes that are short; 0: it is not. */
const LETTERS = Uint8Array.from(ESCAPES, (bytes) => (bytes?.length === 2 ? (bytes[1] as number) : 0))
/** The longest of them. */
const LONGEST_ESCAPE = 6
const WORD = 4
/** A byte in all four of a word. */
const ONES = 0x01010101
const SPACES = 0x20202020
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const TOP_BITS = 0x80808080

/** A value in the file; -1 for one that the file holds changed, and that is to be counted. */
export function fileValue(type: BinaryType, isRfc3339: boolean): ValueWriter {
  switch (type) {
    case 'numeric':
      return (src, i, end, out, p) => (specialNumeric(src, i) === null ? writeNumeric(src, i, end, out, p) : -1)
    case 'float':
      return (src, i, end, out, p) => (isNumber(src.bytes, i) ? putRange(src, i, end, out, p) : -1)
    case 'bool':
      return (src, i, _end, out, p) => (src.bytes[i] === 0 ? FALSE : TRUE).put(out, p)
    case 'timestamp':
    case 'timestamptz':
      return isRfc3339 ? quoted(writeRfc3339) : cellValue(type)
    case 'bytea':
      return quoted(writeBase64)
    case 'json':
      return writeOnOneLine
    case 'jsonb':
      return behindVersion(putRange)
    default:
      return cellValue(type)
  }
}

/** A cell in the `json` form of row text (`job/row-text.ts`). */
export function cellValue(type: BinaryType): ValueWriter {
  switch (type) {
    case 'int2':
      return writeInt2
    case 'int4':
      return writeInt4
    case 'int8':
      return writeInt8
    case 'oid':
      return writeOid
    case 'numeric':
      return (src, i, end, out, p) => {
        const special = specialNumeric(src, i)
        return special ? putSpecial(special, 0, out, p) : writeNumeric(src, i, end, out, p)
      }
    case 'float':
      return (src, i, end, out, p) => (isNumber(src.bytes, i) ? putRange(src, i, end, out, p) : putSpecial(src.bytes, i, out, p))
    case 'bool':
      return quoted(writeBool)
    case 'date':
      return quoted(writeDate)
    case 'time':
      return quoted(writeTime)
    case 'timestamp':
      return quoted(writeTimestamp)
    case 'timestamptz':
      return quoted(writeTimestamptz)
    case 'uuid':
      return quoted(writeUuid)
    case 'bytea':
      return (src, i, end, out, p) => putBytes(BYTES_CLOSE, out, writeHex(src, i, end, out, BYTES_OPEN.put(out, p)))
    case 'jsonb':
      return behindVersion(writeString)
    case 'json':
    case 'text':
      return writeString
  }
}

/** For text without a quote, a backslash or a control character. */
function quoted(write: ValueWriter): ValueWriter {
  return (src, i, end, out, p) => {
    out.bytes[p] = QUOTE
    const at = write(src, i, end, out, p + 1)
    if (at < 0) return -1
    out.bytes[at] = QUOTE
    return at + 1
  }
}

/** Of a `jsonb`, a byte that says which version of the form follows. */
function behindVersion(write: ValueWriter): ValueWriter {
  return (src, i, end, out, p) => write(src, i + 1, end, out, p)
}

/** NaN as a string, and infinity as row text has it. */
function putSpecial(text: Uint8Array, i: number, out: Memory, p: number): number {
  if (text[i] === UPPER_N) return NAN.put(out, p)
  return (text[i] === MINUS ? NEGATIVE_INFINITY : INFINITY).put(out, p)
}

/** Whether the text there is neither NaN nor infinite. */
function isNumber(bytes: Uint8Array, i: number): boolean {
  const first = bytes[i] === MINUS ? bytes[i + 1] : bytes[i]
  return first !== UPPER_N && first !== UPPER_I
}

/** A document that PostgreSQL has checked: tabs and line breaks stand between its values only. */
function writeOnOneLine({ bytes: src }: Memory, i: number, end: number, { bytes: out }: Memory, p: number): number {
  let at = p
  for (let k = i; k < end; k++) if ((src[k] as number) >= SPACE) out[at++] = src[k] as number
  return at
}

function writeString(src: Memory, i: number, end: number, out: Memory, p: number): number {
  out.bytes[p] = QUOTE
  const hasRoom = end + WORD <= src.bytes.length && p + LONGEST_ESCAPE * (end - i) + WORD < out.bytes.length
  const at = hasRoom ? putWords(src, i, end, out, p + 1) : putEscaped(src, i, end, out, p + 1)
  out.bytes[at] = QUOTE
  return at + 1
}

/** Most words have nothing that is to be escaped. Up to three bytes behind the last are overwritten. */
function putWords(src: Memory, i: number, end: number, out: Memory, p: number): number {
  let at = p
  let k = i
  for (; k + WORD <= end; k += WORD) {
    const word = src.words.getInt32(k, true)
    if (hasEscaped(word)) at = putEscaped(src, k, k + WORD, out, at)
    else {
      out.words.setInt32(at, word, true)
      at += WORD
    }
  }
  if (k === end) return at
  const word = src.words.getInt32(k, true)
  const others = -1 << (8 * (end - k))
  if (hasEscaped((word & ~others) | (SPACES & others))) return putEscaped(src, k, end, out, at)
  out.words.setInt32(at, word, true)
  return at + end - k
}

/**
 * Whether a byte of a word is below a space, or is a quote or a backslash; for all four at once
 * (https://graphics.stanford.edu/~seander/bithacks.html, "Determine if a word has a byte less than n").
 */
function hasEscaped(word: number): boolean {
  const quote = word ^ QUOTES
  const backslash = word ^ BACKSLASHES
  return ((((word - SPACES) & ~word) | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash)) & TOP_BITS) !== 0
}

function putEscaped({ bytes: src }: Memory, i: number, end: number, out: Memory, p: number): number {
  let at = p
  for (let k = i; k < end; k++) {
    const c = src[k] as number
    if (c > BACKSLASH || (c >= SPACE && c !== QUOTE && c !== BACKSLASH)) out.bytes[at++] = c
    else if (LETTERS[c] !== 0) {
      out.bytes[at++] = BACKSLASH
      out.bytes[at++] = LETTERS[c] as number
    } else at = putBytes(ESCAPES[c] as Uint8Array, out, at)
  }
  return at
}

/** RFC 4648, section 4. */
function writeBase64({ bytes: src }: Memory, i: number, end: number, { bytes: out }: Memory, p: number): number {
  let at = p
  for (let k = i; k < end; k += 3) {
    const left = end - k
    const bits =
      ((src[k] as number) << 16) | (left > 1 ? (src[k + 1] as number) << 8 : 0) | (left > 2 ? (src[k + 2] as number) : 0)
    out[at++] = BASE64[bits >> 18] as number
    out[at++] = BASE64[(bits >> 12) & 63] as number
    out[at++] = left > 1 ? (BASE64[(bits >> 6) & 63] as number) : EQUALS
    out[at++] = left > 2 ? (BASE64[bits & 63] as number) : EQUALS
  }
  return at
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
