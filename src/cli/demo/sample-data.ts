/**
 * The sample database that `freight serve --demo` offers: a SQLite file made by a seeded generator, the same rows on every
 * machine.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { knowledgeData } from './knowledge-data.ts'
import { messagesData } from './messages-data.ts'
import { practiceData } from './practice-data.ts'
import { shopData } from './shop-data.ts'
import type { SampleCounts, SampleTable } from './tables.ts'

/** Raised when the tables or rows change: a file of another version is made anew. */
const SAMPLE_VERSION = 2

const FULL_COUNTS: SampleCounts = {
  customers: 20_000,
  skus: 2_000,
  orders: 100_000,
  clients: 5_000,
  articles: 2_000,
  messages: 100_000,
}

const SUBJECTS = [shopData, practiceData, knowledgeData, messagesData]

export const SAMPLE_TABLES: readonly SampleTable[] = SUBJECTS.flatMap((subject) => subject.tables)

/** True when `path` holds the whole sample database of this version. */
export function hasSampleData(path: string): boolean {
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true })
    try {
      return database.pragma('user_version', { simple: true }) === SAMPLE_VERSION
    } finally {
      database.close()
    }
  } catch {
    // Absent, or no database: to be made.
    return false
  }
}

/** Makes the database at `path`, replacing what is there. A reader finds the old file or the whole new one, never a part. */
export function makeSampleData(path: string, counts: SampleCounts = FULL_COUNTS): void {
  mkdirSync(dirname(path), { recursive: true })
  const aside = `${path}.${process.pid}.partial`
  try {
    write(aside, counts)
    const file = openSync(aside, 'r+')
    fsyncSync(file)
    closeSync(file)
    for (const left of [`${path}-wal`, `${path}-shm`]) rmSync(left, { force: true })
    renameSync(aside, path)
  } finally {
    for (const left of [aside, `${aside}-wal`, `${aside}-shm`]) rmSync(left, { force: true })
  }
}

function write(path: string, counts: SampleCounts): void {
  rmSync(path, { force: true })
  const database = new Database(path)
  try {
    // Nobody reads this file before it is renamed, so no journal is needed while it grows.
    database.pragma('journal_mode = OFF')
    database.pragma('synchronous = OFF')
    database.pragma('foreign_keys = OFF')
    database.exec('BEGIN')
    for (const table of SAMPLE_TABLES) {
      database.exec(`CREATE TABLE ${table.name} (${table.columns})${table.withoutRowid ? ' WITHOUT ROWID' : ''}`)
    }
    const statements = new Map<string, Database.Statement>()
    for (const subject of SUBJECTS) {
      subject.fill(counts, (table, cells) => {
        let statement = statements.get(table)
        if (!statement) {
          statement = database.prepare(`INSERT INTO ${table} VALUES (${cells.map(() => '?').join(', ')})`)
          statements.set(table, statement)
        }
        statement.run(cells)
      })
    }
    for (const table of SAMPLE_TABLES) {
      for (const columns of table.indexes ?? []) {
        database.exec(`CREATE INDEX ${table.name}_by_${columns.replaceAll(', ', '_')} ON ${table.name} (${columns})`)
      }
    }
    for (const { name, select } of SUBJECTS.flatMap(({ views }) => views ?? [])) {
      database.exec(`CREATE VIEW ${name} AS ${select}`)
    }
    database.exec('COMMIT')
    database.exec('ANALYZE')
    database.pragma(`user_version = ${SAMPLE_VERSION}`)
    // WAL: a team's writers and an export's long read never wait for each other.
    database.pragma('journal_mode = WAL')
  } finally {
    database.close()
  }
}
