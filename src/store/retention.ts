/** What the sweeper and the metrics ask of all tenants' jobs together. */
import type { Kysely } from 'kysely'
import { JOB_STATUSES, type Job, type JobStatus } from '../job/job.ts'
import { writeEvent } from './events.ts'
import { toJob } from './job-rows.ts'
import type { KnownJob } from './store.ts'
import type { Tables } from './tables.ts'

/** Well below the number of parameters that every engine takes (SQLite before 3.32: 999). */
const IDS_PER_QUERY = 500

export async function expiredJobs(db: Kysely<Tables>, now: Date, limit: number): Promise<readonly Job[]> {
  const rows = await db
    .selectFrom('jobs')
    .selectAll()
    .where('status', '=', 'completed')
    .where('files_removed_at', 'is', null)
    .where('expires_at', '<=', now.toISOString())
    .orderBy('expires_at')
    .limit(limit)
    .execute()
  return rows.map(toJob)
}

/** To be called in a transaction. */
export async function recordFilesRemoved(tx: Kysely<Tables>, id: string, now: Date): Promise<void> {
  const row = await tx
    .updateTable('jobs')
    .set({ files_removed_at: now.toISOString(), updated_at: now.toISOString() })
    .where('id', '=', id)
    .where('status', '=', 'completed')
    .where('files_removed_at', 'is', null)
    .returning(['id', 'tenant', 'run'])
    .executeTakeFirst()
  if (row) await writeEvent(tx, row, { type: 'expired', at: now, data: {}, actor: null })
}

export async function knownJobs(db: Kysely<Tables>, ids: readonly string[]): Promise<ReadonlyMap<string, KnownJob>> {
  const known = new Map<string, KnownJob>()
  for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
    const rows = await db
      .selectFrom('jobs')
      .select(['id', 'status', 'run', 'files_removed_at'])
      .where('id', 'in', ids.slice(start, start + IDS_PER_QUERY))
      .execute()
    for (const row of rows) {
      const filesRemovedAt = row.files_removed_at === null ? null : new Date(row.files_removed_at)
      known.set(row.id, { status: row.status, run: row.run, filesRemovedAt })
    }
  }
  return known
}

export async function findJob(db: Kysely<Tables>, id: string): Promise<Job | null> {
  const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? toJob(row) : null
}

export async function pruneIdempotency(db: Kysely<Tables>, now: Date): Promise<void> {
  await db.deleteFrom('idempotency').where('expires_at', '<=', now.toISOString()).execute()
}

export async function countByStatus(db: Kysely<Tables>): Promise<Readonly<Record<JobStatus, number>>> {
  const rows = await db
    .selectFrom('jobs')
    .select((jobs) => ['status', jobs.fn.countAll<number | string>().as('jobs')])
    .groupBy('status')
    .execute()
  const counts = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as Record<JobStatus, number>
  for (const row of rows) counts[row.status] = Number(row.jobs)
  return counts
}

/** `updated_at` of a pending job is when it became pending: nothing else writes to it while it waits. */
export async function oldestPendingAt(db: Kysely<Tables>): Promise<Date | null> {
  const row = await db
    .selectFrom('jobs')
    .select('updated_at')
    .where('status', '=', 'pending')
    .orderBy('updated_at')
    .limit(1)
    .executeTakeFirst()
  return row ? new Date(row.updated_at) : null
}
