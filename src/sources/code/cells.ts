/**
 * Values of JavaScript as cells of row text, exactly or not at all: nothing is rounded, cut or guessed, and a value of another type
 * than its field's is a fault of the row.
 */
import type { CellType } from '../../job/row-text.ts'

/** What was wrong with a value; completes `field "total": `. Never the value itself: it may be personal data. */
export class WrongValue extends Error {}

type Writer = (value: unknown) => string

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const WHOLE = /^-?(0|[1-9]\d*)$/
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const DATE = /^-?\d{4,}-\d{2}-\d{2}( BC)?$/
const TIME = /^\d{2}:\d{2}(:\d{2}(\.\d+)?)?([+-]\d{2}(:?\d{2})?|Z)?$/
const TIMESTAMP = /^-?\d{4,}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?[+-]\d{2}(:?\d{2})?|Z)?)?( BC)?$/
/** How row text says infinity (`job/row-text.ts`). */
const INFINITY = '9.0e+999'

const WRITERS: Readonly<Record<CellType, Writer>> = {
  text: (value) => (typeof value === 'string' ? quoted(value) : wrong('text', value)),
  integer: writeInteger,
  decimal: (value) => writeNumber(value, 'a decimal number'),
  float: writeFloat,
  boolean: (value) => (typeof value === 'boolean' ? quoted(String(value)) : wrong('true or false', value)),
  date: (value) => (value instanceof Date ? quoted(instant(value).slice(0, -14)) : matching(value, DATE, 'a date')),
  time: (value) => matching(value, TIME, 'a time of day, as "13:45:00"'),
  timestamp: (value) => (value instanceof Date ? quoted(instant(value)) : matching(value, TIMESTAMP, 'an instant')),
  uuid: (value) => matching(value, UUID, 'a UUID'),
  json: (value) => quoted(document(value)),
  bytes: (value) => (isBytes(value) ? bytes(value) : wrong('bytes (a Uint8Array)', value)),
  any: writeAny,
}

/** The cell's text; `null` for null and undefined. Throws WrongValue. */
export function writerOf(type: CellType): Writer {
  const write = WRITERS[type]
  return (value) => (value === null || value === undefined ? 'null' : write(value))
}

function wrong(wanted: string, value: unknown): never {
  throw new WrongValue(`${wanted} was expected, not ${kindOf(value)}`)
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? 'such a number' : String(value)
  if (typeof value === 'string') return 'such a text'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  if (isBytes(value)) return 'bytes'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const quoted = (text: string): string => JSON.stringify(text)

function matching(value: unknown, pattern: RegExp, wanted: string): string {
  return typeof value === 'string' && pattern.test(value) ? quoted(value) : wrong(wanted, value)
}

function writeInteger(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  // Beyond 2^53 a number may have been rounded before it came here.
  if (typeof value === 'number' && Number.isInteger(value))
    throw new WrongValue('a whole number beyond 2^53 must come as a bigint or as text, since a number does not hold it exactly')
  return typeof value === 'string' && WHOLE.test(value) ? value : wrong('a whole number', value)
}

/** Text keeps its digits, `1.50` as `1.50`; a number is written with the digits that give the same number again. */
function writeNumber(value: unknown, wanted: string): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return typeof value === 'string' && NUMBER.test(value) ? value : wrong(wanted, value)
}

/** A float may be what a decimal may not: NaN (as text, since no JSON number is) and the infinities. */
function writeFloat(value: unknown): string {
  if (Number.isNaN(value)) return quoted('NaN')
  if (value === Number.POSITIVE_INFINITY) return INFINITY
  if (value === Number.NEGATIVE_INFINITY) return `-${INFINITY}`
  return writeNumber(value, 'a number')
}

function writeAny(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      return writeFloat(value)
    case 'bigint':
      return String(value)
    case 'boolean':
      return quoted(String(value))
    case 'object':
      if (value instanceof Date) return quoted(instant(value))
      if (isBytes(value)) return bytes(value)
      return quoted(document(value))
    default:
      return wrong('a value', value)
  }
}

function instant(value: Date): string {
  return Number.isNaN(value.getTime()) ? wrong('a date that exists', value) : value.toISOString()
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function bytes(value: Uint8Array): string {
  return `{"b":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"}`
}

/** Bigints keep their digits; what JSON has no word for is refused instead of being left out or turned into null. */
function document(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value, inDocument)
  } catch (error) {
    if (error instanceof WrongValue) throw error
    throw new WrongValue('JSON was expected, and this value cannot be written as such', { cause: error })
  }
  return text ?? wrong('JSON', value)
}

function inDocument(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(String(value))
  if (typeof value === 'number' && !Number.isFinite(value)) throw new WrongValue(`JSON has no word for ${value}`)
  if (typeof value === 'function' || typeof value === 'symbol' || value instanceof Map || value instanceof Set)
    throw new WrongValue('JSON was expected; functions, symbols, maps and sets are none')
  if (isBytes(value)) return Buffer.from(value).toString('base64')
  // toJSON of an invalid Date gives null.
  if (value === null && this !== null && typeof this === 'object' && Reflect.get(this, key) instanceof Date)
    throw new WrongValue('a date that exists was expected, not an invalid Date')
  if (value === undefined && Array.isArray(this)) throw new WrongValue('JSON was expected; a list may hold null, not undefined')
  return value
}

/** https://tc39.es/proposal-json-parse-with-source/; Node 24 has it, TypeScript's library does not. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
