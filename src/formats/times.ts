/**
 * Times of the database's own text as RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339, section 5.6), byte by byte.
 *
 * Read are `YYYY-MM-DD HH:MM:SS[.f][Z|+HH[:MM[:SS]]]`, also with `T`; a time without a zone is taken as UTC. All else (infinity, BC, years
 * above 9999, a number of seconds, a day that no calendar has) is not, and stays what it is.
 */
import { QUOTE, SPACE } from './cells.ts'
import { ZoneOffsets } from './zone-offsets.ts'

const UPPER_T = 84
const UPPER_Z = 90
const MINUS = 45
const PLUS = 43
const COLON = 58
const DOT = 46
const DAYS_IN_MONTH = Uint8Array.from([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
/** Length of `YYYY-MM-DDTHH:MM:SS`. */
const TO_SECONDS = 19
const FRACTION_DIGITS = 9
const YEAR_ZERO = daysFromCivil(0, 1, 1) * 86_400
const YEAR_TEN_THOUSAND = daysFromCivil(10_000, 1, 1) * 86_400

export class TimeWriter {
  readonly #zone: ZoneOffsets | null
  /** Where the text that was read last ends. */
  end = 0

  constructor(timeZone: string) {
    this.#zone = timeZone === 'UTC' ? null : new ZoneOffsets(timeZone)
  }

  /**
   * Writes the time whose text begins at `src[i]` and ends before a quote; returns the new place in `out`, and `end` is the quote's place.
   * Returns -1, and `out` counts as untouched, where it is no time that RFC 3339 can say.
   */
  write(src: Uint8Array, i: number, out: Uint8Array, p: number): number {
    const year = fourDigits(src, i)
    const month = twoDigits(src, i + 5)
    const day = twoDigits(src, i + 8)
    const hour = twoDigits(src, i + 11)
    const minute = twoDigits(src, i + 14)
    const second = twoDigits(src, i + 17)
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > (DAYS_IN_MONTH[month] as number)) return -1
    if (month === 2 && day === 29 && !isLeap(year)) return -1
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1
    if (src[i + 4] !== MINUS || src[i + 7] !== MINUS || src[i + 13] !== COLON || src[i + 16] !== COLON) return -1
    if (src[i + 10] !== SPACE && src[i + 10] !== UPPER_T) return -1
    const fraction = i + TO_SECONDS
    const zone = fractionEnd(src, fraction)
    const offset = zone < 0 ? Number.NaN : this.#readOffset(src, zone)
    if (Number.isNaN(offset)) return -1
    if (offset !== 0 || this.#zone !== null) {
      const seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
      return this.#writeInstant(seconds, src, fraction, zone, out, p)
    }
    for (let k = 0; k < TO_SECONDS; k++) out[p + k] = src[i + k] as number
    out[p + 10] = UPPER_T
    let q = p + TO_SECONDS
    for (let k = fraction; k < zone; k++) out[q++] = src[k] as number
    out[q++] = UPPER_Z
    return q
  }

  /** Seconds east of UTC, and `end` set; NaN where no zone as it must be stands at `zone`. */
  #readOffset(src: Uint8Array, zone: number): number {
    const c = src[zone]
    if (c === QUOTE) {
      this.end = zone
      return 0
    }
    let i = zone + 1
    let seconds = 0
    if (c === PLUS || c === MINUS) {
      for (let unit = 3600; unit >= 1; unit /= 60) {
        if (unit < 3600 && src[i++] !== COLON) return Number.NaN
        const value = twoDigits(src, i)
        if (value < 0 || value > (unit === 3600 ? 23 : 59)) return Number.NaN
        seconds += value * unit
        i += 2
        if (src[i] === QUOTE) break
      }
    } else if (c !== UPPER_Z) return Number.NaN
    if (src[i] !== QUOTE) return Number.NaN
    this.end = i
    return c === MINUS ? -seconds : seconds
  }

  #writeInstant(seconds: number, src: Uint8Array, fraction: number, zone: number, out: Uint8Array, p: number): number {
    const offset = this.#zone === null ? 0 : this.#zone.minutesAt(seconds)
    const local = seconds + offset * 60
    if (local < YEAR_ZERO || local >= YEAR_TEN_THOUSAND) return -1
    let q = putLocal(local, out, p)
    for (let k = fraction; k < zone; k++) out[q++] = src[k] as number
    if (this.#zone === null) {
      out[q++] = UPPER_Z
      return q
    }
    out[q++] = offset < 0 ? MINUS : PLUS
    q = putTwo(Math.floor(Math.abs(offset) / 60), out, q)
    out[q++] = COLON
    return putTwo(Math.abs(offset) % 60, out, q)
  }
}

/** Behind the fraction that may begin at `from`; -1 for one that is empty or too long. */
function fractionEnd(src: Uint8Array, from: number): number {
  if (src[from] !== DOT) return from
  let i = from + 1
  while (((src[i] as number) ^ 48) < 10) i++
  const digits = i - from - 1
  return digits < 1 || digits > FRACTION_DIGITS ? -1 : i
}

export function twoDigits(src: Uint8Array, i: number): number {
  const tens = (src[i] as number) ^ 48
  const ones = (src[i + 1] as number) ^ 48
  return tens > 9 || ones > 9 ? -1 : tens * 10 + ones
}

function fourDigits(src: Uint8Array, i: number): number {
  const high = twoDigits(src, i)
  const low = twoDigits(src, i + 2)
  return high < 0 || low < 0 ? -1 : high * 100 + low
}

/** Days since 1970 of the `YYYY-MM-DD` at `src[i]`; NaN where no day that the calendar has stands there. */
export function dayAt(src: Uint8Array, i: number): number {
  const year = fourDigits(src, i)
  const month = twoDigits(src, i + 5)
  const day = twoDigits(src, i + 8)
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > (DAYS_IN_MONTH[month] as number)) return Number.NaN
  if (src[i + 4] !== MINUS || src[i + 7] !== MINUS || (month === 2 && day === 29 && !isLeap(year))) return Number.NaN
  return daysFromCivil(year, month, day)
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** `YYYY-MM-DDTHH:MM:SS` of so many seconds since 1970, the way back of `daysFromCivil`. */
function putLocal(seconds: number, out: Uint8Array, p: number): number {
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  let q = putTwo(Math.floor(year / 100), out, p)
  q = putTwo(year % 100, out, q)
  out[q++] = MINUS
  q = putTwo(month, out, q)
  out[q++] = MINUS
  q = putTwo(day, out, q)
  out[q++] = UPPER_T
  q = putTwo(Math.floor(rest / 3600), out, q)
  out[q++] = COLON
  q = putTwo(Math.floor(rest / 60) % 60, out, q)
  out[q++] = COLON
  return putTwo(rest % 60, out, q)
}

function putTwo(value: number, out: Uint8Array, p: number): number {
  out[p] = 48 + Math.floor(value / 10)
  out[p + 1] = 48 + (value % 10)
  return p + 2
}
