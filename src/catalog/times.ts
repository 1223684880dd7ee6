/**
 * Dates and times in filters, in one canonical text each: `2024-02-29`, `13:45:10.5`, `2024-02-29T13:45:10.5Z`. Null for
 * anything else, which includes words (`today`), days that do not exist, leap seconds and years outside 0001 to 9999.
 */

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/
/** RFC 3339 (section 5.6), and the same without seconds, time or offset. */
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|z|[+-]\d{2}:\d{2})?)?$/

export function readDate(text: string): string | null {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number)
  if (!year || !month || !day || month > 12) return null
  // Day 0 of the next month is the last of this one. setUTCFullYear, since Date.UTC takes years below 100 for 19xx.
  const last = new Date(0)
  last.setUTCFullYear(year, month, 0)
  return day <= last.getUTCDate() ? text : null
}

export function readTime(text: string): string | null {
  const match = TIME.exec(text)
  if (!match) return null
  const [, hour = '', minute = '', second = '00', fraction = ''] = match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const decimals = fraction.replace(/0+$/, '')
  return `${hour}:${minute}:${second}${decimals === '' ? '' : `.${decimals}`}`
}

/** In UTC; where no offset is given, UTC is meant. */
export function readTimestamp(text: string): string | null {
  const match = TIMESTAMP.exec(text)
  if (!match) return null
  const date = readDate(match[1] ?? '')
  const time = readTime(match[2] ?? '00:00')
  const offset = offsetMinutes(match[3] ?? 'Z')
  if (date === null || time === null || offset === null) return null
  if (offset === 0) return `${date}T${time}Z`
  const [clock = '', fraction] = time.split('.')
  const instant = new Date(`${date}T${clock}Z`)
  instant.setTime(instant.getTime() - offset * 60_000)
  const year = instant.getUTCFullYear()
  if (year < 1 || year > 9999) return null
  const moved = instant.toISOString().slice(0, 19)
  return `${moved}${fraction === undefined ? '' : `.${fraction}`}Z`
}

function offsetMinutes(offset: string): number | null {
  if (offset.toUpperCase() === 'Z') return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(4, 6))
  if (hours > 23 || minutes > 59) return null
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}
