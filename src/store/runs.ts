/** The writes of a run, each fenced by its number; and what a starting process finds. */
import type { ExpressionBuilder, Kysely, UpdateObject } from 'kysely'
import type { PlainError } from '../job/errors.ts'
import type { Job, Progress, StoredFile } from '../job/job.ts'
import type { LogEntry } from '../job/tally.ts'
import { progressColumns, toJob } from './job-rows.ts'
import { moveJob } from './moves.ts'
import type { Writing } from './notices.ts'
import type { Completion, WaitingJob } from './store.ts'
import type { Tables } from './tables.ts'
import { addUsage } from './usage.ts'

/** Which run of which job. */
export interface Run {
  readonly id: string
  readonly run: number
}

type Columns = ExpressionBuilder<Tables, 'jobs'>

export async function claimJob(writing: Writing, id: string, now: Date): Promise<Job | null> {
  const set = {
    run: (columns: Columns) => columns('run', '+', 1),
    failures: (columns: Columns) => columns('failures', '+', 1),
    started_at: now.toISOString(),
    available_at: null,
    session: null,
    results: null,
    processed: 0,
    rows_per_second: null,
    reached: 0,
    progress_at: now.toISOString(),
  }
  return moveJob(writing, 'claim', { id }, set, { type: 'started', at: now, data: {}, actor: null })
}

/** Not an event: a run writes it twice a second. */
export async function writeProgress(db: Kysely<Tables>, run: Run, progress: Progress): Promise<Job | null> {
  return writeRunning(db, run, {
    ...progressColumns(progress),
    // A late message must not take back what was shown. `val`: a bare number would stand in the text and make each one new.
    processed: (columns: Columns) =>
      columns
        .case()
        .when('processed', '>', progress.processed)
        .then(columns.ref('processed'))
        .else(columns.val(progress.processed))
        .end(),
    updated_at: progress.at.toISOString(),
  })
}

export async function writeFiles(db: Kysely<Tables>, run: Run, files: readonly StoredFile[]): Promise<Job | null> {
  return writeRunning(db, run, { files: JSON.stringify(files) })
}

export async function writeSession(db: Kysely<Tables>, run: Run, session: string | null): Promise<Job | null> {
  return writeRunning(db, run, { session })
}

/** What a run writes while it goes on; null, and nothing is changed, where it is no longer the job's own. */
async function writeRunning(db: Kysely<Tables>, run: Run, set: UpdateObject<Tables, 'jobs'>): Promise<Job | null> {
  const row = await db
    .updateTable('jobs')
    .set(set)
    .where('id', '=', run.id)
    .where('run', '=', run.run)
    .where('status', '=', 'in_progress')
    .returningAll()
    .executeTakeFirst()
  return row ? toJob(row) : null
}

export async function completeJob(writing: Writing, run: Run, completion: Completion): Promise<Job | null> {
  const set = {
    ...progressColumns(completion.progress),
    results: JSON.stringify(completion.results),
    error: null,
    errors_log: JSON.stringify(completion.errorsLog),
    files: JSON.stringify(completion.files),
    manifest: JSON.stringify(completion.manifest),
    completed_at: completion.completedAt.toISOString(),
    expires_at: completion.expiresAt.toISOString(),
  }
  const event = { type: 'completed', at: completion.completedAt, data: {}, actor: null } as const
  const job = await moveJob(writing, 'complete', run, set, event)
  const bytes = completion.files.reduce((sum, file) => sum + file.bytes, 0)
  if (job) await addUsage(writing.tx, job.tenant, completion.completedAt, { rows: completion.progress.processed, bytes })
  return job
}

export async function failJob(
  writing: Writing,
  run: Run,
  error: PlainError,
  errorsLog: readonly LogEntry[],
  now: Date,
): Promise<Job | null> {
  const set = { error: errorText(error), errors_log: JSON.stringify(errorsLog), failed_at: now.toISOString() }
  return moveJob(writing, 'fail', run, set, { type: 'failed', at: now, data: errorData(error), actor: null })
}

export async function retryJob(writing: Writing, run: Run, error: PlainError, availableAt: Date, now: Date): Promise<Job | null> {
  const set = { error: errorText(error), available_at: availableAt.toISOString() }
  const data = { ...errorData(error), availableAt: availableAt.toISOString() }
  return moveJob(writing, 'retry', run, set, { type: 'retried', at: now, data, actor: null })
}

export async function giveBackJob(writing: Writing, run: Run, now: Date): Promise<Job | null> {
  const set = { failures: (columns: Columns) => columns('failures', '-', 1), available_at: null }
  return moveJob(writing, 'return', run, set, { type: 'returned', at: now, data: {}, actor: null })
}

const errorData = ({ code, message }: PlainError) => ({ code, message })
const errorText = (error: PlainError) => JSON.stringify(errorData(error))

export async function pendingJobs(db: Kysely<Tables>): Promise<readonly WaitingJob[]> {
  const rows = await db
    .selectFrom('jobs')
    .select(['id', 'tenant', 'available_at', 'created_at'])
    .where('status', '=', 'pending')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    tenant: row.tenant,
    availableAt: row.available_at === null ? null : new Date(row.available_at),
    createdAt: new Date(row.created_at),
  }))
}

export async function unfinishedRuns(db: Kysely<Tables>): Promise<readonly { job: Job; session: string | null }[]> {
  const rows = await db.selectFrom('jobs').selectAll().where('status', '=', 'in_progress').orderBy('id').execute()
  return rows.map((row) => ({ job: toJob(row), session: row.session }))
}
