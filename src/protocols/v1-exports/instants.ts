/** RFC 3339 as this wire has it: read with any offset, written in UTC. */

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/

/**
 * The instant in UTC with the fraction that was given, without its last zeros. Null for what is no RFC 3339 date-time: a day that does
 * not exist, a leap second, a time without an offset, more than nine decimals, years outside 0001 to 9999.
 */
export function readInstant(text: string): string | null {
  const [, date, time, fraction = '', offset = ''] = DATE_TIME.exec(text) ?? []
  if (date === undefined || time === undefined || !/^[01]\d:|^2[0-3]:/.test(time)) return null
  const local = new Date(`${date}T${time}Z`)
  // A day that does not exist is moved to the next month, so it does not come back as it went in.
  if (Number.isNaN(local.getTime()) || !local.toISOString().startsWith(date)) return null
  const minutes = offsetMinutes(offset)
  if (minutes === null) return null
  const instant = new Date(local.getTime() - minutes * 60_000)
  const year = instant.getUTCFullYear()
  if (year < 1 || year > 9999) return null
  const decimals = fraction.replace(/0+$/, '')
  return `${instant.toISOString().slice(0, 19)}${decimals === '' ? '' : `.${decimals}`}Z`
}

function offsetMinutes(offset: string): number | null {
  if (offset.toUpperCase() === 'Z') return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(4, 6))
  if (hours > 23 || minutes > 59) return null
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** Of two that `readInstant` gave. */
export function isAfter(one: string, other: string): boolean {
  return comparable(one) > comparable(other)
}

function comparable(instant: string): string {
  const [whole = '', fraction = ''] = instant.replace('Z', '').split('.')
  return `${whole}.${fraction.padEnd(9, '0')}`
}

export function writeInstant(at: Date): string {
  return at.toISOString().replace(/\.\d{3}Z$/, 'Z')
}
