/** What callers do with jobs: create, read, list, remove, interrupt, cancel, start. */
import { type Kysely, sql } from 'kysely'
import { FreightError } from '../job/errors.ts'
import type { Actor, Job } from '../job/job.ts'
import { illegalTransition, isActive, transition } from '../job/transitions.ts'
import { writeAudit } from './audit.ts'
import { writeEvent } from './events.ts'
import { insertUnlessExcluded, refuseExcluded } from './exclusive.ts'
import { newJobRow, toJob } from './job-rows.ts'
import { moveJob } from './moves.ts'
import { type Writing, writeNotices } from './notices.ts'
import type { CallersTerms, IdempotencyRecord, JobFilter, JobPage, NewJob } from './store.ts'
import type { Tables } from './tables.ts'
import { assertWithinLimits } from './usage.ts'
import { writeVersion } from './versions.ts'

/** To be called in a transaction. */
export async function createJob(
  writing: Writing,
  job: NewJob,
  idempotency: IdempotencyRecord | null,
  { actor, limits }: CallersTerms,
): Promise<{ job: Job | null; created: boolean }> {
  const { tx } = writing
  if (idempotency && !(await takeKey(tx, job, idempotency))) {
    return { job: await firstOfKey(tx, job.tenant, idempotency), created: false }
  }
  if (limits) {
    const rows = job.progress.totalIsEstimate ? null : job.progress.total
    await assertWithinLimits(tx, { tenant: job.tenant, rows }, limits, job.createdAt)
  }
  if (job.maxActive !== undefined) await assertFewActive(tx, job, job.maxActive)
  const row = newJobRow(job)
  await insertUnlessExcluded(tx, row)
  const resources = new Set(job.request.parts.map((part) => part.resource))
  for (const resource of resources) {
    await tx.insertInto('job_resources').values({ tenant: job.tenant, resource, job_id: job.id }).execute()
  }
  const seq = await writeEvent(tx, row, { type: 'created', at: job.createdAt, data: {}, actor })
  await writeVersion(tx, seq, null, row)
  const created = toJob(row)
  await writeNotices(writing, created, 'created', job.createdAt)
  return { job: created, created: true }
}

/** Inside the transaction that creates, so that simultaneous calls do not all see the last free place (SQLite: one writer at a time). */
async function assertFewActive(tx: Kysely<Tables>, { tenant, protocol }: NewJob, maxActive: number): Promise<void> {
  const { active } = await tx
    .selectFrom('jobs')
    .select((jobs) => jobs.fn.countAll().as('active'))
    .where('tenant', '=', tenant)
    .where('status', 'in', ['pending', 'in_progress'])
    .where('protocol', protocol === null ? 'is' : '=', protocol)
    .executeTakeFirstOrThrow()
  if (Number(active) < maxActive) return
  throw new FreightError(
    'TOO_MANY_ACTIVE',
    `${active} exports are pending or in progress; ${maxActive} may be at once. Wait until one is done, or interrupt one.`,
  )
}

/**
 * False when the key belongs to an earlier request. One statement, so that of simultaneous calls one wins on every
 * engine; it also takes over a key whose time is up.
 */
async function takeKey(tx: Kysely<Tables>, job: NewJob, { key, fingerprint, expiresAt }: IdempotencyRecord): Promise<boolean> {
  const record = { fingerprint, job_id: job.id, expires_at: expiresAt.toISOString() }
  const taken = await tx
    .insertInto('idempotency')
    .values({ tenant: job.tenant, key, ...record })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'key']).doUpdateSet(record).where('idempotency.expires_at', '<=', job.createdAt.toISOString()),
    )
    .returning('job_id')
    .executeTakeFirst()
  return taken !== undefined
}

/** Null when the key is free; `job` is null when that request was another one. */
export async function recallJob(
  db: Kysely<Tables>,
  tenant: string,
  idempotency: IdempotencyRecord,
  now: Date,
): Promise<{ job: Job | null } | null> {
  const used = await db
    .selectFrom('idempotency')
    .select('job_id')
    .where('tenant', '=', tenant)
    .where('key', '=', idempotency.key)
    .where('expires_at', '>', now.toISOString())
    .executeTakeFirst()
  return used ? { job: await firstOfKey(db, tenant, idempotency) } : null
}

/** Null when that request was another one. */
async function firstOfKey(tx: Kysely<Tables>, tenant: string, { key, fingerprint }: IdempotencyRecord): Promise<Job | null> {
  const first = await tx
    .selectFrom('idempotency')
    .innerJoin('jobs', 'jobs.id', 'idempotency.job_id')
    .selectAll('jobs')
    .where('idempotency.tenant', '=', tenant)
    .where('idempotency.key', '=', key)
    .where('idempotency.fingerprint', '=', fingerprint)
    .executeTakeFirst()
  return first ? toJob(first) : null
}

export async function getJob(db: Kysely<Tables>, tenant: string, id: string): Promise<Job | null> {
  const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).where('tenant', '=', tenant).executeTakeFirst()
  return row ? toJob(row) : null
}

