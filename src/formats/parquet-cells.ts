/**
 * Single values as the CSV fields that DuckDB reads, each only if it is the same value in its column's type. What is not, is refused: a
 * Parquet column has one type, and a value that does not fit is never bent.
 */
import { type Cursor, copyNumber, HEX_VALUES, infinityAt, MalformedRow, put, QUOTE } from './cells.ts'
import type { ParquetColumn } from './parquet-columns.ts'
import { isDecimal, isDouble, isInteger64, withoutExponent } from './parquet-numbers.ts'
import { dayAt, TimeWriter } from './times.ts'

const TRUE = bytesOf('true')
const FALSE = bytesOf('false')
const FLAGS: readonly (readonly [Uint8Array, Uint8Array])[] = [
  [bytesOf('t'), TRUE],
  [bytesOf('f'), FALSE],
  [bytesOf('1'), TRUE],
  [bytesOf('0'), FALSE],
  [bytesOf('true'), TRUE],
  [bytesOf('false'), FALSE],
]
const DOUBLES: readonly (readonly [Uint8Array, Uint8Array])[] = [
  [bytesOf('NaN'), bytesOf('nan')],
  [bytesOf('Infinity'), bytesOf('inf')],
  [bytesOf('-Infinity'), bytesOf('-inf')],
]
const INFINITY = bytesOf('inf')
const NEGATIVE_INFINITY = bytesOf('-inf')
/** Parquet keeps microseconds. */
const FRACTION_DIGITS = 6
const UTC = new TextEncoder().encode('Z')

export class TypedCells {
  readonly #cursor: Cursor
  readonly #times = new TimeWriter('UTC')
  readonly #scratch = new Uint8Array(64)

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  /** The number at the cursor; false, with nothing written, where it does not fit. */
  number(column: ParquetColumn): boolean {
    const cursor = this.#cursor
    const { src, i, p } = cursor
    const infinity = infinityAt(src, i)
    copyNumber(cursor)
    const end = cursor.i
    switch (column.kind) {
      case 'integer':
        return isInteger64(src, i, end)
      case 'decimal':
        return infinity === 0 && this.#decimal(column, src, i, end, p)
      case 'float':
        if (infinity === 0) return isDouble(src, i, end)
        cursor.p = p
        put(cursor, infinity < 0 ? NEGATIVE_INFINITY : INFINITY)
        return true
      case 'boolean':
        cursor.p = p
        if (end !== i + 1 || (src[i] !== 48 && src[i] !== 49)) return false
        put(cursor, src[i] === 49 ? TRUE : FALSE)
        return true
      default:
        return false
    }
  }

  /** The JSON string at the cursor, which stands behind its quote; false where it is no value of the column's type. */
  text(column: ParquetColumn): boolean {
    const { src, i } = this.#cursor
    switch (column.kind) {
      case 'timestamp':
        return this.#timestamp(column)
      case 'date':
        return !Number.isNaN(dayAt(src, i)) && src[i + 10] === QUOTE && this.#copy(10)
      case 'time':
        return this.#time()
      case 'uuid':
        return isUuid(src, i) && src[i + 36] === QUOTE && this.#copy(36)
      case 'boolean':
        return this.#word(FLAGS)
      case 'float':
        return this.#word(DOUBLES)
      case 'decimal':
        return this.#decimalText(column)
      default:
        return false
    }
  }

