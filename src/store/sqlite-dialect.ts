/** SQLite as Kysely is to speak to it: immediate transactions, migrations under their lock, kept statements. */
import Database from 'better-sqlite3'
import { CompiledQuery, type DatabaseConnection, type SqlBool, SqliteAdapter, SqliteDialect, SqliteDriver, sql } from 'kysely'
import { jsonContains, parseJson } from '../job/json-containment.ts'
import type { Engine } from './engine.ts'

/** More texts than the store has statements; ids in lists of varying length make more. */
const STATEMENTS_KEPT = 200

export const sqliteEngine: Engine = {
  // Only `integer primary key` is the row's own number, and only with autoincrement is it never given twice.
  sequence: { type: 'integer', column: (column) => column.primaryKey().autoIncrement() },
  jsonContains: (column, json) => sql<SqlBool>`freight_json_contains(${sql.ref(column)}, ${json}) = 1`,
  fault(error) {
    if (!(error instanceof Database.SqliteError)) return null
    if (error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED')) return 'busy'
    return error.code === 'SQLITE_FULL' ? 'full' : null
  },
}

export class StoreDialect extends SqliteDialect {
  #database: Database.Database

  constructor(database: Database.Database) {
    super({ database })
    this.#database = database
    registerContainment(database)
  }

  override createDriver(): SqliteDriver {
    return new StoreDriver(this.#database)
  }

  override createAdapter(): SqliteAdapter {
    return new StoreAdapter()
  }
}

/**
 * Kysely leaves migrations of SQLite outside a transaction and without a lock. SQLite can roll back DDL, and its immediate
 * transaction is the lock: of several processes one migrates, the others find it done.
 */
class StoreAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class StoreDriver extends SqliteDriver {
  #database: Database.Database

  constructor(database: Database.Database) {
    super({ database: withKeptStatements(database) })
    this.#database = database
  }

  // A deferred transaction that has read cannot wait for a writer any more: it fails at once (SQLITE_BUSY_SNAPSHOT).
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  // After SQLITE_FULL and some others SQLite has rolled back by itself, and a second rollback would hide the first error.
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
  }
}

/** Kysely prepares every statement anew, which costs more than running most of them: 0.10 ms a look-up against 0.03 ms (measured). */
function withKeptStatements(database: Database.Database) {
  const kept = new Map<string, Database.Statement<unknown[]>>()
  return {
    close: () => {
      database.close()
    },
    prepare(sql: string): Database.Statement<unknown[]> {
      const known = kept.get(sql)
      if (known) return known
      const statement = database.prepare<unknown[]>(sql)
      const oldest = kept.size >= STATEMENTS_KEPT ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(sql, statement)
      return statement
    },
  }
}

/** SQLite has no such test of its own. */
function registerContainment(database: Database.Database): void {
  // The same document is looked for in every job of a search.
  let last: { text: string; document: ReturnType<typeof parseJson> } | null = null
  database.function('freight_json_contains', { directOnly: true, deterministic: true }, (whole: unknown, part: unknown) => {
    if (typeof whole !== 'string' || typeof part !== 'string') return null
    if (last?.text !== part) last = { text: part, document: parseJson(part) }
    return jsonContains(whole, last.document) ? 1 : 0
  })
}
