/** What changed in a job and when; and the columns that a list is filtered and ordered by, which were inside the request until now. */
import type { Kysely } from 'kysely'

interface Before {
  jobs: { id: string; request: string; resource: string; format: string }
}

export const versionsMigration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('jobs')
      .addColumn('resource', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await db.schema
      .alterTable('jobs')
      .addColumn('format', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await fillColumns(db as Kysely<Before>)
    await db.schema.createIndex('job_resources_by_job').on('job_resources').columns(['job_id', 'resource']).execute()
    await db.schema
      .createTable('versions')
      .addColumn('event_seq', 'bigint', (column) => column.primaryKey().notNull())
      .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('changes', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('versions_by_job').on('versions').columns(['job_id', 'event_seq']).execute()
  },
}

/** A page at a time: the engines spell a look into JSON differently, and a store may hold many jobs. */
async function fillColumns(db: Kysely<Before>): Promise<void> {
  for (let after = ''; ; ) {
    const page = await db.selectFrom('jobs').select(['id', 'request']).where('id', '>', after).orderBy('id').limit(500).execute()
    for (const { id, request } of page) {
      const { parts, format } = JSON.parse(request) as { parts: { resource: string }[]; format: string }
      await db
        .updateTable('jobs')
        .set({ resource: parts[0]?.resource ?? '', format })
        .where('id', '=', id)
        .execute()
    }
    const last = page.at(-1)
    if (!last) return
    after = last.id
  }
}
