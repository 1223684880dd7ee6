/** The highest percentage a run has shown. Runs from before start at nothing: they are claimed anew at the next start. */
import type { Kysely } from 'kysely'

export const reachedMigration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('jobs')
      .addColumn('reached', 'double precision', (column) => column.notNull().defaultTo(0))
      .execute()
  },
}
