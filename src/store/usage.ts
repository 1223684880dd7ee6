/** What each tenant has used on each day (UTC), and the refusal of more than it may. */
import { type Kysely, sql } from 'kysely'
import { FreightError } from '../job/errors.ts'
import type { DayUsage, TenantLimits } from './store.ts'
import type { Tables } from './tables.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** A waiting job may begin at any moment; asking more often than this only costs. */
const WAITING_RETRY_SECONDS = 10
/** Days that are kept, for the operator to look at. */
const KEPT_DAYS = 92

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10)
}

/** To be called in the transaction that completes the run, so that nothing is counted twice or not at all. */
export async function addUsage(tx: Kysely<Tables>, tenant: string, at: Date, used: DayUsage): Promise<void> {
  await tx
    .insertInto('usage')
    .values({ tenant, day: dayOf(at), rows: used.rows, bytes: used.bytes })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'day']).doUpdateSet({
        rows: sql<number>`${sql.ref('usage.rows')} + ${used.rows}`,
        bytes: sql<number>`${sql.ref('usage.bytes')} + ${used.bytes}`,
      }),
    )
    .execute()
}

export async function usageOn(db: Kysely<Tables>, tenant: string, at: Date): Promise<DayUsage> {
  const row = await db
    .selectFrom('usage')
    .select(['rows', 'bytes'])
    .where('tenant', '=', tenant)
    .where('day', '=', dayOf(at))
    .executeTakeFirst()
  return { rows: Number(row?.rows ?? 0), bytes: Number(row?.bytes ?? 0) }
}

export async function pruneUsage(db: Kysely<Tables>, now: Date): Promise<void> {
  await db
    .deleteFrom('usage')
    .where('day', '<', dayOf(new Date(now.getTime() - KEPT_DAYS * DAY_MS)))
    .execute()
}

/**
 * To be called in the transaction that adds a waiting job: of simultaneous calls none slips past. `rows`: those that the job is known to
 * have; null when that is not known. Throws RATE_LIMITED with the seconds to wait.
 */
export async function assertWithinLimits(
  tx: Kysely<Tables>,
  job: { readonly tenant: string; readonly rows: number | null },
  limits: TenantLimits,
  now: Date,
): Promise<void> {
  if (limits.waiting !== null) {
    const row = await tx
      .selectFrom('jobs')
      .select((jobs) => jobs.fn.countAll<number | string>().as('waiting'))
      .where('tenant', '=', job.tenant)
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow()
    if (Number(row.waiting) >= limits.waiting) {
      throw tooMuch(`${limits.waiting} exports of this tenant wait already, which is the most`, WAITING_RETRY_SECONDS)
    }
  }
  if (limits.rowsPerDay === null && limits.bytesPerDay === null) return
  const used = await usageOn(tx, job.tenant, now)
  const untilMidnight = Math.ceil((DAY_MS - (now.getTime() % DAY_MS)) / 1000)
  if (limits.rowsPerDay !== null && used.rows + Math.max(1, job.rows ?? 1) > limits.rowsPerDay) {
    const left = Math.max(0, limits.rowsPerDay - used.rows)
    throw tooMuch(`Of ${limits.rowsPerDay} rows a day (UTC) this tenant has ${left} left`, untilMidnight)
  }
  if (limits.bytesPerDay !== null && used.bytes >= limits.bytesPerDay) {
    throw tooMuch(`The ${limits.bytesPerDay} bytes a day (UTC) of this tenant are used up`, untilMidnight)
  }
}

function tooMuch(what: string, retryAfterSeconds: number): FreightError {
  return new FreightError('RATE_LIMITED', `${what}. Try again in ${retryAfterSeconds} s, or ask the operator for more.`, {
    details: { retryAfterSeconds },
  })
}
