/** The outbox: what webhooks are still to be told, written in the transaction of the change that it tells of. */
import type { Kysely } from 'kysely'
import { v7 } from 'uuid'
import type { EventType, Job } from '../job/job.ts'
import type { Notice, Notify } from '../job/notice.ts'
import { newRecord } from './job-rows.ts'
import type { NoticeRow, Tables } from './tables.ts'

/** A transaction, and who is to be told of the changes made in it. */
export interface Writing {
  readonly tx: Kysely<Tables>
  readonly notify: Notify
}

export async function writeNotices({ tx, notify }: Writing, job: Job, change: EventType | 'removed', at: Date): Promise<void> {
  const stamp = at.toISOString()
  for (const { webhook, topic, document } of notify(job, change, at)) {
    const about = { webhook, topic, tenant: job.tenant, job_id: job.id, document: JSON.stringify(document) }
    await tx
      .insertInto('notices')
      .values({ id: v7(), ...about, attempts: 0, due_at: stamp, created_at: stamp })
      .execute()
  }
}

/** What claims is one statement, so that of several who ask at once each notice goes to one. */
export async function claimNotices(
  db: Kysely<Tables>,
  webhook: string,
  { now, until, limit }: { now: Date; until: Date; limit: number },
): Promise<readonly Notice[]> {
  // Mostly there is nothing, and a write waits for other writers even where it writes nothing.
  const any = await db
    .selectFrom('notices')
    .select('seq')
    .where('webhook', '=', webhook)
    .where('due_at', '<=', now.toISOString())
    .limit(1)
    .executeTakeFirst()
  if (!any) return []
  const due = db
    .selectFrom('notices as due')
    .select('due.seq')
    .where('due.webhook', '=', webhook)
    .where('due.due_at', '<=', now.toISOString())
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('notices as earlier')
            .select('earlier.seq')
            .whereRef('earlier.webhook', '=', 'due.webhook')
            .whereRef('earlier.job_id', '=', 'due.job_id')
            .whereRef('earlier.seq', '<', 'due.seq'),
        ),
      ),
    )
    .orderBy('due.due_at')
    .orderBy('due.seq')
    .limit(limit)
  const rows = await db
    .updateTable('notices')
    .set((columns) => ({ attempts: columns('attempts', '+', 1), due_at: until.toISOString() }))
    .where('seq', 'in', due)
    // Again: where another process was faster, its row is looked at anew once it lets go of it.
    .where('due_at', '<=', now.toISOString())
    .returningAll()
    .execute()
  return rows.sort((one, other) => Number(one.seq) - Number(other.seq)).map(toNotice)
}

function toNotice(row: NoticeRow): Notice {
  return {
    id: row.id,
    webhook: row.webhook,
    topic: row.topic,
    tenant: row.tenant,
    jobId: row.job_id,
    document: newRecord(row.document),
    attempts: row.attempts,
    createdAt: new Date(row.created_at),
  }
}

export async function removeNotice(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('notices').where('id', '=', id).execute()
}

export async function postponeNotice(db: Kysely<Tables>, id: string, dueAt: Date): Promise<void> {
  await db.updateTable('notices').set({ due_at: dueAt.toISOString() }).where('id', '=', id).execute()
}

export async function returnNotice(db: Kysely<Tables>, id: string, now: Date): Promise<void> {
  await db
    .updateTable('notices')
    .set((columns) => ({ attempts: columns('attempts', '-', 1), due_at: now.toISOString() }))
    .where('id', '=', id)
    .execute()
}

export async function recallNotices(db: Kysely<Tables>, now: Date): Promise<void> {
  const at = now.toISOString()
  await db.updateTable('notices').set({ due_at: at }).where('due_at', '>', at).execute()
}

export async function pruneNotices(db: Kysely<Tables>, before: Date): Promise<number> {
  const removed = await db.deleteFrom('notices').where('created_at', '<', before.toISOString()).executeTakeFirstOrThrow()
  return Number(removed.numDeletedRows)
}
