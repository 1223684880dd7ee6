/** One index that answers every search of a tenant's jobs without reading a job, and who may see each, by which lists are narrowed. */
import type { Kysely } from 'kysely'
import { rightsOf } from '../../job/rights.ts'
import type { CheckedSpec } from '../../job/spec.ts'

interface Before {
  jobs: { id: string; spec: string; rights: string }
}

export const searchMigration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('jobs')
      .addColumn('rights', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await fillRights(db as Kysely<Before>)
    // Whatever a search may ask of a job: rows are long, and most of what a search looks at is not on the page that it ends with.
    await db.schema
      .createIndex('jobs_search')
      .on('jobs')
      .columns([
        'tenant',
        'id',
        'rights',
        'resource',
        'short_id',
        'status',
        'format',
        'total',
        'processed',
        'reference',
        'reference_origin',
        'created_at',
        'updated_at',
        'started_at',
        'completed_at',
        'interrupted_at',
      ])
      .execute()
  },
}

async function fillRights(db: Kysely<Before>): Promise<void> {
  for (let after = ''; ; ) {
    const page = await db.selectFrom('jobs').select(['id', 'spec']).where('id', '>', after).orderBy('id').limit(500).execute()
    for (const { id, spec } of page) {
      const rights = rightsOf(JSON.parse(spec) as CheckedSpec)
      await db.updateTable('jobs').set({ rights }).where('id', '=', id).execute()
    }
    const last = page.at(-1)
    if (!last) return
    after = last.id
  }
}
