/** Who did what, when and from where: written in the transaction of what was done, and kept when the export is gone. */
import type { Kysely } from 'kysely'
import { newRecord } from './job-rows.ts'
import type { AuditEntry, AuditFilter, NewAuditEntry } from './store.ts'
import type { Tables } from './tables.ts'

export async function writeAudit(db: Kysely<Tables>, entry: NewAuditEntry): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      at: entry.at.toISOString(),
      tenant: entry.tenant,
      action: entry.action,
      actor: entry.actor.by,
      address: entry.actor.from,
      job_id: entry.exportId,
      data: JSON.stringify(entry.data),
    })
    .execute()
}

/** Oldest first. */
export async function readAudit(db: Kysely<Tables>, filter: AuditFilter): Promise<readonly AuditEntry[]> {
  let query = db.selectFrom('audit').selectAll().where('seq', '>', filter.afterSeq)
  if (filter.tenant !== null) query = query.where('tenant', '=', filter.tenant)
  if (filter.exportId !== null) query = query.where('job_id', '=', filter.exportId)
  if (filter.since !== null) query = query.where('at', '>=', filter.since.toISOString())
  const rows = await query.orderBy('seq').limit(filter.limit).execute()
  return rows.map((row) => ({
    seq: Number(row.seq),
    at: new Date(row.at),
    tenant: row.tenant,
    action: row.action,
    actor: { by: row.actor, from: row.address },
    exportId: row.job_id,
    data: newRecord(row.data),
  }))
}

export async function pruneAudit(db: Kysely<Tables>, before: Date): Promise<void> {
  await db.deleteFrom('audit').where('at', '<', before.toISOString()).execute()
}
