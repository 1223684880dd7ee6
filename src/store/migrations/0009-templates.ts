/** What tenants saved for later requests. */
import type { Kysely } from 'kysely'

export const templatesMigration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('templates')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('content', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text')
      .addPrimaryKeyConstraint('templates_key', ['tenant', 'kind', 'id'])
      .execute()
  },
}
