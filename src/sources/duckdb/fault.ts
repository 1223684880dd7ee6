/** What DuckDB says, as an error that a caller may read: never SQL, never a path, never a value. The original is its `cause`. */
import { DuckDbFault } from '../../duckdb/engine.ts'
import { FreightError } from '../../job/errors.ts'

export function sourceError(thrown: unknown): unknown {
  if (!(thrown instanceof DuckDbFault)) return thrown
  const { message } = thrown
  const fail = (code: ConstructorParameters<typeof FreightError>[0], text: string): FreightError =>
    new FreightError(code, text, { cause: thrown })
  if (/Could not set lock|Conflicting lock/i.test(message)) {
    return fail('SOURCE_UNAVAILABLE', 'The DuckDB database is open for writing in another program; try again when that is done.')
  }
  if (/No space left/i.test(message)) {
    return fail(
      'STORAGE_FULL',
      'No space is left for the temporary files of this export; free some in the data folder and start it again.',
    )
  }
  if (/^Out of Memory/i.test(message)) {
    return fail(
      'ROW_TOO_LARGE',
      'Reading the source takes more memory than it may have; leave out its largest fields, or sort by fewer.',
    )
  }
  if (/^Permission Error|disabled by configuration/i.test(message)) {
    return fail('SOURCE_FAILED', 'A view of the source reads something that lies outside of it, which an export may not do.')
  }
  if (/Invalid unicode/.test(message)) return fail('SOURCE_FAILED', 'A CSV file of the source is not UTF-8; convert it first.')
  if (/^Invalid Input Error: Error when sniffing/.test(message)) {
    return fail(
      'SOURCE_FAILED',
      'The first lines of a CSV file of the source have different numbers of fields, or a quote that is not closed. The first line must name the columns; mend it there.',
    )
  }
  const line = /^Invalid Input Error: CSV Error on Line: (\d+)/.exec(message)?.[1]
  if (line !== undefined)
    return fail('SOURCE_FAILED', `A CSV file of the source is not well-formed on line ${line}; mend it there.`)
  if (
    /^(IO Error|Serialization Error|Invalid Error|Fatal Error)/i.test(message) ||
    /not a valid DuckDB|Parquet|corrupt/i.test(message)
  ) {
    return fail(
      'SOURCE_UNAVAILABLE',
      'A file of the source cannot be read: it is missing, damaged, or of another kind than its address says.',
    )
  }
  return fail('SOURCE_FAILED', `DuckDB could not read the rows (${message.split(':', 1)[0]}); Freight's log has the details.`)
}
