/** Finds jobs by conditions of a caller's own, a page at a time, and counts all that fit. */
import { type Expression, type Kysely, type SqlBool, sql } from 'kysely'
import type { Job } from '../job/job.ts'
import type { JobCondition, JobField, JobFieldValue, JobSearch } from '../job/search.ts'
import { toJob } from './job-rows.ts'
import type { Tables } from './tables.ts'

const COLUMNS: Readonly<Record<JobField, string>> = {
  shortId: 'jobs.short_id',
  status: 'jobs.status',
  resource: 'jobs.resource',
  format: 'jobs.format',
  total: 'jobs.total',
  processed: 'jobs.processed',
  reference: 'jobs.reference',
  referenceOrigin: 'jobs.reference_origin',
  createdAt: 'jobs.created_at',
  updatedAt: 'jobs.updated_at',
  startedAt: 'jobs.started_at',
  completedAt: 'jobs.completed_at',
  interruptedAt: 'jobs.interrupted_at',
}

const COMPARED = { eq: sql`=`, lt: sql`<`, lteq: sql`<=`, gt: sql`>`, gteq: sql`>=` } as const

/** Page and count are two questions: a job created in between is in one of them only. */
export async function searchJobs(
  db: Kysely<Tables>,
  tenant: string,
  { resources, where, order, offset, limit }: JobSearch,
): Promise<{ jobs: readonly Job[]; total: number }> {
  if (resources.length === 0) return { jobs: [], total: 0 }
  const found = db
    .selectFrom('jobs')
    .where('jobs.tenant', '=', tenant)
    .where('jobs.resource', 'in', resources)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('job_resources')
            .select('job_resources.job_id')
            .whereRef('job_resources.job_id', '=', 'jobs.id')
            .where('job_resources.resource', 'not in', resources),
        ),
      ),
    )
    .where(conditionSql(where))
  let page = found.selectAll('jobs')
  for (const { field, descending } of order) {
    // The engines disagree on where NULLs stand, so it is said.
    page = page.orderBy(sql`${sql.ref(COLUMNS[field])} is null`, descending ? 'desc' : 'asc')
    page = page.orderBy(sql.ref(COLUMNS[field]), descending ? 'desc' : 'asc')
  }
  const rows = await page.orderBy('jobs.id', 'desc').limit(limit).offset(offset).execute()
  const { total } = await found.select((count) => count.fn.countAll().as('total')).executeTakeFirstOrThrow()
  return { jobs: rows.map(toJob), total: Number(total) }
}

/** Values are bound, columns come from the table above: nothing of a caller's stands in the text. */
function conditionSql(condition: JobCondition): Expression<SqlBool> {
  switch (condition.op) {
    case 'and':
    case 'or':
      return joined(condition.op, condition.of)
    case 'not':
      return sql<SqlBool>`not (${conditionSql(condition.of)})`
    case 'is_null':
      return sql<SqlBool>`${sql.ref(COLUMNS[condition.field])} is null`
    case 'in':
      if (condition.values.length === 0) return sql<SqlBool>`1 = 0`
      return sql<SqlBool>`${sql.ref(COLUMNS[condition.field])} in (${sql.join(condition.values.map(bound))})`
    case 'like':
      // Both sides in lower case: of the engines only SQLite's LIKE ignores case.
      return sql<SqlBool>`lower(${sql.ref(COLUMNS[condition.field])}) like lower(${condition.pattern}) escape '\\'`
    default:
      return sql<SqlBool>`${sql.ref(COLUMNS[condition.field])} ${COMPARED[condition.op]} ${bound(condition.value)}`
  }
}

function joined(op: 'and' | 'or', of: readonly JobCondition[]): Expression<SqlBool> {
  if (of.length === 0) return op === 'and' ? sql<SqlBool>`1 = 1` : sql<SqlBool>`1 = 0`
  return sql<SqlBool>`(${sql.join(of.map(conditionSql), op === 'and' ? sql` and ` : sql` or `)})`
}

function bound(value: JobFieldValue): string | number {
  return value instanceof Date ? value.toISOString() : value
}

export async function jobByShortId(db: Kysely<Tables>, tenant: string, shortId: string): Promise<Job | null> {
  const row = await db
    .selectFrom('jobs')
    .selectAll()
    .where('short_id', '=', shortId)
    .where('tenant', '=', tenant)
    .executeTakeFirst()
  return row ? toJob(row) : null
}
