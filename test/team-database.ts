/** The SQLite database of a site's own (`team.db`), as an application keeps one. */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Site } from './rig.ts'

/** Runs these statements in it, as the application would; makes it where there is none. */
export function writeTeamDatabase(site: Site, statements: string): void {
  const db = new Sqlite(join(site.folder, 'team.db'))
  try {
    db.pragma('journal_mode = wal')
    db.pragma('synchronous = off')
    db.exec(statements)
  } finally {
    db.close()
  }
}
