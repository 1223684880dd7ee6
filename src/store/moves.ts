/**
 * The one place that changes a job's status: fenced by the status it may come from (and the run), with its event, and with what others
 * are told of it.
 */
import type { UpdateObject } from 'kysely'
import type { Job } from '../job/job.ts'
import { transition, type Verb } from '../job/transitions.ts'
import { type NewEvent, writeEvent } from './events.ts'
import { toJob } from './job-rows.ts'
import { type Writing, writeNotices } from './notices.ts'
import type { Tables } from './tables.ts'
import { writeVersion } from './versions.ts'

/** Which job: with its tenant where a caller asks, with its run where a run writes. */
export interface JobFence {
  readonly id: string
  readonly tenant?: string
  readonly run?: number
}

/** To be called in a transaction. Null when no such job stands where the verb begins; then nothing has changed. */
export async function moveJob(
  writing: Writing,
  verb: Verb,
  fence: JobFence,
  set: UpdateObject<Tables, 'jobs'>,
  event: NewEvent,
): Promise<Job | null> {
  const { tx } = writing
  const { from, to } = transition(verb)
  const before = await tx.selectFrom('jobs').selectAll().where('id', '=', fence.id).executeTakeFirst()
  let update = tx
    .updateTable('jobs')
    // Whole files of a run are offered while it goes on; only a completed job keeps any.
    .set({ files: '[]', ...set, status: to, updated_at: event.at.toISOString() })
    .where('id', '=', fence.id)
    .where('status', 'in', from)
  if (fence.tenant !== undefined) update = update.where('tenant', '=', fence.tenant)
  if (fence.run !== undefined) update = update.where('run', '=', fence.run)
  const row = await update.returningAll().executeTakeFirst()
  if (!before || !row) return null
  await writeVersion(tx, await writeEvent(tx, row, event), before, row)
  const job = toJob(row)
  await writeNotices(writing, job, event.type, event.at)
  return job
}
