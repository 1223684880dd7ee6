/** Jobs, their events, idempotency records and API keys. */
import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'

async function createJobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('short_id', 'text', (column) => column.notNull().unique())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('run', 'integer', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('available_at', 'text')
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('processed', 'bigint', (column) => column.notNull())
    .addColumn('total', 'bigint')
    .addColumn('total_is_estimate', 'integer', (column) => column.notNull())
    .addColumn('rows_per_second', 'double precision')
    .addColumn('progress_at', 'text', (column) => column.notNull())
    .addColumn('session', 'text')
    .addColumn('results', 'text')
    .addColumn('error', 'text')
    .addColumn('errors_log', 'text', (column) => column.notNull())
    .addColumn('files', 'text', (column) => column.notNull())
    .addColumn('manifest', 'text')
    .addColumn('reference', 'text')
    .addColumn('reference_origin', 'text')
    .addColumn('metadata', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text')
    .addColumn('completed_at', 'text')
    .addColumn('failed_at', 'text')
    .addColumn('interrupted_at', 'text')
    .addColumn('cancelled_at', 'text')
    .addColumn('expires_at', 'text')
    .addColumn('files_removed_at', 'text')
    .execute()
}

/** One index per question; `docs/store.md` names which. */
async function indexJobs(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('jobs_by_tenant').on('jobs').columns(['tenant', 'id']).execute()
  // expires_at is in it so that telling completed from expired reads no rows.
  await db.schema.createIndex('jobs_by_tenant_status').on('jobs').columns(['tenant', 'status', 'id', 'expires_at']).execute()
  await db.schema
    .createIndex('jobs_by_reference')
    .on('jobs')
    .columns(['tenant', 'reference', 'id'])
    .where(sql.ref('reference'), 'is not', null)
    .execute()
  await db.schema.createIndex('jobs_by_status').on('jobs').columns(['status', 'updated_at']).execute()
  await db.schema.createIndex('jobs_by_end').on('jobs').columns(['status', 'files_removed_at', 'expires_at']).execute()
}

export const jobsMigration = (engine: Engine) => ({
  async up(db: Kysely<unknown>): Promise<void> {
    await createJobs(db)
    await indexJobs(db)
    await db.schema
      .createTable('job_resources')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('resource', 'text', (column) => column.notNull())
      .addColumn('job_id', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('job_resources_key', ['tenant', 'resource', 'job_id'])
      .execute()
    await db.schema
      .createTable('events')
      .addColumn('seq', engine.sequence.type, engine.sequence.column)
      .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('run', 'integer', (column) => column.notNull())
      .addColumn('data', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('events_by_job').on('events').columns(['job_id', 'seq']).execute()
    await db.schema
      .createTable('idempotency')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('job_id', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('idempotency_key', ['tenant', 'key'])
      .execute()
    await db.schema.createIndex('idempotency_by_job').on('idempotency').column('job_id').execute()
    await db.schema.createIndex('idempotency_by_end').on('idempotency').column('expires_at').execute()
    await db.schema
      .createTable('api_keys')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('mode', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('revoked_at', 'text')
      .execute()
  },
})