/** Ids are UUIDv7: newest first by id is newest first by creation, and one column makes the cursor. */
export async function listJobs(
  db: Kysely<Tables>,
  tenant: string,
  filter: JobFilter,
  page: { limit: number; before: string | null; now: Date },
): Promise<JobPage> {
  const now = page.now.toISOString()
  const { status, resource, reference } = filter
  // With a resource its own index leads, so that a rare resource among many jobs is found as fast as a common one.
  const id = sql.ref<string>(resource === undefined ? 'jobs.id' : 'job_resources.job_id')
  let query = db
    .selectFrom('jobs')
    .selectAll('jobs')
    .where('jobs.tenant', '=', tenant)
    .$if(resource !== undefined, (jobs) =>
      jobs
        .innerJoin('job_resources', 'job_resources.job_id', 'jobs.id')
        .where('job_resources.tenant', '=', tenant)
        .where('job_resources.resource', '=', resource ?? ''),
    )
  if (page.before !== null) query = query.where(id, '<', page.before)
  if (reference !== undefined) query = query.where('jobs.reference', '=', reference)
  if (status === 'expired') query = query.where('jobs.status', '=', 'completed').where('jobs.expires_at', '<=', now)
  else if (status === 'completed') query = query.where('jobs.status', '=', 'completed').where('jobs.expires_at', '>', now)
  else if (status !== undefined) query = query.where('jobs.status', '=', status)
  const rows = await query
    .orderBy(id, 'desc')
    .limit(page.limit + 1)
    .execute()
  const jobs = rows.slice(0, page.limit).map(toJob)
  return { jobs, nextBefore: rows.length > page.limit ? (jobs.at(-1)?.id ?? null) : null }
}

/** To be called in a transaction. */
export async function removeJob(
  writing: Writing,
  tenant: string,
  id: string,
  { actor, at }: { actor: Actor | null; at: Date },
): Promise<Job | null> {
  const { tx } = writing
  const job = await getJob(tx, tenant, id)
  if (!job) return null
  const removed = isActive(job.status)
    ? undefined
    : await tx
        .deleteFrom('jobs')
        .where('id', '=', id)
        .where('status', '=', job.status)
        .where('run', '=', job.run)
        .returning('id')
        .executeTakeFirst()
  if (!removed) {
    throw new FreightError('EXPORT_ACTIVE', `This export is ${job.status}; interrupt or cancel it before it can be deleted.`, {
      details: { status: job.status },
    })
  }
  const resources = job.request.parts.map((part) => part.resource)
  await tx
    .deleteFrom('job_resources')
    .where('tenant', '=', tenant)
    .where('resource', 'in', resources)
    .where('job_id', '=', id)
    .execute()
  await tx.deleteFrom('idempotency').where('job_id', '=', id).execute()
  // Its events go with it; that it was there, and who removed it, stays.
  if (actor) await writeAudit(tx, { at, tenant, action: 'removed', actor, exportId: id, data: {} })
  await writeNotices(writing, job, 'removed', at)
  return job
}

type CallersVerb = 'interrupt' | 'cancel' | 'start'

/**
 * To be called in a transaction. Interrupting what is interrupted and cancelling what is cancelled is fulfilled already: the job
 * comes back unchanged, without an event. Every other move that does not fit throws TRANSITION_ILLEGAL.
 */
export async function moveByCaller(
  writing: Writing,
  verb: CallersVerb,
  tenant: string,
  id: string,
  now: Date,
  { actor, limits }: CallersTerms,
): Promise<Job | null> {
  const { tx } = writing
  if (verb === 'start' && limits) await assertWithinLimits(tx, { tenant, rows: null }, limits, now)
  const moved = await CALLERS_MOVES[verb](writing, { id, tenant }, now, actor).catch(refuseExcluded)
  if (moved) return moved
  const job = await getJob(tx, tenant, id)
  if (!job) return null
  if (verb !== 'start' && job.status === transition(verb).to) return job
  throw illegalTransition(verb, job.status)
}

type CallersMove = (
  writing: Writing,
  fence: { id: string; tenant: string },
  now: Date,
  actor: Actor | null,
) => Promise<Job | null>

const CALLERS_MOVES: Readonly<Record<CallersVerb, CallersMove>> = {
  interrupt: (writing, fence, now, actor) => {
    const set = { interrupted_at: now.toISOString(), available_at: null }
    return moveJob(writing, 'interrupt', fence, set, { type: 'interrupted', at: now, data: {}, actor })
  },
  cancel: (writing, fence, now, actor) => {
    const set = { cancelled_at: now.toISOString(), available_at: null }
    return moveJob(writing, 'cancel', fence, set, { type: 'cancelled', at: now, data: {}, actor })
  },
  start: (writing, fence, now, actor) => {
    const set = {
      failures: 0,
      error: null,
      errors_log: '[]',
      results: null,
      available_at: null,
      started_at: null,
      failed_at: null,
      interrupted_at: null,
      processed: 0,
      // The rows may have changed since they were counted; the run counts anew.
      total_is_estimate: 1,
      rows_per_second: null,
      reached: 0,
      progress_at: now.toISOString(),
    }
    return moveJob(writing, 'start', fence, set, { type: 'restarted', at: now, data: {}, actor })
  },
}
