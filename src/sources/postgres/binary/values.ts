/**
 * Single values of COPY BINARY as PostgreSQL's own output functions write them (`DateStyle` ISO, `TimeZone` UTC). The binary form is what
 * the types' send functions give: numbers in network byte order, times counted in microseconds from the year 2000 on.
 */

import { type Memory, putBytes } from './memory.ts'

/**
 * Writes the value that stands in `src` from `i` to `end` at `p` of `out`, which is within its `room`, and returns where it ends. A value
 * that does not fit ends past the end of `out`, and what is missing is lost without harm.
 */
export type ValueWriter = (src: Memory, i: number, end: number, out: Memory, p: number) => number

const MINUS = 45
const DOT = 46
const ZERO = 48
const COLON = 58
const HEX = digitPairs(256, 16)
const TWO = digitPairs(100, 10)

const INFINITY = Buffer.from('infinity')
const NEGATIVE_INFINITY = Buffer.from('-infinity')
const BC = Buffer.from(' BC')
const DAY = 86_400_000_000
/** From 1 March of the year 0 to 1 January 2000. */
const DAYS_BEFORE = 730_425
/** 1 January of that year. */
const YEAR_10_000 = 2_921_940

/** As little-endian words. */
function digitPairs(count: number, radix: number): Uint16Array {
  const pairs = Array.from({ length: count }, (_, value) => value.toString(radix).padStart(2, '0'))
  return Uint16Array.from(pairs, (pair) => pair.charCodeAt(0) | (pair.charCodeAt(1) << 8))
}

/** The lower half of a 64-bit integer may be anything; this is whether a double holds the whole. */
function isExact(high: number): boolean {
  return high >= -0x200000 && high < 0x200000
}

/** Where so many fields, each behind its length, end. */
export function behindFields({ words }: Memory, from: number, count: number): number {
  let i = from
  for (let k = 0; k < count; k++) i += 4 + Math.max(0, words.getInt32(i))
  return i
}

function double64({ words }: Memory, i: number): number {
  return words.getInt32(i) * 0x100000000 + words.getUint32(i + 4)
}

/** Of a whole number from 0 to 2^53. */
function putDigits(value: number, out: Memory, p: number): number {
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9)
    const end = putDigits(high, out, p) + 9
    putPadded(value - high * 1e9, out, end)
    return end
  }
  let length = 1
  for (let limit = 10; value >= limit; limit *= 10) length++
  putLast(value, length, out, p + length)
  return p + length
}

/** Nine digits that end at `end`. */
function putPadded(value: number, out: Memory, end: number): void {
  putLast(value, 9, out, end)
}

/** So many digits that end at `end`. */
function putLast(value: number, count: number, { bytes, words }: Memory, end: number): void {
  let left = value | 0
  let at = end
  for (; at > end - count + 1; at -= 2) {
    const rest = (left / 100) | 0
    words.setUint16(at - 2, TWO[left - rest * 100] as number, true)
    left = rest
  }
  if (at > end - count) bytes[at - 1] = ZERO + left
}

function putSigned(value: number, out: Memory, p: number): number {
  if (value >= 0) return putDigits(value, out, p)
  out.bytes[p] = MINUS
  return putDigits(-value, out, p + 1)
}

function putTwo(value: number, { words }: Memory, p: number): number {
  words.setUint16(p, TWO[value] as number, true)
  return p + 2
}

function putFour(value: number, { words }: Memory, p: number): number {
  const hundreds = (value / 100) | 0
  words.setInt32(p, (TWO[hundreds] as number) | ((TWO[value - hundreds * 100] as number) << 16), true)
  return p + 4
}

export const writeInt2: ValueWriter = (src, i, _end, out, p) => putSigned(src.words.getInt16(i), out, p)
export const writeInt4: ValueWriter = (src, i, _end, out, p) => putSigned(src.words.getInt32(i), out, p)
export const writeOid: ValueWriter = (src, i, _end, out, p) => putDigits(src.words.getUint32(i), out, p)

export const writeInt8: ValueWriter = (src, i, _end, out, p) => {
  if (isExact(src.words.getInt32(i))) return putSigned(double64(src, i), out, p)
  return putBytes(Buffer.from(src.words.getBigInt64(i).toString()), out, p)
}

