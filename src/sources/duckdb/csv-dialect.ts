/**
 * How a CSV file is written, said to DuckDB instead of being guessed by it: its guess looks for the lines that fit each other best, and
 * leaves out the others, a header too.
 */

import { FreightError } from '../../job/errors.ts'
import type { TableFiles } from './files.ts'
import { DELIMITERS, type FirstLine, firstLine } from './first-line.ts'
import { quoteText } from './names.ts'

/**
 * The arguments of `read_csv`, without its end. Every cell is text as it stands: '00123' is no number. Of several files those without a line are left out: DuckDB
 * would make up a column for them. Rejects with SOURCE_FAILED where a first line cannot name columns.
 */
export async function csvArguments({ table, paths }: TableFiles, lineBytes: number): Promise<string> {
  const read: string[] = []
  const delimiters = new Set<string>()
  for (const path of paths) {
    const line = await firstLine(path)
    if (line.end === 'empty file') continue
    refuseUnreadable(line, table)
    read.push(quoteText(path))
    const delimiter = delimiterOf(line)
    if (delimiter !== null) delimiters.add(delimiter)
  }
  const [delimiter = ',', another] = delimiters
  if (read.length === 0) throw broken(`The CSV file of "${table}" is empty: its first line must name the columns.`)
  if (another !== undefined)
    throw broken(`The CSV files of "${table}" are parted by different signs; write all of them with the same delimiter.`)
  // With a sample of one, lines that do not fit are found where they are read, and named by their number.
  return `[${read.join(', ')}], header = true, all_varchar = true, allow_quoted_nulls = false, delim = ${quoteText(delimiter)},
    quote = '"', escape = '"', comment = '', skip = 0, strict_mode = true, sample_size = 1,
    max_line_size = ${lineBytes}, buffer_size = ${lineBytes * 2}`
}

function refuseUnreadable({ end }: FirstLine, table: string): void {
  if (end === 'no text') throw broken(`The first line of a CSV file of "${table}" is empty; it must name the columns.`)
  if (end === 'other encoding') throw broken(`A CSV file of "${table}" is not UTF-8; convert it first.`)
}

/** The one that parts the line most often; null where none does. */
function delimiterOf({ delimiters }: FirstLine): string | null {
  const most = Math.max(...delimiters)
  return most === 0 ? null : (DELIMITERS[delimiters.indexOf(most)] ?? null)
}

function broken(message: string): FreightError {
  return new FreightError('SOURCE_FAILED', message)
}
