/**
 * Counts the rows of a finished file, independently of the code that wrote it: by quotes and line ends (RFC 4180), by lines, or by
 * the members of a JSON array.
 */
import type { FormatName } from '../job/spec.ts'
import { parquetCounter } from './count-parquet.ts'
import type { RowCounter } from './row-counter.ts'

const QUOTE = 0x22
const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

export type TextFormat = Exclude<FormatName, 'xlsx'>

export function createRowCounter(format: TextFormat, hasHeader: boolean): RowCounter {
  if (format === 'json') return jsonCounter()
  if (format === 'parquet') return parquetCounter()
  return format === 'csv' ? csvCounter(hasHeader) : lineCounter()
}

/** A record ends at a line end outside quotes. A quote inside a cell is doubled, so counting quotes is enough. */
function csvCounter(hasHeader: boolean): RowCounter {
  let records = 0
  let isQuoted = false
  let isOpen = false
  let position = 0
  return {
    add(chunk) {
      for (const byte of chunk) {
        const isMark = position < 3 && byte === BYTE_ORDER_MARK[position]
        position += 1
        if (isMark) continue
        if (byte === QUOTE) isQuoted = !isQuoted
        if (byte === NEWLINE && !isQuoted) {
          records += 1
          isOpen = false
        } else {
          isOpen = true
        }
      }
    },
    end() {
      const all = records + (isOpen ? 1 : 0)
      return hasHeader ? Math.max(0, all - 1) : all
    },
  }
}

function lineCounter(): RowCounter {
  let lines = 0
  let last = NEWLINE
  return {
    add(chunk) {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1
      last = chunk.at(-1) ?? last
    },
    end: () => lines + (last === NEWLINE ? 0 : 1),
  }
}

/** Each row is an object of the outermost array: one `{` at depth 1. */
function jsonCounter(): RowCounter {
  const OPEN = [0x7b, 0x5b]
  const CLOSE = [0x7d, 0x5d]
  let rows = 0
  let depth = 0
  let isText = false
  let isEscaped = false
  return {
    add(chunk) {
      for (const byte of chunk) {
        if (isText) {
          if (isEscaped) isEscaped = false
          else if (byte === BACKSLASH) isEscaped = true
          else if (byte === QUOTE) isText = false
        } else if (byte === QUOTE) {
          isText = true
        } else if (OPEN.includes(byte)) {
          if (depth === 1) rows += 1
          depth += 1
        } else if (CLOSE.includes(byte)) {
          depth -= 1
        }
      }
    },
    end: () => rows,
  }
}