export const writeBool: ValueWriter = (src, i, _end, out, p) => {
  out.bytes[p] = src.bytes[i] === 0 ? 102 : 116
  return p + 1
}

export const writeUuid: ValueWriter = (src, i, _end, out, p) => {
  const { bytes } = out
  let at = putHexPairs(src, i, i + 4, out, p)
  bytes[at] = MINUS
  at = putHexPairs(src, i + 4, i + 6, out, at + 1)
  bytes[at] = MINUS
  at = putHexPairs(src, i + 6, i + 8, out, at + 1)
  bytes[at] = MINUS
  at = putHexPairs(src, i + 8, i + 10, out, at + 1)
  bytes[at] = MINUS
  return putHexPairs(src, i + 10, i + 16, out, at + 1)
}

/** Of an even number of bytes. */
function putHexPairs({ bytes }: Memory, i: number, end: number, { words }: Memory, p: number): number {
  let at = p
  for (let k = i; k < end; k += 2, at += 4) {
    words.setInt32(at, (HEX[bytes[k] as number] as number) | ((HEX[bytes[k + 1] as number] as number) << 16), true)
  }
  return at
}

export const writeBytea: ValueWriter = (src, i, end, out, p) => {
  out.bytes[p] = 92
  out.bytes[p + 1] = 120
  return writeHex(src, i, end, out, p + 2)
}

export const writeHex: ValueWriter = (src, i, end, out, p) => {
  const stop = p + 2 * (end - i)
  if (stop > out.bytes.length) return stop
  for (let k = i, at = p; k < end; k++, at += 2) out.words.setUint16(at, HEX[src.bytes[k] as number] as number, true)
  return stop
}

/** Of `numeric`'s sign, from here on: it has no digits. */
const SPECIAL = 0xc000
const SPECIAL_NUMERICS: Readonly<Record<number, Uint8Array>> = {
  49152: Buffer.from('NaN'),
  53248: Buffer.from('Infinity'),
  61440: Buffer.from('-Infinity'),
}

/** What a `numeric` without digits is called; null for one that has some. */
export function specialNumeric({ words }: Memory, i: number): Uint8Array | null {
  const sign = words.getUint16(i + 4)
  return sign < SPECIAL ? null : (SPECIAL_NUMERICS[sign] ?? null)
}

/** Digits to the base 10,000; `weight` is the place of the first, and `scale` the number of decimal digits behind the point. */
export const writeNumeric: ValueWriter = (src, i, _end, out, p) => {
  const special = specialNumeric(src, i)
  if (special) return putBytes(special, out, p)
  const { words } = src
  const count = words.getInt16(i)
  const weight = words.getInt16(i + 2)
  const scale = words.getInt16(i + 6)
  // A sign, four digits for each place, the point, and up to three digits more than asked for.
  const most = p + 1 + 4 * (Math.max(0, weight) + 1) + 1 + scale + 3
  if (most > out.bytes.length) return most
  const digits = i + 8
  let at = p
  if (words.getUint16(i + 4) !== 0) out.bytes[at++] = MINUS
  at = putDigits(digitAt(src, digits, count, weight < 0 ? -1 : 0), out, at)
  for (let place = 1; place <= weight; place++) at = putFour(digitAt(src, digits, count, place), out, at)
  if (scale === 0) return at
  out.bytes[at++] = DOT
  const end = at + scale
  for (let place = weight + 1; at < end; place++) at = putFour(digitAt(src, digits, count, place), out, at)
  return end
}

/** The ones that are not sent are zeros. */
function digitAt({ words }: Memory, digits: number, count: number, place: number): number {
  return place >= 0 && place < count ? words.getInt16(digits + 2 * place) : 0
}

export const writeDate: ValueWriter = (src, i, _end, out, p) => {
  const days = src.words.getInt32(i)
  if (days === 0x7fffffff) return putBytes(INFINITY, out, p)
  if (days === -0x80000000) return putBytes(NEGATIVE_INFINITY, out, p)
  const end = putDay(days, out, p)
  return isBeforeChrist(days) ? putBytes(BC, out, end) : end
}

