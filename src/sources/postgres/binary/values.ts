/**
 * Single values of COPY BINARY as PostgreSQL's own output functions write them (`DateStyle` ISO, `TimeZone` UTC). The binary form is what
 * the types' send functions give: numbers in network byte order, times counted in microseconds from the year 2000 on.
 */

/** Writes the value that stands in `src` from `i` to `end` at `p` of `out`, and returns where it ends. Stores past the end of `out` are lost without harm. */
export type ValueWriter = (src: Uint8Array, i: number, end: number, out: Uint8Array, p: number) => number

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

function digitPairs(count: number, radix: number): Uint8Array {
  const pairs = Array.from({ length: count }, (_, value) => value.toString(radix).padStart(2, '0'))
  return new Uint8Array(Buffer.from(pairs.join('')))
}

export function int16(src: Uint8Array, i: number): number {
  return (((src[i] as number) << 24) | ((src[i + 1] as number) << 16)) >> 16
}

export function int32(src: Uint8Array, i: number): number {
  return ((src[i] as number) << 24) | ((src[i + 1] as number) << 16) | ((src[i + 2] as number) << 8) | (src[i + 3] as number)
}

/** The lower half of a 64-bit integer may be anything; this is whether a double holds the whole. */
function isExact(high: number): boolean {
  return high >= -0x200000 && high < 0x200000
}

/** Where so many fields, each behind its length, end. */
export function behindFields(src: Uint8Array, from: number, count: number): number {
  let i = from
  for (let k = 0; k < count; k++) i += 4 + Math.max(0, int32(src, i))
  return i
}

function double64(src: Uint8Array, i: number): number {
  return int32(src, i) * 0x100000000 + (int32(src, i + 4) >>> 0)
}

function bigint64(src: Uint8Array, i: number): bigint {
  return (BigInt(int32(src, i)) << 32n) | BigInt(int32(src, i + 4) >>> 0)
}

export function putBytes(bytes: Uint8Array, out: Uint8Array, p: number): number {
  for (let k = 0; k < bytes.length; k++) out[p + k] = bytes[k] as number
  return p + bytes.length
}

/** Of a whole number from 0 to 2^53. */
function putDigits(value: number, out: Uint8Array, p: number): number {
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9)
    const end = putDigits(high, out, p) + 9
    putPadded(value - high * 1e9, out, end)
    return end
  }
  let length = 1
  for (let limit = 10; value >= limit; limit *= 10) length++
  const end = p + length
  let left = value | 0
  for (let k = end - 1; k >= p; k--) {
    const tenth = (left / 10) | 0
    out[k] = ZERO + left - tenth * 10
    left = tenth
  }
  return end
}

/** Nine digits that end at `end`. */
function putPadded(value: number, out: Uint8Array, end: number): void {
  let left = value | 0
  for (let k = end - 1; k >= end - 9; k--) {
    const tenth = (left / 10) | 0
    out[k] = ZERO + left - tenth * 10
    left = tenth
  }
}

function putSigned(value: number, out: Uint8Array, p: number): number {
  if (value >= 0) return putDigits(value, out, p)
  out[p] = MINUS
  return putDigits(-value, out, p + 1)
}

function putTwo(value: number, out: Uint8Array, p: number): number {
  out[p] = TWO[2 * value] as number
  out[p + 1] = TWO[2 * value + 1] as number
  return p + 2
}

function putFour(value: number, out: Uint8Array, p: number): number {
  const hundreds = (value / 100) | 0
  putTwo(hundreds, out, p)
  return putTwo(value - hundreds * 100, out, p + 2)
}

export const writeInt2: ValueWriter = (src, i, _end, out, p) => putSigned(int16(src, i), out, p)
export const writeInt4: ValueWriter = (src, i, _end, out, p) => putSigned(int32(src, i), out, p)
export const writeOid: ValueWriter = (src, i, _end, out, p) => putDigits(int32(src, i) >>> 0, out, p)

export const writeInt8: ValueWriter = (src, i, _end, out, p) => {
  if (isExact(int32(src, i))) return putSigned(double64(src, i), out, p)
  return putBytes(Buffer.from(bigint64(src, i).toString()), out, p)
}

export const writeBool: ValueWriter = (src, i, _end, out, p) => {
  out[p] = src[i] === 0 ? 102 : 116
  return p + 1
}

export const writeUuid: ValueWriter = (src, i, _end, out, p) => {
  let at = p
  for (let k = 0; k < 16; k++) {
    if (k === 4 || k === 6 || k === 8 || k === 10) out[at++] = MINUS
    const pair = (src[i + k] as number) * 2
    out[at++] = HEX[pair] as number
    out[at++] = HEX[pair + 1] as number
  }
  return at
}

export const writeBytea: ValueWriter = (src, i, end, out, p) => {
  out[p] = 92
  out[p + 1] = 120
  return writeHex(src, i, end, out, p + 2)
}

