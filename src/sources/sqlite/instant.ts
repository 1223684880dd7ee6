/**
 * Moments as SQLite databases hold them: text in any of the forms that https://www.sqlite.org/lang_datefunc.html accepts
 * with a date, with or without `T`, fraction and offset. Compared as instants, to the last digit of the fraction.
 */

const FORM = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(?:([Zz]|UTC)|([+-])(\d\d):?(\d\d)?)?$/

const DAY_MS = 86_400_000

/**
 * The same instant in the one form that sorts as text: `2024-05-01 12:00:00.25`, UTC, without trailing zeros in the fraction.
 * Text without an offset counts as UTC. Null for what is not a moment.
 */
export function canonicalInstant(text: string): string | null {
  const match = FORM.exec(text.trim())
  if (!match) return null
  const [
    ,
    year,
    month,
    day,
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    ,
    sign,
    offsetHours = '0',
    offsetMinutes = '0',
  ] = match
  const wall = Date.UTC(2000, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const date = new Date(wall)
  // Date.UTC reads years below 100 as 19xx, and rolls 31 April over into May.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCDate() !== Number(day) || Number(month) > 12 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return null
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1)
  const digits = fraction.replace(/0+$/, '')
  const whole = iso(date.getTime() - offsetMs)
  return whole && (digits === '' ? whole : `${whole}.${digits}`)
}

/** The date `days` after that of a canonical instant. */
export function dayAfter(canonical: string, days: number): string {
  return iso(Date.parse(`${canonical.slice(0, 10)}T00:00:00Z`) + days * DAY_MS)?.slice(0, 10) ?? canonical.slice(0, 10)
}

/** Null outside the years 0000 to 9999, which four digits cannot write. */
function iso(ms: number): string | null {
  const text = new Date(ms).toISOString()
  return text.length === 24 ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : null
}
