/** What changed in a job, attribute by attribute: written with the event that tells of the change, in the same transaction. */
import type { Kysely } from 'kysely'
import { type JobVersion, VERSIONED_ATTRIBUTES, type VersionedAttribute } from '../job/version.ts'
import { toEvent } from './job-rows.ts'
import type { JobRow, Tables } from './tables.ts'

/** `before` is null for a job that did not exist. Nothing is written where nothing changed. */
export async function writeVersion(tx: Kysely<Tables>, eventSeq: number, before: JobRow | null, after: JobRow): Promise<void> {
  const changed = VERSIONED_ATTRIBUTES.filter((name) => valueAt(before, name) !== valueAt(after, name))
  if (changed.length === 0) return
  const changes = changed.map((name) => [name, [told(before, name), told(after, name)]])
  await tx
    .insertInto('versions')
    .values({ event_seq: eventSeq, job_id: after.id, changes: JSON.stringify(Object.fromEntries(changes)) })
    .execute()
}

/** As the row holds it, so that JSON compares as text; counts come as text from PostgreSQL's driver. */
function valueAt(row: JobRow | null, name: VersionedAttribute): string | number | null {
  const value = row?.[name] ?? null
  return name === 'total' && value !== null ? Number(value) : value
}

function told(row: JobRow | null, name: VersionedAttribute): unknown {
  const value = valueAt(row, name)
  const isDocument = name === 'error' || name === 'metadata'
  return isDocument && typeof value === 'string' ? JSON.parse(value) : value
}

/** Oldest first. */
export async function versionsOf(db: Kysely<Tables>, jobId: string): Promise<readonly JobVersion[]> {
  const rows = await db
    .selectFrom('versions')
    .innerJoin('events', 'events.seq', 'versions.event_seq')
    .selectAll('events')
    .select('versions.changes')
    .where('versions.job_id', '=', jobId)
    .orderBy('versions.event_seq')
    .execute()
  // The store wrote this JSON itself, from the row's own columns.
  return rows.map(({ changes, ...event }) => ({ event: toEvent(event), changes: JSON.parse(changes) as JobVersion['changes'] }))
}
