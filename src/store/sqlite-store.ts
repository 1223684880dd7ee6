/** The store in one SQLite file. */
import type Database from 'better-sqlite3'
import { Kysely } from 'kysely'
import { KyselyStore } from './kysely-store.ts'
import { openDatabase } from './sqlite-database.ts'
import { StoreDialect, sqliteEngine } from './sqlite-dialect.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/**
 * Opens or creates the file. Nothing is migrated yet. Rejects with CONFIG_INVALID, and leaves the file as it is, when it cannot be
 * opened, is no SQLite database, belongs to another program or was written by a newer Freight.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const database = openDatabase(path)
  try {
    const store = createSqliteStore(database)
    await store.refuseNewerSchema()
    return store
  } catch (error) {
    database.close()
    throw error
  }
}

/** The store closes the connection. */
export function createSqliteStore(database: Database.Database): KyselyStore {
  return new KyselyStore(new Kysely<Tables>({ dialect: new StoreDialect(database) }), sqliteEngine)
}
