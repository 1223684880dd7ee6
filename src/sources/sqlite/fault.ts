/** What SQLite says, as an error that a caller may read: never SQL, never a path. The original is its `cause`. */
import { FreightError } from '../../job/errors.ts'

export const CANNOT_OPEN =
  'The SQLite database file cannot be opened; check that it exists and that Freight may read it (and, for a WAL database, the files beside it).'

export function sourceError(thrown: unknown): FreightError {
  if (thrown instanceof FreightError) return thrown
  const code = sqliteCode(thrown)
  const fail = (to: ConstructorParameters<typeof FreightError>[0], message: string): FreightError =>
    new FreightError(to, message, { cause: thrown })
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return fail('SOURCE_UNAVAILABLE', 'The SQLite database is locked by another program; try again when it is done.')
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return fail(
      'SOURCE_UNAVAILABLE',
      'The SQLite database file is damaged; check it with "PRAGMA integrity_check" or restore a backup.',
    )
  }
  if (code === 'SQLITE_NOTADB') {
    return fail('SOURCE_UNAVAILABLE', 'The source file is not a SQLite database, or it is encrypted; check the source address.')
  }
  if (code === 'SQLITE_READONLY_ROLLBACK' || code === 'SQLITE_READONLY_RECOVERY') {
    return fail(
      'SOURCE_UNAVAILABLE',
      'A program that wrote to the SQLite database died in the middle; open it once with a program that may write, so that it is repaired.',
    )
  }
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_PERM')) {
    return fail('SOURCE_UNAVAILABLE', CANNOT_OPEN)
  }
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE') {
    return fail(
      'STORAGE_FULL',
      'No space is left for the temporary files of this export; free some in the data folder and start it again.',
    )
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return fail(
      'SOURCE_UNAVAILABLE',
      'The SQLite database file could not be read; the disk or network it lies on reports a fault.',
    )
  }
  if (code === 'SQLITE_TOOBIG') {
    return fail(
      'ROW_TOO_LARGE',
      'A value or row is larger than the 1 GB that SQLite can hold in one piece; leave out its largest columns.',
    )
  }
  if (code.startsWith('SQLITE_')) return fail('SOURCE_FAILED', `SQLite could not read the rows: ${reason(thrown)}.`)
  return fail('INTERNAL', 'Freight met an unexpected fault while reading the source; its log has the details.')
}

export function sqliteCode(thrown: unknown): string {
  const { code } = thrown instanceof Error ? (thrown as { code?: unknown }) : {}
  return typeof code === 'string' ? code : ''
}

/** SQLite's messages are short and name tables and columns; what it quotes of a statement is cut off. */
function reason(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : ''
  return message.startsWith('near ') || message.length > 200 ? 'the database refused the statement' : message.replace(/\s+/g, ' ')
}
