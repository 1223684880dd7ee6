/**
 * The first line of a CSV file, looked at here: DuckDB would read all of the file by some rule of quotes and line ends to find its delimiter, and
 * refuse what breaks that rule only further down.
 */
import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

/** As much text as a line of a CSV file may have, at first and where there are larger ones. */
export const LINE_BYTES = 16_000_000
export const LARGE_LINE_BYTES = 80_000_000
export const DELIMITERS = [',', ';', '\t', '|']

export interface FirstLine {
  /** How often each of the delimiters stands in it, outside of quotes. */
  readonly delimiters: readonly number[]
  readonly end: 'line end' | 'empty file' | 'no text' | 'other encoding' | 'unreadable'
}

const CODES = DELIMITERS.map((delimiter) => delimiter.charCodeAt(0))
const QUOTE = 34
const LF = 10
const CR = 13
const UTF8_MARK = [0xef, 0xbb, 0xbf]

export async function firstLine(path: string): Promise<FirstLine> {
  const delimiters = CODES.map(() => 0)
  let isQuoted = false
  let isBlank = true
  let hasEnded = false
  let seen = 0
  try {
    for await (const piece of unpacked(path) as AsyncIterable<Uint8Array>) {
      if (seen === 0 && isUtf16(piece)) return { delimiters, end: 'other encoding' }
      for (const byte of piece) {
        const at = seen++
        if (at < UTF8_MARK.length && byte === UTF8_MARK[at]) continue
        const isLineEnd = !isQuoted && (byte === LF || byte === CR)
        if (isLineEnd && !isBlank) return { delimiters, end: 'line end' }
        // Line ends alone are an empty file; text behind them would be taken for rows, its names with them.
        if (hasEnded && !isLineEnd) return { delimiters, end: 'no text' }
        if (isLineEnd) hasEnded = true
        else isBlank = false
        if (byte === QUOTE) isQuoted = !isQuoted
        const delimiter = isQuoted ? -1 : CODES.indexOf(byte)
        if (delimiter >= 0) delimiters[delimiter] = (delimiters[delimiter] ?? 0) + 1
      }
      if (seen > LINE_BYTES) break
    }
  } catch {
    // DuckDB will say what is wrong with the file.
    return { delimiters, end: 'unreadable' }
  }
  return { delimiters, end: isBlank ? 'empty file' : 'line end' }
}

/** By its byte order mark. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

/** As DuckDB reads it: packed files are told by their names. */
function unpacked(path: string): Readable {
  const file = createReadStream(path)
  const unpack = path.endsWith('.gz') ? createGunzip() : path.endsWith('.zst') ? createZstdDecompress() : null
  return unpack ? pipeline(file, unpack, () => {}) : file
}
