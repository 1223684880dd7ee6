/**
 * A filter's value, checked against its column's type and turned into text that is bound as it stands: nothing is rounded
 * and nothing that a database would read as a word of its own (`now`, `infinity`) gets through.
 *
 * Values are never repeated in a message: they may be personal data.
 */
import type { CellType } from '../job/row-text.ts'
import type { BoundValue } from '../job/spec.ts'
import { readDate, readTime, readTimestamp } from './times.ts'

/** What would have been right: completes "takes ...". */
export interface Problem {
  readonly problem: string
}

const MAX_TEXT_BYTES = 100 * 1024
const MAX_DIGITS = 1_000
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
/** A double keeps any 15 significant digits (IEEE 754); with more, JSON may have rounded before we saw the number. */
const EXACT_DIGITS = 15

type Reader = (value: unknown) => BoundValue | Problem

const READERS: Readonly<Record<CellType, Reader>> = {
  text: readText,
  integer: readInteger,
  decimal: readDecimal,
  float: readFloat,
  boolean: readBoolean,
  date: dated('date', readDate, 'a date that exists, as "2024-02-29"'),
  time: dated('time', readTime, 'a time of day, as "13:45" or "13:45:10.5"'),
  timestamp: dated(
    'timestamp',
    readTimestamp,
    'an instant, as "2024-02-29T13:45:10Z", "2024-02-29 13:45:10" or "2024-02-29" (UTC where no offset is given; at most 9 decimals)',
  ),
  uuid: readUuid,
  any: readAny,
  json: () => ({ problem: 'no value of this kind' }),
  bytes: () => ({ problem: 'no value of this kind' }),
}

export function boundValue(type: CellType, value: unknown): BoundValue | Problem {
  return READERS[type](value)
}

/** Why this text cannot travel to every database (PostgreSQL takes neither NUL nor half a surrogate pair), or null. */
export function textProblem(text: string): string | null {
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) return 'at most 100 KB of text'
  if (text.includes('\0')) return 'text without NUL characters'
  if (!text.isWellFormed()) return 'well-formed Unicode (half a surrogate pair stands alone)'
  return null
}

function readText(value: unknown): BoundValue | Problem {
  if (typeof value !== 'string') return { problem: 'a string' }
  const problem = textProblem(value)
  return problem === null ? { type: 'text', text: value } : { problem }
}

function readInteger(value: unknown): BoundValue | Problem {
  const problem = {
    problem: 'a whole number from -9223372036854775808 to 9223372036854775807; beyond 2^53 as a string of digits',
  }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { type: 'integer', text: String(value) } : problem
  }
  if (typeof value !== 'string' || !/^-?\d{1,30}$/.test(value)) return problem
  const exact = BigInt(value)
  return exact < INT64_MIN || exact > INT64_MAX ? problem : { type: 'integer', text: exact.toString() }
}

const NUMERIC = /^-?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/

function readDecimal(value: unknown): BoundValue | Problem {
  const problem = { problem: 'a number, or a string of one (which keeps every digit)' }
  if (typeof value === 'string') {
    const isNumeric = value.length <= MAX_DIGITS && NUMERIC.test(value)
    // An exponent is for sizes every database can hold; plain digits are exact at any length.
    if (!isNumeric || (/e/i.test(value) && !Number.isFinite(Number(value)))) return problem
    return { type: 'decimal', text: value }
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return problem
  if (digitsOf(value) > EXACT_DIGITS && !Number.isSafeInteger(value)) {
    return { problem: 'a number of more than 15 digits as a string, so that none is lost' }
  }
  return { type: 'decimal', text: numberText(value) }
}

function readFloat(value: unknown): BoundValue | Problem {
  const problem = { problem: 'a finite number, or a string of one' }
  if (typeof value === 'string') {
    const fits = value.length <= MAX_DIGITS && NUMERIC.test(value) && Number.isFinite(Number(value))
    return fits ? { type: 'float', text: value } : problem
  }
  return typeof value === 'number' && Number.isFinite(value) ? { type: 'float', text: numberText(value) } : problem
}

/** `-0` compares as 0 everywhere, but its text does not. */
function numberText(value: number): string {
  return String(value === 0 ? 0 : value)
}

function digitsOf(value: number): number {
  return String(value).replace(/e.*$/, '').replace(/\D/g, '').replace(/^0+/, '').length
}

function readBoolean(value: unknown): BoundValue | Problem {
  return typeof value === 'boolean' ? { type: 'boolean', text: String(value) } : { problem: 'true or false' }
}

function readUuid(value: unknown): BoundValue | Problem {
  const isUuid = typeof value === 'string' && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value)
  return isUuid ? { type: 'uuid', text: value } : { problem: 'a UUID, as "0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12"' }
}

/** A column without a declared type holds whatever was put there: a string is compared as text, a number as a number. */
function readAny(value: unknown): BoundValue | Problem {
  if (typeof value === 'string') return readText(value)
  if (typeof value !== 'number') return { problem: 'a string or a number' }
  return Number.isInteger(value) ? readInteger(value) : readFloat(value)
}

function dated(type: CellType, read: (text: string) => string | null, problem: string): Reader {
  return (value) => {
    const text = typeof value === 'string' ? read(value) : null
    return text === null ? { problem } : { type, text }
  }
}
