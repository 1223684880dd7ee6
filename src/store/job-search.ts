/** Finds jobs by conditions of a caller's own, a page at a time, and counts all that fit. */
import { setImmediate } from 'node:timers/promises'
import { type Expression, type Kysely, type SqlBool, sql } from 'kysely'
import type { Job } from '../job/job.ts'
import type { JobCondition, JobField, JobFieldValue, JobSearch } from '../job/search.ts'
import type { Engine } from './engine.ts'
import { toJob } from './job-rows.ts'
import type { JobRights } from './store.ts'
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
  metadata: 'jobs.metadata',
  createdAt: 'jobs.created_at',
  updatedAt: 'jobs.updated_at',
  startedAt: 'jobs.started_at',
  completedAt: 'jobs.completed_at',
  interruptedAt: 'jobs.interrupted_at',
}

const COMPARED = { eq: sql`=`, lt: sql`<`, lteq: sql`<=`, gt: sql`>`, gteq: sql`>=` } as const

/** Page and count are two questions: a job created in between is in one of them only. */
export async function searchJobs(
  { db, engine }: { db: Kysely<Tables>; engine: Engine },
  tenant: string,
  { resources, rights, where, order, offset, limit }: JobSearch,
): Promise<{ jobs: readonly Job[]; total: number }> {
  if (resources.length === 0 || rights?.length === 0) return { jobs: [], total: 0 }
  const found = db
    .selectFrom('jobs')
    .where('jobs.tenant', '=', tenant)
    .where('jobs.resource', 'in', resources)
    .$if(rights !== null, (jobs) => jobs.where('jobs.rights', 'in', rights ?? []))
    .where('jobs.id', 'not in', ({ selectFrom }) =>
      selectFrom('job_resources')
        .select('job_resources.job_id')
        .where('job_resources.tenant', '=', tenant)
        .where('job_resources.resource', 'not in', resources),
    )
    .where(conditionSql(engine, where))
  // Ids first: all that is asked of them stands in one index, and only the jobs of the page are read.
  let page = found.select('jobs.id')
  for (const { field, descending } of order) {
    // The engines disagree on where NULLs stand, so it is said.
    page = page.orderBy(sql`${sql.ref(COLUMNS[field])} is null`, descending ? 'desc' : 'asc')
    page = page.orderBy(sql.ref(COLUMNS[field]), descending ? 'desc' : 'asc')
  }
  const ids = (await page.orderBy('jobs.id', 'desc').limit(limit).offset(offset).execute()).map(({ id }) => id)
  const jobs = await jobsInOrder(db, ids)
  // The last page says itself how many there are.
  if (ids.length < limit && (ids.length > 0 || offset === 0)) return { jobs, total: offset + ids.length }
  const { total } = await found.select((count) => count.fn.countAll().as('total')).executeTakeFirstOrThrow()
  return { jobs, total: Number(total) }
}

/** Jobs are read so many at once: rows are long, and SQLite holds everyone else up while it reads. */
const READ_AT_ONCE = 100

/** One that was removed meanwhile is missing. */
async function jobsInOrder(db: Kysely<Tables>, ids: readonly string[]): Promise<Job[]> {
  const jobs: Job[] = []
  for (let start = 0; start < ids.length; start += READ_AT_ONCE) {
    if (start > 0) await setImmediate()
    const some = ids.slice(start, start + READ_AT_ONCE)
    const rows = await db.selectFrom('jobs').selectAll().where('id', 'in', some).execute()
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const id of some) {
      const row = byId.get(id)
      if (row) jobs.push(toJob(row))
    }
  }
  return jobs
}

export async function rightsAmong(
  db: Kysely<Tables>,
  tenant: string,
  { after, limit }: { after: string; limit: number },
): Promise<JobRights[]> {
  const rows = await db
    .with('kinds', (kinds) =>
      kinds
        .selectFrom('jobs')
        .select(({ fn }) => fn.max('jobs.id').as('id'))
        .where('jobs.tenant', '=', tenant)
        .where('jobs.rights', '>', after)
        .groupBy('jobs.rights')
        .orderBy('jobs.rights')
        .limit(limit),
    )
    .selectFrom('jobs')
    .innerJoin('kinds', 'kinds.id', 'jobs.id')
    .select(['jobs.rights', 'jobs.spec'])
    .orderBy('jobs.rights')
    .execute()
  // The store wrote this JSON itself from the type it is read back as.
  return rows.map(({ rights, spec }) => ({ rights, spec: JSON.parse(spec) as Job['spec'] }))
}

/** Values are bound, columns come from the table above: nothing of a caller's stands in the text. */
function conditionSql(engine: Engine, condition: JobCondition): Expression<SqlBool> {
  switch (condition.op) {
    case 'and':
    case 'or':
      return joined(engine, condition.op, condition.of)
    case 'not':
      return sql<SqlBool>`not (${conditionSql(engine, condition.of)})`
    case 'is_null':
      return sql<SqlBool>`${sql.ref(COLUMNS[condition.field])} is null`
    case 'in':
      if (condition.values.length === 0) return sql<SqlBool>`1 = 0`
      return sql<SqlBool>`${sql.ref(COLUMNS[condition.field])} in (${sql.join(condition.values.map(bound))})`
    case 'like':
      // Both sides in lower case: of the engines only SQLite's LIKE ignores case.
      return sql<SqlBool>`lower(${sql.ref(COLUMNS[condition.field])}) like lower(${condition.pattern}) escape '\\'`
    case 'json_contains':
      return engine.jsonContains(COLUMNS[condition.field], condition.json)
    default:
      return sql<SqlBool>`${sql.ref(COLUMNS[condition.field])} ${COMPARED[condition.op]} ${bound(condition.value)}`
  }
}

function joined(engine: Engine, op: 'and' | 'or', of: readonly JobCondition[]): Expression<SqlBool> {
  if (of.length === 0) return op === 'and' ? sql<SqlBool>`1 = 1` : sql<SqlBool>`1 = 0`
  return sql<SqlBool>`(${sql.join(
    of.map((each) => conditionSql(engine, each)),
    op === 'and' ? sql` and ` : sql` or `,
  )})`
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
