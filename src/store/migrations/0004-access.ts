/** What a key may do, who did what, what a tenant has used, and secrets that Freight keeps for itself. */
import type { Kysely } from 'kysely'
import type { Engine } from '../engine.ts'

export const accessMigration = (engine: Engine) => ({
  async up(db: Kysely<unknown>): Promise<void> {
    // Null: a key made before there were scopes, which may do everything that keys could.
    await db.schema.alterTable('api_keys').addColumn('scopes', 'text').execute()
    await db.schema.alterTable('api_keys').addColumn('claims', 'text').execute()
    // No foreign key: what happened to an export is known after it is gone.
    await db.schema
      .createTable('audit')
      .addColumn('seq', engine.sequence.type, engine.sequence.column)
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('actor', 'text', (column) => column.notNull())
      .addColumn('address', 'text')
      .addColumn('job_id', 'text')
      .addColumn('data', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('audit_by_tenant').on('audit').columns(['tenant', 'seq']).execute()
    await db.schema.createIndex('audit_by_job').on('audit').columns(['job_id', 'seq']).execute()
    await db.schema.createIndex('audit_by_time').on('audit').columns(['at', 'seq']).execute()
    await db.schema
      .createTable('usage')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('day', 'text', (column) => column.notNull())
      .addColumn('rows', 'bigint', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_key', ['tenant', 'day'])
      .execute()
    await db.schema
      .createTable('kept_secrets')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('purpose', 'text', (column) => column.notNull())
      .addColumn('public', 'text')
      .addColumn('sealed', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('kept_secrets_by_purpose').on('kept_secrets').columns(['purpose', 'created_at']).execute()
  },
})
