/** How far a time zone is from UTC at a given instant, from Intl, which is far too slow to be asked for every cell. */

const DAY = 86_400
const QUARTER_HOUR = 900
/** Days (or quarter hours) that are remembered: some 270 years, a few megabytes. */
const REMEMBERED = 100_000

export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat
  /** By day: minutes, or null for a day on which the clocks change. */
  readonly #days = new Map<number, number | null>()
  readonly #quarterHours = new Map<number, number>()
  #lastDay = Number.NaN
  #lastMinutes = 0

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  }

  /**
   * Minutes east of UTC at so many seconds since 1970. Where the zone's own offset has seconds (local mean time, before about 1920) they
   * are dropped, since RFC 3339 has none; the instant stays exact, because the local time is reckoned with the same minutes.
   */
  minutesAt(seconds: number): number {
    const day = Math.floor(seconds / DAY)
    if (day === this.#lastDay) return this.#lastMinutes
    const known = this.#days.get(day)
    const ofDay = known === undefined ? this.#askDay(day) : known
    if (ofDay === null) return this.#ofQuarterHour(Math.floor(seconds / QUARTER_HOUR))
    this.#lastDay = day
    this.#lastMinutes = ofDay
    return ofDay
  }

  #askDay(day: number): number | null {
    const first = this.#ask(day * DAY)
    const minutes = first === this.#ask((day + 1) * DAY) ? first : null
    if (this.#days.size >= REMEMBERED) this.#days.clear()
    this.#days.set(day, minutes)
    return minutes
  }

  /** Clocks have only ever changed at full quarters of an hour UTC, but for local mean time. */
  #ofQuarterHour(quarter: number): number {
    const known = this.#quarterHours.get(quarter)
    if (known !== undefined) return known
    const minutes = this.#ask(quarter * QUARTER_HOUR)
    if (this.#quarterHours.size >= REMEMBERED) this.#quarterHours.clear()
    this.#quarterHours.set(quarter, minutes)
    return minutes
  }

  #ask(seconds: number): number {
    const name = this.#format.formatToParts(seconds * 1000).find((part) => part.type === 'timeZoneName')?.value ?? ''
    // 'GMT', 'GMT+05:30', 'GMT-00:01:15'
    const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)/.exec(name) ?? []
    const total = Number(hours ?? 0) * 60 + Number(minutes ?? 0)
    return sign === '-' ? -total : total
  }
}
