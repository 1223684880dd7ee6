/** What is still to be told to webhooks: written with the change that it tells of, gone once it was told. */
import type { Kysely } from 'kysely'
import type { Engine } from '../engine.ts'

export const noticesMigration = (engine: Engine) => ({
  async up(db: Kysely<unknown>): Promise<void> {
    // No foreign key: that an export was removed is told after its record is gone.
    await db.schema
      .createTable('notices')
      .addColumn('seq', engine.sequence.type, engine.sequence.column)
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('webhook', 'text', (column) => column.notNull())
      .addColumn('topic', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('job_id', 'text', (column) => column.notNull())
      .addColumn('document', 'text', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('due_at', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('notices_by_id').on('notices').column('id').unique().execute()
    await db.schema.createIndex('notices_due').on('notices').columns(['webhook', 'due_at', 'seq']).execute()
    await db.schema.createIndex('notices_by_job').on('notices').columns(['webhook', 'job_id', 'seq']).execute()
  },
})
