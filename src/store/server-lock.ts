/**
 * One server per data folder. The lock is SQLite's own on a small file: the operating system drops it with the process, however
 * that ends, so nothing stale is ever left to be cleared away by hand.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { FreightError } from '../job/errors.ts'

export interface ServerLock {
  release(): void
}

/** Throws ALREADY_RUNNING, or CONFIG_INVALID when the folder cannot be used. `freight keys`, `export` and `migrate` do not take it and work beside a server. */
export function acquireServerLock(dataDir: string): ServerLock {
  const pidPath = join(dataDir, 'server.pid')
  const database = lockedDatabase(join(dataDir, 'server.lock'), pidPath)
  writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 })
  return {
    release() {
      if (!database.open) return
      rmSync(pidPath, { force: true })
      database.close()
    },
  }
}

function lockedDatabase(path: string, pidPath: string): Database.Database {
  let database: Database.Database | null = null
  try {
    database = new Database(path, { timeout: 0 })
    // Nothing is written to it, so it needs no journal beside it.
    database.pragma('journal_mode = off')
    database.exec('begin exclusive')
    return database
  } catch (error) {
    database?.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) throw alreadyRunning(pidPath, error)
    throw new FreightError(
      'CONFIG_INVALID',
      'The data folder cannot be locked: check that FREIGHT_DATA exists and that this user may write to it.',
      {
        cause: error,
      },
    )
  }
}

/** The number is for the reader only; the lock does not depend on it. */
function alreadyRunning(pidPath: string, cause: unknown): FreightError {
  const holder = holderOf(pidPath)
  return new FreightError(
    'ALREADY_RUNNING',
    `Another Freight server${holder} already uses this data folder; stop it or set FREIGHT_DATA to another folder.`,
    { cause },
  )
}

function holderOf(pidPath: string): string {
  try {
    return ` (process ${readFileSync(pidPath, 'utf8').trim()})`
  } catch {
    // Between taking the lock and writing the number; the refusal stands without it.
    return ''
  }
}
