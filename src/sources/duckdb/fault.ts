/** What DuckDB says, as an error that a caller may read: never SQL, never a path, never a value. The original is its `cause`. */
import { DuckDbFault } from '../../duckdb/engine.ts'
import { type ErrorCode, FreightError } from '../../job/errors.ts'
import type { TableFiles } from './files.ts'

interface Told {
  readonly code: ErrorCode
  readonly message: string
}

export function isOutOfMemory(thrown: unknown): boolean {
  return thrown instanceof DuckDbFault && /^Out of Memory/i.test(thrown.message)
}

/** Whether more memory, and room for longer lines, may help. A line that its buffer cuts off seems to have a quote that is not closed. */
export function isTooLarge(thrown: unknown): boolean {
  if (isOutOfMemory(thrown)) return true
  return thrown instanceof DuckDbFault && /^(Maximum line size|Value with unterminated quote)/m.test(thrown.message)
}

/** `row` counts from 1. */
export function rowTooLarge(
  resource: string,
  row: number,
  largest: { readonly field: string; readonly bytes: number } | null,
  cause: unknown,
): FreightError {
  const field = largest ? `; its largest field is "${largest.field}", of ${Math.ceil(largest.bytes / 1_000_000)} MB` : ''
  return new FreightError(
    'ROW_TOO_LARGE',
    `Row ${row} of "${resource}" takes more memory to read than an export may have${field}. Leave out the largest fields, or filter the row out.`,
    { cause },
  )
}

/** Names the one of `tables` whose file the fault is about, else the table whose rows were `asked` for. */
export function sourceError(thrown: unknown, tables: readonly TableFiles[] = [], asked: string | null = null): unknown {
  if (!(thrown instanceof DuckDbFault)) return thrown
  // Behind the first empty line stand options and SQL, in which any word may stand.
  const reason = (thrown.message.split('\n\n', 1)[0] ?? '').replace(/(["']).*?\/.*?\1/g, '')
  const owner = ownerOf(thrown.message, tables, asked)
  const told =
    engineFault(reason, owner) ??
    csvFault(thrown.message, reason, owner) ??
    fileFault(reason, owner) ??
    unknownFault(reason, owner)
  return new FreightError(told.code, told.message, { cause: thrown })
}

/** `of "orders"` */
function ownerOf(message: string, tables: readonly TableFiles[], asked: string | null): string {
  const named = tables.find(({ paths }) => paths.some((path) => message.includes(path)))
  const [only, second] = tables
  const table = named?.table ?? (second === undefined ? only?.table : undefined) ?? asked
  return table === null ? 'of the source' : `of "${table}"`
}

function engineFault(reason: string, owner: string): Told | null {
  if (/Could not set lock|Conflicting lock/i.test(reason)) {
    return {
      code: 'SOURCE_UNAVAILABLE',
      message: 'The DuckDB database is open for writing in another program; try again when that is done.',
    }
  }
  if (/No space left/i.test(reason)) {
    return {
      code: 'STORAGE_FULL',
      message: 'No space is left for the temporary files of this export; free some in the data folder and start it again.',
    }
  }
  if (/^Out of Memory/i.test(reason)) {
    return {
      code: 'ROW_TOO_LARGE',
      message: `Reading the rows ${owner} takes more memory than an export may have: they are too large to be sorted, joined or read from a view. Leave out the largest fields, the order or the relations.`,
    }
  }
  if (/^Permission Error|disabled by configuration/i.test(reason)) {
    return {
      code: 'SOURCE_FAILED',
      message: 'A view of the source reads something that lies outside of it, which an export may not do.',
    }
  }
  return null
}

function csvFault(message: string, reason: string, owner: string): Told | null {
  const fail = (text: string): Told => ({ code: 'SOURCE_FAILED', message: text })
  if (/Invalid unicode/.test(reason)) return fail(`A CSV file ${owner} is not UTF-8; convert it first.`)
  if (/^Invalid Input Error: Error when sniffing/.test(reason)) {
    return fail(
      `The first lines of a CSV file ${owner} differ in their number of fields or in their line ends, or have a quote that is not closed. The first line must name the columns; mend it there.`,
    )
  }
  if (/state machine reached an invalid state/.test(reason)) {
    return fail(`A CSV file ${owner} has a line that ends in another way than its first one; write all of them alike.`)
  }
  const line = /^Invalid Input Error: CSV Error on Line: (\d+)/.exec(message)?.[1]
  if (line === undefined) return null
  // While it looks at the first lines DuckDB counts them otherwise.
  const where = line === '1' ? 'among its first lines' : `on line ${line}`
  if (!/^Maximum line size/m.test(message)) return fail(`A CSV file ${owner} is not well-formed ${where}; mend it there.`)
  return { code: 'ROW_TOO_LARGE', message: `A CSV file ${owner} has, ${where}, a line of more than the 80 MB that one may have.` }
}

function fileFault(reason: string, owner: string): Told | null {
  const cast = /failed to cast column "(.*?)" from type (.+?) to (.+?): /.exec(reason)
  if (cast) {
    const [, column, one, other] = cast
    return {
      code: 'SOURCE_FAILED',
      message: `The files ${owner} have the types ${one} and ${other} for the column "${column}", and not all of its values fit into one; leave the column out, or write them alike.`,
    }
  }
  if (/^IO Error: Trying to read a database file with version/.test(reason)) {
    return {
      code: 'SOURCE_FAILED',
      message:
        'The DuckDB database was written by a version of DuckDB that this one cannot read; install a newer @duckdb/node-api.',
    }
  }
  if (
    /^(IO Error|Serialization Error|Invalid Error|Fatal Error)/i.test(reason) ||
    // DuckDB takes a database whose name ends as that of another kind of file does for such a file, in an empty database.
    /not a valid DuckDB|Parquet|No magic bytes|Failed to read file|corrupt|in-memory database/i.test(reason)
  ) {
    return {
      code: 'SOURCE_UNAVAILABLE',
      message: `A file ${owner} cannot be read: it is missing, cut or damaged, or of another kind than its address says.`,
    }
  }
  return null
}

function unknownFault(reason: string, owner: string): Told {
  return {
    code: 'SOURCE_FAILED',
    message: `DuckDB could not read the rows ${owner} (${reason.split(':', 1)[0]}); Freight's log has the details.`,
  }
}
