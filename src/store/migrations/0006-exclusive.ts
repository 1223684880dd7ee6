/** A text of which a tenant has one unfinished job at a time, by a unique index: of simultaneous requests one wins. */
import { type Kysely, sql } from 'kysely'

export const exclusiveMigration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('jobs').addColumn('exclusive', 'text').execute()
    // The condition stands again in `store/exclusive.ts`, letter by letter: that is how a database knows which index is meant.
    await db.schema
      .createIndex('jobs_exclusive')
      .on('jobs')
      .columns(['tenant', 'exclusive'])
      .unique()
      .where(sql<boolean>`exclusive is not null and status in ('pending', 'in_progress', 'interrupted')`)
      .execute()
  },
}
