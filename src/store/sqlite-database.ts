/** The SQLite file: made privately, checked before anything is written to it, and set up so that a commit lasts. */
import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { FreightError } from '../job/errors.ts'
import { MIGRATION_TABLE } from './migrate.ts'

/** While opening nobody is served yet; migrations of another process may take this long. */
const OPENING_TIMEOUT_MS = 5_000
/**
 * SQLite waits inside the call and so holds up the thread that serves HTTP: only as long as a short write of another process
 * lasts. Longer waits are made outside of it, in `patience.ts`.
 */
const BUSY_TIMEOUT_MS = 50
/** What stays of the write-ahead log after a checkpoint that followed a long read. */
const WAL_KEPT_BYTES = 64 * 1024 * 1024
/** Throws CONFIG_INVALID, and leaves the file as it is, when it cannot be opened, is damaged or belongs to another program. */
export function openDatabase(path: string): Database.Database {
  let database: Database.Database | null = null
  try {
    createPrivately(path)
    database = new Database(path, { timeout: OPENING_TIMEOUT_MS })
    refuseForeign(database)
    switchToWal(database)
    // In WAL mode NORMAL may lose the last commits with the power; what was acknowledged must stay.
    database.pragma('synchronous = full')
    database.pragma('foreign_keys = on')
    database.pragma(`journal_size_limit = ${WAL_KEPT_BYTES}`)
    // Finds out now, not at the first request, that the file cannot be written.
    database.exec('begin immediate; rollback')
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return database
  } catch (error) {
    database?.close()
    throw unusable(error)
  }
}

/**
 * Two processes that switch a new file at once would wait for each other, so SQLite answers one of them BUSY without waiting; it
 * finds the file switched a moment later.
 */
function switchToWal(database: Database.Database): void {
  const deadline = Date.now() + OPENING_TIMEOUT_MS
  for (;;) {
    try {
      database.pragma('journal_mode = wal')
      return
    } catch (error) {
      const isBusy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
      if (!isBusy || Date.now() >= deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/** SQLite gives its -wal and -shm files the mode of the database. */
function createPrivately(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  // SQLite syncs the folder for the files it makes itself; this one was made here.
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Before anything is written: another program's database would be changed by our first pragma. */
function refuseForeign(database: Database.Database): void {
  const tables = database.prepare("select name from sqlite_master where type = 'table'").pluck().all()
  if (tables.length === 0 || tables.includes(MIGRATION_TABLE)) return
  throw new FreightError(
    'CONFIG_INVALID',
    "The file for Freight's records is a database of another program. Set FREIGHT_DATA to another folder; nothing was changed.",
  )
}

function unusable(error: unknown): unknown {
  if (error instanceof FreightError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : error.name
  return new FreightError(
    'CONFIG_INVALID',
    `The file of Freight's records (freight.db in FREIGHT_DATA) cannot be used: ${code}. ${advice(code)}`,
    { cause: error },
  )
}

function advice(code: string): string {
  if (/NOTADB|CORRUPT/.test(code))
    return 'It is damaged or no SQLite database: put a backup in its place, or set FREIGHT_DATA to another folder.'
  if (/BUSY|LOCKED/.test(code)) return 'Another program holds it: end that program and start again.'
  if (/FULL|ENOSPC/.test(code)) return 'The disk is full: free some space and start again.'
  return 'Check that the folder exists and that this user may write to it.'
}