export const writeTime: ValueWriter = (src, i, _end, out, p) => putClock(double64(src, i), out, p)
export const writeTimestamp: ValueWriter = (src, i, _end, out, p) => putInstant(src, i, out, p, DATABASE_LOCAL)
export const writeTimestamptz: ValueWriter = (src, i, _end, out, p) => putInstant(src, i, out, p, DATABASE_UTC)
/** RFC 3339; -1 for a time that it cannot say. */
export const writeRfc3339: ValueWriter = (src, i, _end, out, p) => putInstant(src, i, out, p, RFC_3339)

interface InstantForm {
  /** Between day and clock. */
  readonly between: number
  readonly zone: Uint8Array
  /** Whether only years from 1 to 9999 can be said. */
  readonly isNarrow: boolean
}

const DATABASE_LOCAL: InstantForm = { between: 32, zone: new Uint8Array(0), isNarrow: false }
const DATABASE_UTC: InstantForm = { between: 32, zone: new Uint8Array(Buffer.from('+00')), isNarrow: false }
const RFC_3339: InstantForm = { between: 84, zone: new Uint8Array(Buffer.from('Z')), isNarrow: true }

function putInstant(src: Memory, i: number, out: Memory, p: number, form: InstantForm): number {
  let days: number
  let rest: number
  if (isExact(src.words.getInt32(i))) {
    const micros = double64(src, i)
    days = Math.floor(micros / DAY)
    rest = micros - days * DAY
    // The quotient was rounded up to a whole number.
    if (rest < 0) {
      days--
      rest += DAY
    }
  } else {
    const micros = src.words.getBigInt64(i)
    const isInfinite = micros === 2n ** 63n - 1n || micros === -(2n ** 63n)
    if (isInfinite) return form.isNarrow ? -1 : putBytes(micros > 0n ? INFINITY : NEGATIVE_INFINITY, out, p)
    const clock = ((micros % BigInt(DAY)) + BigInt(DAY)) % BigInt(DAY)
    days = Number((micros - clock) / BigInt(DAY))
    rest = Number(clock)
  }
  if (form.isNarrow && (isBeforeChrist(days) || days >= YEAR_10_000)) return -1
  let at = putDay(days, out, p)
  out.bytes[at] = form.between
  at = putBytes(form.zone, out, putClock(rest, out, at + 1))
  return isBeforeChrist(days) ? putBytes(BC, out, at) : at
}

/** The first day of the year 1 is 1 January, 306 days after 1 March of the year 0. */
function isBeforeChrist(days: number): boolean {
  return days + DAYS_BEFORE < 306
}

/** The Gregorian date: eras of 400 years whose years begin in March (http://howardhinnant.github.io/date_algorithms.html, `civil_from_days`). */
function putDay(days: number, out: Memory, p: number): number {
  const all = (days + DAYS_BEFORE) | 0
  const era = ((all >= 0 ? all : all - 146_096) / 146_097) | 0
  const ofEra = all - era * 146_097
  const yearOfEra = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36_524) | 0) - ((ofEra / 146_096) | 0)) / 365) | 0
  const ofYear = ofEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0))
  const fromMarch = ((5 * ofYear + 2) / 153) | 0
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const day = ofYear - (((153 * fromMarch + 2) / 5) | 0) + 1
  const reckoned = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const year = reckoned > 0 ? reckoned : 1 - reckoned
  const at = year < 10_000 ? putFour(year, out, p) : putDigits(year, out, p)
  out.words.setInt32(at, MINUS | ((TWO[month] as number) << 8) | (MINUS << 24), true)
  return putTwo(day, out, at + 4)
}

/** The fraction without its last zeros. */
function putClock(micros: number, out: Memory, p: number): number {
  const { bytes, words } = out
  const seconds = (micros / 1e6) | 0
  const fraction = (micros - seconds * 1e6) | 0
  const hours = (seconds / 3600) | 0
  const minutes = ((seconds - hours * 3600) / 60) | 0
  const minute = TWO[minutes] as number
  words.setInt32(p, (TWO[hours] as number) | (COLON << 16) | (minute << 24), true)
  words.setInt32(p + 4, (minute >> 8) | (COLON << 8) | ((TWO[seconds - hours * 3600 - minutes * 60] as number) << 16), true)
  if (fraction === 0) return p + 8
  bytes[p + 8] = DOT
  const tenths = (fraction / 10_000) | 0
  putTwo(tenths, out, p + 9)
  let end = putFour(fraction - tenths * 10_000, out, p + 11)
  while (bytes[end - 1] === ZERO) end--
  return end
}
