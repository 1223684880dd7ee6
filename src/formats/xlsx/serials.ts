/**
 * Times as a spreadsheet's serials (ECMA-376 part 1, 18.17.4.1, the 1900 system): days since the last of 1899, the time of day as a fraction.
 *
 * What is a time, and which local time it is, is left to the writer of RFC 3339: a serial is reckoned from its text. Before 1 March 1900 serials
 * mean different days in different programs (one of them counts a 29 February 1900), and behind the year 9999 there are none. Times are shown to the
 * millisecond, so the last half of one in that year is behind it.
 */
import { QUOTE } from '../cells.ts'
import { dayAt, TimeWriter, twoDigits } from '../times.ts'

const DOT = 46
const ZERO = 48
/** The serial of 1 January 1970. */
const DAY_1970 = 25_569
/** The serial of 1 March 1900. */
const FIRST = 61
/** The serial of 31 December 9999, and what rounds to the day after it. */
const LAST = 2_958_465
const LAST_MICROS = 86_399_999_500
const TO_SECONDS = 19
const DATE_LENGTH = 10
const FRACTION_DIGITS = 6

export class Serials {
  readonly #times: TimeWriter
  readonly #text = new Uint8Array(64)
  /** Of what was read last: the whole days, the microseconds of the day, whether the text had a fraction, and where it ended. */
  day = 0
  micros = 0
  hasFraction = false
  end = 0

  constructor(timeZone: string) {
    this.#times = new TimeWriter(timeZone)
  }

  /** Reads the timestamp that begins at `src[i]` and ends before a quote. False where it has no serial. */
  readTime(src: Uint8Array, i: number): boolean {
    const text = this.#text
    if (this.#times.write(src, i, text, 0) < 0) return false
    this.end = this.#times.end
    this.day = dayAt(text, 0) + DAY_1970
    this.micros = (twoDigits(text, 11) * 3600 + twoDigits(text, 14) * 60 + twoDigits(text, 17)) * 1_000_000
    this.hasFraction = text[TO_SECONDS] === DOT
    if (this.hasFraction) this.micros += microsAt(text, TO_SECONDS + 1)
    return this.day >= FIRST && (this.day < LAST || this.micros < LAST_MICROS)
  }

  /** The same for a day. */
  readDate(src: Uint8Array, i: number): boolean {
    const day = dayAt(src, i)
    if (Number.isNaN(day) || src[i + DATE_LENGTH] !== QUOTE) return false
    this.end = i + DATE_LENGTH
    this.day = day + DAY_1970
    this.micros = 0
    this.hasFraction = false
    return this.day >= FIRST
  }

  /**
   * Writes the serial and returns the new place in `out`. Twelve decimals are a tenth of a microsecond: a reader that keeps serials in doubles gets
   * the very microsecond back until the year 2079.
   */
  write(out: Uint8Array, at: number): number {
    let p = putDigits(out, at, this.day, 1)
    if (this.micros === 0) return p
    out[p++] = DOT
    const fraction = Math.round(this.micros / 0.0864)
    // In two halves, each a small integer: dividing larger numbers is many times slower.
    const upper = Math.floor(fraction / 1_000_000)
    p = putDigits(out, p, upper, 6)
    p = putDigits(out, p, fraction - upper * 1_000_000, 6)
    while (out[p - 1] === ZERO) p--
    return p
  }
}

/** The first six digits of a fraction, as microseconds. */
function microsAt(text: Uint8Array, from: number): number {
  let micros = 0
  let i = from
  for (let k = 0; k < FRACTION_DIGITS; k++) {
    const digit = (text[i] as number) ^ 48
    micros = micros * 10 + (digit < 10 ? digit : 0)
    if (digit < 10) i++
  }
  return micros
}

/** At least so many digits of a whole number below 2^31. */
export function putDigits(out: Uint8Array, at: number, value: number, least: number): number {
  let length = 1
  for (let power = 10; power <= value; power *= 10) length++
  if (length < least) length = least
  let rest = value | 0
  for (let k = length - 1; k >= 0; k--) {
    const tenth = (rest / 10) | 0
    out[at + k] = ZERO + rest - tenth * 10
    rest = tenth
  }
  return at + length
}