  #copy(length: number): boolean {
    const cursor = this.#cursor
    const { src, out } = cursor
    for (let k = 0; k < length; k++) out[cursor.p + k] = src[cursor.i + k] as number
    cursor.p += length
    cursor.i += length + 1
    return true
  }

  #word(words: readonly (readonly [Uint8Array, Uint8Array])[]): boolean {
    const cursor = this.#cursor
    const { src, i } = cursor
    const found = words.find(([word]) => src[i + word.length] === QUOTE && word.every((byte, k) => src[i + k] === byte))
    if (found === undefined) return false
    cursor.i += found[0].length + 1
    put(cursor, found[1])
    return true
  }

  #decimal({ precision, scale }: ParquetColumn, src: Uint8Array, from: number, end: number, p: number): boolean {
    if (isDecimal(src, from, end, precision, scale)) return true
    const plain = withoutExponent(Buffer.from(src.subarray(from, end)).toString('latin1'))
    if (plain === null) return false
    const bytes = bytesOf(plain)
    this.#cursor.p = p
    put(this.#cursor, bytes)
    return isDecimal(bytes, 0, bytes.length, precision, scale)
  }

  /** Databases without a decimal type keep long decimals as text. */
  #decimalText(column: ParquetColumn): boolean {
    const cursor = this.#cursor
    const { src, i, p } = cursor
    if (src[i] !== 45 && ((src[i] as number) ^ 48) > 9) return false
    try {
      copyNumber(cursor)
    } catch (thrown) {
      if (thrown instanceof MalformedRow) return false
      throw thrown
    }
    if (src[cursor.i] !== QUOTE || !this.#decimal(column, src, i, cursor.i, p)) return false
    cursor.i++
    return true
  }

  /** In UTC, as DuckDB reads it fastest. A date alone is its midnight, a time without seconds its full minute. */
  #timestamp(column: ParquetColumn): boolean {
    const cursor = this.#cursor
    const { src, i, out, p } = cursor
    const end = this.#times.write(src, i, out, p)
    if (end >= 0) {
      if (!hasMicroseconds(src, i + 19)) return false
      cursor.i = this.#times.end + 1
      cursor.p = column.read === 'TIMESTAMP' ? end - UTC.length : end
      return true
    }
    const length = src[i + 10] === QUOTE ? 10 : src[i + 16] === QUOTE ? 16 : 0
    if (length === 0) return false
    const scratch = this.#scratch
    scratch.set(bytesOf('0000-00-00 00:00:00"'))
    for (let k = 0; k < length; k++) scratch[k] = src[i + k] as number
    if (this.#times.write(scratch, 0, out, p) < 0) return false
    cursor.i += length + 1
    cursor.p = p + (column.read === 'TIMESTAMP' ? 19 : 20)
    return true
  }

  /** `HH:MM`, with seconds and a fraction or without. */
  #time(): boolean {
    const { src, i } = this.#cursor
    if (!isBelow(src, i, 24) || src[i + 2] !== 58 || !isBelow(src, i + 3, 60)) return false
    if (src[i + 5] === QUOTE) return this.#copy(5)
    if (src[i + 5] !== 58 || !isBelow(src, i + 6, 60) || !hasMicroseconds(src, i + 8)) return false
    let end = i + 8
    if (src[end] === 46)
      do end++
      while (((src[end] as number) ^ 48) < 10)
    return src[end] === QUOTE && this.#copy(end - i)
  }
}

/** Whether the fraction that may begin at `from` has none but zeros behind its sixth digit. */
export function hasMicroseconds(src: Uint8Array, from: number): boolean {
  if (src[from] !== 46) return true
  let i = from + 1
  for (; ((src[i] as number) ^ 48) < 10; i++) if (i > from + FRACTION_DIGITS && src[i] !== 48) return false
  return i > from + 1
}

function isBelow(src: Uint8Array, i: number, limit: number): boolean {
  const tens = (src[i] as number) ^ 48
  const ones = (src[i + 1] as number) ^ 48
  return tens < 10 && ones < 10 && tens * 10 + ones < limit
}

export function isUuid(src: Uint8Array, i: number): boolean {
  for (let k = 0; k < 36; k++) {
    const byte = src[i + k] as number
    // Not looked up in a list: that took 2 % of an export's processor time.
    const isDash = k === 8 || k === 13 || k === 18 || k === 23
    if (isDash ? byte !== 45 : HEX_VALUES[byte] === 255 || byte === undefined) return false
  }
  return true
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
