/** A SQLite source over a database that tests fill and empty, as an application does while it is read. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import type { Source } from '../src/sources/source.ts'
import { createSqliteSource } from '../src/sources/sqlite/sqlite.ts'

export interface SqliteTeam {
  readonly db: Database
  readonly source: Source
  /** Drops every table and view. */
  empty(): void
  close(): Promise<void>
}

export async function openSqliteTeam(encoding: 'UTF-8' | 'UTF-16le' = 'UTF-8'): Promise<SqliteTeam> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-sqlite-'))
  const path = join(folder, 'team.db')
  const db = new Sqlite(path)
  // Only good before anything is in it.
  db.pragma(`encoding = '${encoding}'`)
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = off')
  const source = createSqliteSource({ path, consistency: 'snapshot', tempDir: join(folder, 'tmp') })
  return {
    db,
    source,
    empty() {
      db.pragma('foreign_keys = off')
      const named = db.prepare("select type, name from sqlite_schema where type in ('table', 'view')")
      for (const { type, name } of named.all() as { type: string; name: string }[]) db.exec(`drop ${type} ${name}`)
    },
    async close() {
      await source.close()
      db.close()
      await rm(folder, { recursive: true })
    },
  }
}
