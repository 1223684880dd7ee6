/** Which bytes of a file a request asks for, and whether it has them already (RFC 9110, sections 13 and 14). */

/** Both ends inclusive, as in the header. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * - null: the whole file. Also for units other than bytes, for what does not parse (section 14.2: an invalid Range is ignored)
 *   and for several ranges, which a server may answer with the whole.
 * - `unsatisfiable`: the range lies beyond the file.
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | null {
  const match = header?.match(/^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i)
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes - 1 }
  }
  // Digits beyond what a number holds exactly only become larger than any file.
  const start = Number(first)
  const end = last === '' ? Number.POSITIVE_INFINITY : Number(last)
  if (end < start) return null
  return start >= sizeBytes ? 'unsatisfiable' : { start, end: Math.min(end, sizeBytes - 1) }
}

/** If-Range (13.1.5): only a strong tag that is equal keeps the range. Dates never do: no Last-Modified is sent. */
export function keepsRange(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag
}

/** If-None-Match (13.1.2), compared weakly: true when the caller has these bytes. */
export function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')
  return ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag))
}
