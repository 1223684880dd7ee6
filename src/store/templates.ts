/** What a tenant saved for later requests: plain data, of which this room knows nothing but whose it is and of which kind. */
import type { Kysely } from 'kysely'
import type { Actor } from '../job/job.ts'
import { writeAudit } from './audit.ts'
import { newRecord } from './job-rows.ts'
import type { DoneBy, Template, TemplatePlace } from './store.ts'
import type { Tables, TemplateRow } from './tables.ts'

/** To be called in a transaction: of simultaneous calls only as many add one as there is room for (SQLite: one writer at a time). */
export async function insertTemplate(
  tx: Kysely<Tables>,
  place: TemplatePlace,
  template: Template,
  { most, actor }: { most: number; actor: Actor },
): Promise<boolean> {
  const { kept } = await at(tx, place)
    .select(({ fn }) => fn.countAll().as('kept'))
    .executeTakeFirstOrThrow()
  if (Number(kept) >= most) return false
  const { id, name, content, createdAt } = template
  const row = { id, name, content: JSON.stringify(content), created_at: createdAt.toISOString(), updated_at: null }
  await tx
    .insertInto('templates')
    .values({ tenant: place.tenant, kind: place.kind, ...row })
    .execute()
  await audit(tx, 'template_saved', place, id, { at: createdAt, actor })
  return true
}

/** Oldest first. */
export async function allTemplates(db: Kysely<Tables>, place: TemplatePlace): Promise<readonly Template[]> {
  const rows = await at(db, place).selectAll().orderBy('created_at').orderBy('id').execute()
  return rows.map(toTemplate)
}

export async function templateById(db: Kysely<Tables>, place: TemplatePlace, id: string): Promise<Template | null> {
  const row = await at(db, place).selectAll().where('id', '=', id).executeTakeFirst()
  return row ? toTemplate(row) : null
}

/** To be called in a transaction. */
export async function updateTemplate(
  tx: Kysely<Tables>,
  place: TemplatePlace,
  id: string,
  { name, content }: Pick<Template, 'name' | 'content'>,
  done: DoneBy,
): Promise<Template | null> {
  const row = await tx
    .updateTable('templates')
    .set({ name, content: JSON.stringify(content), updated_at: done.at.toISOString() })
    .where('tenant', '=', place.tenant)
    .where('kind', '=', place.kind)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) return null
  await audit(tx, 'template_changed', place, id, done)
  return toTemplate(row)
}

/** To be called in a transaction. */
export async function deleteTemplate(tx: Kysely<Tables>, place: TemplatePlace, id: string, done: DoneBy): Promise<boolean> {
  const row = await tx
    .deleteFrom('templates')
    .where('tenant', '=', place.tenant)
    .where('kind', '=', place.kind)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  if (row) await audit(tx, 'template_removed', place, id, done)
  return row !== undefined
}

function at(db: Kysely<Tables>, { tenant, kind }: TemplatePlace) {
  return db.selectFrom('templates').where('tenant', '=', tenant).where('kind', '=', kind)
}

function audit(tx: Kysely<Tables>, action: string, { tenant, kind }: TemplatePlace, id: string, done: DoneBy): Promise<void> {
  return writeAudit(tx, { at: done.at, tenant, action, actor: done.actor, exportId: null, data: { kind, template: id } })
}

function toTemplate(row: TemplateRow): Template {
  return {
    id: row.id,
    name: row.name,
    content: newRecord(row.content),
    createdAt: new Date(row.created_at),
    updatedAt: row.updated_at === null ? null : new Date(row.updated_at),
  }
}
