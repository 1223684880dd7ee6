/** Instants of filters, as the catalog writes them (`2024-02-29T13:45:10.5Z`), for PostgreSQL, which keeps microseconds. */
export interface InstantLiteral {
  /** Cut to the microsecond: PostgreSQL would round. */
  readonly text: string
  /** Nothing was cut off. */
  readonly isExact: boolean
}

const INSTANT = /^(\d{4,}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/

/** Null for what is no instant. */
export function instantLiteral(text: string): InstantLiteral | null {
  const [, seconds, fraction = ''] = INSTANT.exec(text) ?? []
  if (seconds === undefined) return null
  return { text: `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`, isExact: /^0*$/.test(fraction.slice(6)) }
}
