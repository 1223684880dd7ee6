/** Brings the schema up to date and refuses one that a newer Freight has made. */
import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { FreightError } from '../job/errors.ts'
import type { Engine } from './engine.ts'
import { jobsMigration } from './migrations/0001-jobs.ts'
import { protocolsMigration } from './migrations/0002-protocols.ts'
import { reachedMigration } from './migrations/0003-reached.ts'
import { accessMigration } from './migrations/0004-access.ts'
import { exclusiveMigration } from './migrations/0006-exclusive.ts'
import { versionsMigration } from './migrations/0007-versions.ts'
import { searchMigration } from './migrations/0008-search.ts'
import { templatesMigration } from './migrations/0009-templates.ts'
import { noticesMigration } from './migrations/0010-notices.ts'

/** Also how a database is recognised as Freight's. */
export const MIGRATION_TABLE = 'freight_migration'

/** A list and no folder scan: the checkout holds .ts, the package .js and .d.ts, and a name must be the same in both. */
function allMigrations(engine: Engine): Record<string, Migration> {
  return {
    '0001-jobs': jobsMigration(engine),
    '0002-protocols': protocolsMigration,
    '0003-reached': reachedMigration,
    '0004-access': accessMigration(engine),
    '0006-exclusive': exclusiveMigration,
    '0007-versions': versionsMigration,
    '0008-search': searchMigration,
    '0009-templates': templatesMigration,
    '0010-notices': noticesMigration(engine),
  }
}

function migrator<T>(db: Kysely<T>, engine: Engine): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: async () => allMigrations(engine) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: 'freight_migration_lock',
  })
}

/** Throws CONFIG_INVALID where a migration was applied that this version does not know. */
export async function refuseNewerSchema<T>(db: Kysely<T>, engine: Engine): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return
  const migrations = (db as unknown as Kysely<Record<typeof MIGRATION_TABLE, { name: string }>>).selectFrom(MIGRATION_TABLE)
  const applied = await migrations.select('name').orderBy('name').execute()
  const known = allMigrations(engine)
  const unknown = applied.find(({ name }) => !Object.hasOwn(known, name))
  if (!unknown) return
  throw new FreightError(
    'CONFIG_INVALID',
    `Freight's records were written by a newer version (migration ${unknown.name} is unknown here). Run that version, or a newer one; nothing was changed.`,
  )
}

/**
 * Names of what was applied. Several processes may call it at once: the engine's dialect sees to it that only one applies (SQLite:
 * immediate transactions; PostgreSQL: Kysely's advisory lock).
 */
export async function applyMigrations<T>(db: Kysely<T>, engine: Engine): Promise<readonly string[]> {
  await refuseNewerSchema(db, engine)
  const { error, results } = await migrator(db, engine).migrateToLatest()
  if (error) throw error
  return (results ?? []).map((result) => result.migrationName)
}

export async function listMigrations<T>(
  db: Kysely<T>,
  engine: Engine,
): Promise<readonly { name: string; appliedAt: Date | null }[]> {
  const migrations = await migrator(db, engine).getMigrations()
  return migrations.map(({ name, executedAt }) => ({ name, appliedAt: executedAt ?? null }))
}
