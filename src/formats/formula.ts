/**
 * Which texts a spreadsheet would run as a formula when it opens a CSV file (OWASP, "CSV Injection": `=`, `+`, `-`, `@`, tab, carriage return;
 * beside them line feed, NUL and the full-width forms, which some spreadsheets read as the ASCII ones).
 */
import type { CellType } from '../job/row-text.ts'
import { byteTable } from './cells.ts'

/** What is put before a text to guard it. */
export const APOSTROPHE = 39
const EQUALS = 61
const FULL_WIDTH_EQUALS = 0x9d

/** Bytes that a dangerous text may begin with; every other first byte is safe. */
const MAY_BEGIN = byteTable((byte) => byte === 0xef || '=+-@\t\r\n\0 "\',;|'.includes(String.fromCharCode(byte)))
/** The same for the inside of a JSON string, where a quote or a control byte begins with a backslash. */
export const MAY_BEGIN_ESCAPED = byteTable((byte) => byte === 92 || MAY_BEGIN[byte] === 1)
const BEGINS = byteTable((byte) => '=+-@\t\r\n\0'.includes(String.fromCharCode(byte)))
/** Third bytes of U+FF1D, U+FF0B, U+FF0D and U+FF20 behind EF BC. */
const FULL_WIDTH = new Set([FULL_WIDTH_EQUALS, 0x8b, 0x8d, 0xa0])
/** A spreadsheet may skip these before an `=`: spaces, quotes, and what it takes for a delimiter. */
const SKIPPED = byteTable((byte) => ' "\',;|\t'.includes(String.fromCharCode(byte)))

const PLAIN_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$|^[+-]?(?:nan|inf|infinity)$/i
const PLAIN_TIME = /^[+-]?\d{4,7}-\d\d-\d\d(?:[ T][\d:.]+(?:Z|[+-][\d:]+)?)?(?: BC)?$|^[+-]?infinity$|^[+-]?\d+(?:\.\d+)?$/

/** Whether the text from `from` to `end`, which is UTF-8, begins as a formula does. */
export function beginsFormula(bytes: Uint8Array, from: number, end: number): boolean {
  let start = from
  // Apostrophes do not count: text that looks guarded is guarded again, so a reader may take one off whatever the text was.
  while (start < end && bytes[start] === APOSTROPHE) start++
  if (start === end || MAY_BEGIN[bytes[start] as number] === 0) return false
  if (BEGINS[bytes[start] as number] === 1 || isFullWidth(bytes, start, end)) return true
  let i = start
  while (i < end && SKIPPED[bytes[i] as number] === 1) i++
  return i > start && i < end && (bytes[i] === EQUALS || (isFullWidth(bytes, i, end) && bytes[i + 2] === FULL_WIDTH_EQUALS))
}

function isFullWidth(bytes: Uint8Array, i: number, end: number): boolean {
  return i + 2 < end && bytes[i] === 0xef && bytes[i + 1] === 0xbc && FULL_WIDTH.has(bytes[i + 2] as number)
}

/** Whether the text is what its column's type says, a number or a time, and so no formula however it begins. */
export function isPlainValue(bytes: Uint8Array, start: number, end: number, type: CellType): boolean {
  if (end - start > LONGEST_PLAIN) return false
  return PLAIN[type]?.test(Buffer.from(bytes.subarray(start, end)).toString('latin1')) ?? false
}

/** A number of PostgreSQL's has at most 131,072 digits before and 16,383 after the point. */
const LONGEST_PLAIN = 200_000
const PLAIN: Partial<Record<CellType, RegExp>> = {
  integer: PLAIN_NUMBER,
  decimal: PLAIN_NUMBER,
  float: PLAIN_NUMBER,
  json: PLAIN_NUMBER,
  date: PLAIN_TIME,
  time: PLAIN_TIME,
  timestamp: PLAIN_TIME,
}
