/** One change of a job: what its attributes were and became, and the event that tells when and by whom. */
import type { JobEvent } from './job.ts'

export const VERSIONED_ATTRIBUTES = [
  'status',
  'resource',
  'format',
  'total',
  'reference',
  'reference_origin',
  'started_at',
  'completed_at',
  'failed_at',
  'interrupted_at',
  'cancelled_at',
  'expires_at',
  'error',
  'metadata',
] as const

export type VersionedAttribute = (typeof VERSIONED_ATTRIBUTES)[number]

export interface JobVersion {
  /** `data.by` names the caller who asked for the change; it is absent where a run made it. */
  readonly event: JobEvent
  /** What it was, and what it became; at the creation everything was null. Times are ISO 8601. */
  readonly changes: Readonly<Partial<Record<VersionedAttribute, readonly [unknown, unknown]>>>
}
