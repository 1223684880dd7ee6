/** Between a job and its row. */

import type { Job, JobEvent, Progress } from '../job/job.ts'
import { rightsOf } from '../job/rights.ts'
import { EXPORT_SCOPES } from '../job/scopes.ts'
import type { ApiKey, NewJob } from './store.ts'
import type { ApiKeyRow, EventRow, JobRow } from './tables.ts'

/** PostgreSQL's driver gives 64-bit integers as text, so counts go through Number; they stay far below 2^53. */
const count = (value: number): number => Number(value)
const countOrNull = (value: number | null): number | null => (value === null ? null : Number(value))
const dateOrNull = (text: string | null): Date | null => (text === null ? null : new Date(text))

// The store wrote this JSON itself from the type it is read back as.
function parse<T>(json: string): T {
  return JSON.parse(json) as T
}
const parseOrNull = <T>(json: string | null): T | null => (json === null ? null : parse<T>(json))

export const newRecord = (json: string): Readonly<Record<string, unknown>> => parse(json)

/** Read when it is asked for, and once: lists ask for none of the long documents, and reading them is most of what a row costs (58 of 110 ms of 1,000). */
function later<T>(read: () => T): () => T {
  let known: { value: T } | null = null
  return () => {
    known ??= { value: read() }
    return known.value
  }
}

export function toJob(row: JobRow): Job {
  const spec = later(() => parse<Job['spec']>(row.spec))
  const manifest = later(() => parseOrNull<NonNullable<Job['manifest']>>(row.manifest))
  return {
    id: row.id,
    shortId: row.short_id,
    tenant: row.tenant,
    mode: row.mode,
    createdBy: row.created_by,
    status: row.status,
    run: row.run,
    failures: row.failures,
    availableAt: dateOrNull(row.available_at),
    request: parse<Job['request']>(row.request),
    get spec() {
      return spec()
    },
    progress: {
      processed: count(row.processed),
      total: countOrNull(row.total),
      totalIsEstimate: row.total_is_estimate === 1,
      rowsPerSecond: row.rows_per_second,
      reached: row.reached,
      at: new Date(row.progress_at),
    },
    results: parseOrNull<NonNullable<Job['results']>>(row.results),
    error: parseOrNull<NonNullable<Job['error']>>(row.error),
    errorsLog: parse<Job['errorsLog']>(row.errors_log),
    files: parse<Job['files']>(row.files),
    get manifest() {
      return manifest()
    },
    reference: row.reference,
    referenceOrigin: row.reference_origin,
    metadata: parse<Job['metadata']>(row.metadata),
    protocol: row.protocol,
    protocolData: parse<Job['protocolData']>(row.protocol_data),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    startedAt: dateOrNull(row.started_at),
    completedAt: dateOrNull(row.completed_at),
    failedAt: dateOrNull(row.failed_at),
    interruptedAt: dateOrNull(row.interrupted_at),
    cancelledAt: dateOrNull(row.cancelled_at),
    expiresAt: dateOrNull(row.expires_at),
    filesRemovedAt: dateOrNull(row.files_removed_at),
  }
}

export function progressColumns(progress: Progress) {
  return {
    processed: progress.processed,
    total: progress.total,
    total_is_estimate: progress.totalIsEstimate ? 1 : 0,
    rows_per_second: progress.rowsPerSecond,
    reached: progress.reached,
    progress_at: progress.at.toISOString(),
  }
}

export function newJobRow(job: NewJob): JobRow {
  const createdAt = job.createdAt.toISOString()
  return {
    id: job.id,
    short_id: job.shortId,
    tenant: job.tenant,
    mode: job.mode,
    created_by: job.createdBy,
    status: 'pending',
    run: 0,
    failures: 0,
    available_at: null,
    request: JSON.stringify(job.request),
    spec: JSON.stringify(job.spec),
    ...progressColumns(job.progress),
    session: null,
    results: null,
    error: null,
    errors_log: '[]',
    files: '[]',
    manifest: null,
    reference: job.reference,
    reference_origin: job.referenceOrigin,
    metadata: JSON.stringify(job.metadata),
    resource: job.request.parts[0]?.resource ?? '',
    format: job.request.format,
    protocol: job.protocol,
    protocol_data: JSON.stringify(job.protocolData),
    exclusive: job.exclusive ?? null,
    rights: rightsOf(job.spec),
    created_at: createdAt,
    updated_at: createdAt,
    started_at: null,
    completed_at: null,
    failed_at: null,
    interrupted_at: null,
    cancelled_at: null,
    expires_at: null,
    files_removed_at: null,
  }
}

export function toEvent(row: EventRow): JobEvent {
  return {
    seq: count(row.seq),
    jobId: row.job_id,
    type: row.type,
    at: new Date(row.at),
    run: row.run,
    data: parse<JobEvent['data']>(row.data),
  }
}

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    mode: row.mode,
    createdAt: new Date(row.created_at),
    revokedAt: dateOrNull(row.revoked_at),
    scopes: row.scopes === null ? EXPORT_SCOPES : parse<ApiKey['scopes']>(row.scopes),
    claims: row.claims === null ? {} : newRecord(row.claims),
  }
}
