/** Which wire protocol made a job, and what it keeps of the request. Jobs from before were made through Freight's own API. */
import type { Kysely } from 'kysely'

export const protocolsMigration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('jobs').addColumn('protocol', 'text').execute()
    await db.schema
      .alterTable('jobs')
      .addColumn('protocol_data', 'text', (column) => column.notNull().defaultTo('{}'))
      .execute()
  },
}
