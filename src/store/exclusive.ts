/** One unfinished job for each text of a tenant: what the unique index `jobs_exclusive` refuses, said in words. */
import { type Kysely, sql } from 'kysely'
import { FreightError } from '../job/errors.ts'
import type { JobRow, Tables } from './tables.ts'

const UNFINISHED = sql<boolean>`exclusive is not null and status in ('pending', 'in_progress', 'interrupted')`

/** Throws EXPORT_ACTIVE where another job is in the way. */
export async function insertUnlessExcluded(tx: Kysely<Tables>, row: JobRow): Promise<void> {
  const inserted = await tx
    .insertInto('jobs')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'exclusive']).where(UNFINISHED).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!inserted) throw excluded()
}

/** For a move back to the queue: throws EXPORT_ACTIVE for what the index refused, and anything else as it is. */
export function refuseExcluded(thrown: unknown): never {
  const { code, message = '' } = (thrown ?? {}) as { code?: unknown; message?: string }
  // SQLite names the columns, PostgreSQL the index.
  const isRefused =
    (code === 'SQLITE_CONSTRAINT_UNIQUE' && message.includes('jobs.exclusive')) ||
    (code === '23505' && message.includes('jobs_exclusive'))
  throw isRefused ? excluded(thrown) : thrown
}

function excluded(cause?: unknown): FreightError {
  return new FreightError(
    'EXPORT_ACTIVE',
    'Another export of the same thing is pending, running or interrupted, and only one may be. Wait for its end, or cancel it.',
    { cause },
  )
}