export const writeHex: ValueWriter = (src, i, end, out, p) => {
  let at = p
  for (let k = i; k < end; k++) {
    const pair = (src[k] as number) * 2
    out[at++] = HEX[pair] as number
    out[at++] = HEX[pair + 1] as number
  }
  return at
}

/** By the top bits of `numeric`'s sign. */
const SPECIAL_NUMERICS: Readonly<Record<number, Uint8Array>> = {
  49152: Buffer.from('NaN'),
  53248: Buffer.from('Infinity'),
  61440: Buffer.from('-Infinity'),
}

/** Digits to the base 10,000; `weight` is the place of the first, and `scale` the number of decimal digits behind the point. */
export const writeNumeric: ValueWriter = (src, i, _end, out, p) => {
  const count = int16(src, i)
  const weight = int16(src, i + 2)
  const sign = int16(src, i + 4) & 0xffff
  const scale = int16(src, i + 6)
  const special = SPECIAL_NUMERICS[sign]
  if (special) return putBytes(special, out, p)
  const digits = i + 8
  let at = p
  if (sign !== 0) out[at++] = MINUS
  at = putDigits(digitAt(src, digits, count, weight < 0 ? -1 : 0), out, at)
  for (let place = 1; place <= weight; place++) at = putFour(digitAt(src, digits, count, place), out, at)
  if (scale === 0) return at
  out[at++] = DOT
  const end = at + scale
  for (let place = weight + 1; at < end; place++) at = putFour(digitAt(src, digits, count, place), out, at)
  return end
}

/** The ones that are not sent are zeros. */
function digitAt(src: Uint8Array, digits: number, count: number, place: number): number {
  return place >= 0 && place < count ? int16(src, digits + 2 * place) : 0
}

export const writeDate: ValueWriter = (src, i, _end, out, p) => {
  const days = int32(src, i)
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

function putInstant(src: Uint8Array, i: number, out: Uint8Array, p: number, form: InstantForm): number {
  let days: number
  let rest: number
  if (isExact(int32(src, i))) {
    const micros = double64(src, i)
    days = Math.floor(micros / DAY)
    rest = micros - days * DAY
    // The quotient was rounded up to a whole number.
    if (rest < 0) {
      days--
      rest += DAY
    }
  } else {
    const micros = bigint64(src, i)
    const isInfinite = micros === 2n ** 63n - 1n || micros === -(2n ** 63n)
    if (isInfinite) return form.isNarrow ? -1 : putBytes(micros > 0n ? INFINITY : NEGATIVE_INFINITY, out, p)
    const clock = ((micros % BigInt(DAY)) + BigInt(DAY)) % BigInt(DAY)
    days = Number((micros - clock) / BigInt(DAY))
    rest = Number(clock)
  }
  if (form.isNarrow && (isBeforeChrist(days) || days >= YEAR_10_000)) return -1
  let at = putDay(days, out, p)
  out[at] = form.between
  at = putBytes(form.zone, out, putClock(rest, out, at + 1))
  return isBeforeChrist(days) ? putBytes(BC, out, at) : at
}

/** The first day of the year 1 is 1 January, 306 days after 1 March of the year 0. */
function isBeforeChrist(days: number): boolean {
  return days + DAYS_BEFORE < 306
}

/** The Gregorian date: eras of 400 years whose years begin in March (http://howardhinnant.github.io/date_algorithms.html, `civil_from_days`). */
function putDay(days: number, out: Uint8Array, p: number): number {
  const all = days + DAYS_BEFORE
  const era = Math.floor(all / 146_097)
  const ofEra = all - era * 146_097
  const yearOfEra = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36_524) | 0) - ((ofEra / 146_096) | 0)) / 365) | 0
  const ofYear = ofEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0))
  const fromMarch = ((5 * ofYear + 2) / 153) | 0
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const day = ofYear - (((153 * fromMarch + 2) / 5) | 0) + 1
  const reckoned = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const year = reckoned > 0 ? reckoned : 1 - reckoned
  let at = year < 10_000 ? putFour(year, out, p) : putDigits(year, out, p)
  out[at] = MINUS
  at = putTwo(month, out, at + 1)
  out[at] = MINUS
  return putTwo(day, out, at + 1)
}

/** The fraction without its last zeros. */
function putClock(micros: number, out: Uint8Array, p: number): number {
  const seconds = Math.floor(micros / 1e6)
  const fraction = micros - seconds * 1e6
  const hours = (seconds / 3600) | 0
  const minutes = ((seconds - hours * 3600) / 60) | 0
  putTwo(hours, out, p)
  out[p + 2] = COLON
  putTwo(minutes, out, p + 3)
  out[p + 5] = COLON
  putTwo(seconds - hours * 3600 - minutes * 60, out, p + 6)
  if (fraction === 0) return p + 8
  out[p + 8] = DOT
  const tenths = (fraction / 10_000) | 0
  putTwo(tenths, out, p + 9)
  let end = putFour(fraction - tenths * 10_000, out, p + 11)
  while (out[end - 1] === ZERO) end--
  return end
}
