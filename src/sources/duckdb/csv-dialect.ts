/**
 * How a CSV file is written, said to DuckDB instead of being guessed by it: its guess looks for the lines that fit each other best, and
 * leaves out the others, a header too.
 */
import type { Engine } from '../../duckdb/engine.ts'
import { quoteText } from './names.ts'

/** As much text as a line of a CSV file may have. */
const LINE_BYTES = 16_000_000
const DELIMITERS = [',', ';', '\t', '|']
const LINES = `max_line_size = ${LINE_BYTES}, buffer_size = ${LINE_BYTES * 2}`
/** Stands in no text. */
const NOTHING = `'\u0001'`

/** The arguments of `read_csv` for files like the first. Every cell is text as it stands: '00123' is no number. */
export async function csvArguments(engine: Engine, paths: readonly string[]): Promise<string> {
  const delimiter = await delimiterOf(engine, paths[0] ?? '')
  // With a sample of one, lines that do not fit are found where they are read, and named by their number.
  return `header = true, all_varchar = true, allow_quoted_nulls = false, delim = ${quoteText(delimiter)}, quote = '"', escape = '"',
    comment = '', skip = 0, strict_mode = true, sample_size = 1, ${LINES}`
}

/** The one that parts the first line most often. */
async function delimiterOf(engine: Engine, path: string): Promise<string> {
  const columns = `auto_detect = false, header = false, columns = {'line': 'VARCHAR'}, delim = ${NOTHING}, quote = '', escape = ''`
  const [[line] = []] = await engine.rows(`select line from read_csv(${quoteText(path)}, ${columns}, ${LINES}) limit 1`)
  const bare = (line ?? '').replace(/"[^"]*("|$)/g, '')
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ','
}
