/** Opens the team's database: always read-only, in place where that holds up nobody, else as a private copy. */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import Sqlite, { type Database } from 'better-sqlite3'
import { FreightError } from '../../job/errors.ts'
import { copyDatabase, sweepCopies } from './copy.ts'
import { CANNOT_OPEN, sqliteCode } from './fault.ts'
import { registerFunctions, type StatementWatch } from './functions.ts'
import { quoteText } from './names.ts'
import type { Consistency, HostOptions } from './protocol.ts'

export interface OpenDatabase {
  readonly db: Database
  readonly isUtf8: boolean
}

/** Waiting for a lock inside SQLite cannot be stopped, so it waits briefly and often. */
const LOCK_WAIT_MS = 100
const LOCK_PATIENCE_MS = 5_000

export function openDatabase({ path, tempDir, maskKey }: HostOptions, watch: StatementWatch): OpenDatabase {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new FreightError('SOURCE_UNAVAILABLE', CANNOT_OPEN)
  makeFolder(tempDir)
  const db = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: LOCK_WAIT_MS })
  try {
    registerFunctions(db, watch, maskKey ?? null)
    // Both are needed: temporary tables of gigabytes belong into files, and not into a /tmp that is memory. The folder holds for the
    // whole process; SQLite guards it with a mutex of its own.
    db.pragma(`temp_store_directory = ${quoteText(tempDir)}`)
    db.pragma('temp_store = file')
    db.pragma('cache_size = -16000')
    const encoding = patiently(watch, () => db.pragma('main.encoding', { simple: true }))
    return { db, isUtf8: encoding === 'UTF-8' }
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/**
 * A read transaction that has begun. A WAL database is read in place at no cost to its writers. One with a rollback journal
 * would make them wait until the end of the export, so it is copied first, unless locking is asked for.
 */
export async function openSnapshot(
  options: HostOptions,
  consistency: Consistency,
  copyPath: string,
  watch: StatementWatch,
): Promise<OpenDatabase & { takenAt: number }> {
  const source = openDatabase(options, watch)
  let open = source
  try {
    const takenAt = Date.now()
    const journal = patiently(watch, () => source.db.pragma('main.journal_mode', { simple: true }))
    if (journal !== 'wal' && consistency === 'snapshot') {
      sweepCopies(options.tempDir)
      try {
        await copyDatabase(source.db, copyPath, watch)
        open = openDatabase({ ...options, path: copyPath }, watch)
      } finally {
        // An open file lives on without its name, and ends with the process however that ends.
        rmSync(copyPath, { force: true })
        source.db.close()
      }
    }
    patiently(watch, () => {
      if (!open.db.inTransaction) open.db.exec('begin')
      // The transaction begins with its first read.
      open.db.prepare('select count(*) from main.sqlite_schema').get()
    })
    return { ...open, takenAt }
  } catch (thrown) {
    open.db.close()
    throw thrown
  }
}

function patiently<T>(watch: StatementWatch, read: () => T): T {
  const deadline = Date.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return read()
    } catch (thrown) {
      if (!sqliteCode(thrown).startsWith('SQLITE_BUSY') || Date.now() >= deadline) throw thrown
      watch.tick()
    }
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    const message = 'The folder for temporary files cannot be made; check that Freight may write to its data folder.'
    throw new FreightError('STORAGE_UNAVAILABLE', message, { cause })
  }
}
