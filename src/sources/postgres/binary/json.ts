/** Single values of COPY BINARY as JSON: in a file, and in the `json` form of row text. */
import type { BinaryType } from './fields.ts'
import {
  putBytes,
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
const TRUE = bytesOf('true')
const FALSE = bytesOf('false')
const BYTES_OPEN = bytesOf('{"b":"')
const BYTES_CLOSE = bytesOf('"}')
const INFINITY = bytesOf('9.0e+999')
const NEGATIVE_INFINITY = bytesOf('-9.0e+999')
const BASE64 = bytesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
/** JSON's escape for a byte, where it has to have one. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) => {
  const isPlain = byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH
  return isPlain ? null : bytesOf(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))
})
/** Of `numeric`'s sign, the top bits of one that has no digits. */
const SPECIAL = 0xc0

/** A value in the file; -1 for one that the file holds changed, and that is to be counted. */
export function fileValue(type: BinaryType, isRfc3339: boolean): ValueWriter {
  switch (type) {
    case 'numeric':
      return (src, i, end, out, p) => ((src[i + 4] as number) >= SPECIAL ? -1 : writeNumeric(src, i, end, out, p))
    case 'float':
      return (src, i, end, out, p) => (isNumber(src, i) ? writeRaw(src, i, end, out, p) : -1)
    case 'bool':
      return (src, i, _end, out, p) => putBytes(src[i] === 0 ? FALSE : TRUE, out, p)
    case 'timestamp':
    case 'timestamptz':
      return isRfc3339 ? quoted(writeRfc3339) : cellValue(type)
    case 'bytea':
      return quoted(writeBase64)
    case 'json':
      return writeOnOneLine
    case 'jsonb':
      return behindVersion(writeRaw)
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
      return number(writeNumeric)
    case 'float':
      return number(writeRaw)
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
      return (src, i, end, out, p) => putBytes(BYTES_CLOSE, out, writeHex(src, i, end, out, putBytes(BYTES_OPEN, out, p)))
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
    out[p] = QUOTE
    const at = write(src, i, end, out, p + 1)
    if (at < 0) return -1
    out[at] = QUOTE
    return at + 1
  }
}

/** Of a `jsonb`, a byte that says which version of the form follows. */
function behindVersion(write: ValueWriter): ValueWriter {
  return (src, i, end, out, p) => write(src, i + 1, end, out, p)
}

/** Digits as they are; NaN as a string, and infinity as row text has it. */
function number(write: ValueWriter): ValueWriter {
  const asString = quoted(write)
  return (src, i, end, out, p) => {
    const at = write(src, i, end, out, p)
    if (isNumber(out, p)) return at
    if (out[p] === UPPER_N) return asString(src, i, end, out, p)
    return putBytes(out[p] === MINUS ? NEGATIVE_INFINITY : INFINITY, out, p)
  }
}

/** Whether the text there is neither NaN nor infinite. */
function isNumber(bytes: Uint8Array, i: number): boolean {
  const first = bytes[i] === MINUS ? bytes[i + 1] : bytes[i]
  return first !== UPPER_N && first !== UPPER_I
}

function writeRaw(src: Uint8Array, i: number, end: number, out: Uint8Array, p: number): number {
  let at = p
  for (let k = i; k < end; k++) out[at++] = src[k] as number
  return at
}

/** A document that PostgreSQL has checked: tabs and line breaks stand between its values only. */
function writeOnOneLine(src: Uint8Array, i: number, end: number, out: Uint8Array, p: number): number {
  let at = p
  for (let k = i; k < end; k++) if ((src[k] as number) >= SPACE) out[at++] = src[k] as number
  return at
}

function writeString(src: Uint8Array, i: number, end: number, out: Uint8Array, p: number): number {
  let at = p
  out[at++] = QUOTE
  for (let k = i; k < end; k++) {
    const c = src[k] as number
    if (c > BACKSLASH || (c >= SPACE && c !== QUOTE && c !== BACKSLASH)) out[at++] = c
    else at = putBytes(ESCAPES[c] as Uint8Array, out, at)
  }
  out[at++] = QUOTE
  return at
}

/** RFC 4648, section 4. */
function writeBase64(src: Uint8Array, i: number, end: number, out: Uint8Array, p: number): number {
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
