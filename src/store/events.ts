/** The events of a job: one per change of status, written in the same transaction, and a few facts beside. */
import type { Kysely } from 'kysely'
import type { Actor, EventType, JobEvent } from '../job/job.ts'
import { writeAudit } from './audit.ts'
import { toEvent } from './job-rows.ts'
import type { Tables } from './tables.ts'

export interface NewEvent {
  readonly type: EventType
  readonly at: Date
  readonly data: Readonly<Record<string, unknown>>
  /** A caller's doing: the event says whose, and so does the audit. Null for Freight's own. */
  readonly actor: Actor | null
}

type EventJob = { readonly id: string; readonly tenant: string; readonly run: number }

/** Resolves with the event's `seq`. */
export async function writeEvent(db: Kysely<Tables>, job: EventJob, event: NewEvent): Promise<number> {
  const { type, at, actor } = event
  const data = actor === null ? event.data : { ...event.data, by: actor.by, from: actor.from }
  const { seq } = await db
    .insertInto('events')
    .values({
      job_id: job.id,
      type,
      at: at.toISOString(),
      run: job.run,
      data: JSON.stringify(data),
    })
    .returning('seq')
    .executeTakeFirstOrThrow()
  if (actor) await writeAudit(db, { at, tenant: job.tenant, action: type, actor, exportId: job.id, data: event.data })
  return Number(seq)
}

/** Of an unknown job nothing is written. */
export async function addEvent(db: Kysely<Tables>, jobId: string, event: NewEvent): Promise<void> {
  const job = await db.selectFrom('jobs').select(['id', 'tenant', 'run']).where('id', '=', jobId).executeTakeFirst()
  if (job) await writeEvent(db, job, event)
}

export async function eventsAfter(db: Kysely<Tables>, jobId: string, afterSeq: number): Promise<readonly JobEvent[]> {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .execute()
  return rows.map(toEvent)
}
