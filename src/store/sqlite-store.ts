/** The store in one SQLite file. */
import type Database from 'better-sqlite3'
import { Kysely } from 'kysely'
import type { Notify } from '../job/notice.ts'
import { KyselyStore } from './kysely-store.ts'
import { openDatabase } from './sqlite-database.ts'
import { StoreDialect, sqliteEngine } from './sqlite-dialect.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/** For whoever changes no job, or has nobody to tell. */
const nobody: Notify = () => []

/**
 * Opens or creates the file. Nothing is migrated yet. Rejects with CONFIG_INVALID, and leaves the file as it is, when it cannot be
 * opened, is no SQLite database, belongs to another program or was written by a newer Freight. `notify`: who is told of changes that
 * are made through this store.
 */
export async function openSqliteStore(path: string, notify: Notify = nobody): Promise<Store> {
  const database = openDatabase(path)
  try {
    const store = createSqliteStore(database, notify)
    await store.refuseNewerSchema()
    return store
  } catch (error) {
    database.close()
    throw error
  }
}

/** The store closes the connection. */
export function createSqliteStore(database: Database.Database, notify: Notify = nobody): KyselyStore {
  return new KyselyStore(new Kysely<Tables>({ dialect: new StoreDialect(database) }), sqliteEngine, notify)
}
