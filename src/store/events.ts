/** The events of a job: one per change of status, written in the same transaction, and a few facts beside. */
import type { Kysely } from 'kysely'
import type { EventType, JobEvent } from '../job/job.ts'
import { toEvent } from './job-rows.ts'
import type { Tables } from './tables.ts'

export interface NewEvent {
  readonly type: EventType
  readonly at: Date
  readonly data: Readonly<Record<string, unknown>>
}

export async function writeEvent(db: Kysely<Tables>, job: { id: string; run: number }, event: NewEvent): Promise<void> {
  await db
    .insertInto('events')
    .values({
      job_id: job.id,
      type: event.type,
      at: event.at.toISOString(),
      run: job.run,
      data: JSON.stringify(event.data),
    })
    .execute()
}

/** Of an unknown job nothing is written. */
export async function addEvent(db: Kysely<Tables>, jobId: string, event: NewEvent): Promise<void> {
  const job = await db.selectFrom('jobs').select(['id', 'run']).where('id', '=', jobId).executeTakeFirst()
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
