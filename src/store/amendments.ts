/** What a caller may still change in a job that exists: what it calls it, never what it is. */
import type { Kysely } from 'kysely'
import type { Actor, Job } from '../job/job.ts'
import { writeEvent } from './events.ts'
import { toJob } from './job-rows.ts'
import type { Amendment } from './store.ts'
import type { Tables } from './tables.ts'
import { writeVersion } from './versions.ts'

/** To be called in a transaction. Null when unknown; without an event where nothing is different afterwards. */
export async function amendJob(
  tx: Kysely<Tables>,
  fence: { id: string; tenant: string },
  amendment: Amendment,
  at: Date,
  actor: Actor | null,
): Promise<Job | null> {
  const mine = (column: 'id' | 'tenant') => [column, '=', fence[column]] as const
  const before = await tx
    .selectFrom('jobs')
    .selectAll()
    .where(...mine('id'))
    .where(...mine('tenant'))
    .executeTakeFirst()
  if (!before) return null
  const set = {
    reference: amendment.reference === undefined ? before.reference : amendment.reference,
    reference_origin: amendment.referenceOrigin === undefined ? before.reference_origin : amendment.referenceOrigin,
    metadata: amendment.metadata === undefined ? before.metadata : JSON.stringify(amendment.metadata),
  }
  const isSame = Object.entries(set).every(([name, value]) => before[name as keyof typeof set] === value)
  if (isSame) return toJob(before)
  const after = await tx
    .updateTable('jobs')
    .set({ ...set, updated_at: at.toISOString() })
    .where('id', '=', fence.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  const seq = await writeEvent(tx, after, { type: 'amended', at, data: {}, actor })
  await writeVersion(tx, seq, before, after)
  return toJob(after)
}
