/** From a job to the wire: the attributes of an export. Pure. */
import type { Job } from '../../job/job.ts'
import { estimateCompletion, percentage } from '../../job/progress.ts'

type ExportStatus = 'pending' | 'in_progress' | 'interrupted' | 'completed' | 'failed'

export interface ViewSite {
  readonly now: Date
  /** resource_type by the resource behind it. */
  typeOf(resource: string): string
  /** A link that was minted for this answer; null where there is no file, or the caller may not have it. */
  readonly attachmentUrl: string | null
}

export type ExportAttributes = ReturnType<typeof viewExport>

/** Every name is always there. Lists and objects are never null: clients join and walk them without asking. */
export function viewExport(job: Job, site: ViewSite) {
  const asked = askedOf(job)
  return {
    resource_type: site.typeOf(job.request.parts[0]?.resource ?? ''),
    format: wireFormat(job.request.format),
    status: wireStatus(job.status),
    includes: asked.includes,
    fields: asked.fields,
    filters: asked.filters,
    dry_data: asked.dry_data,
    jwt_filters: asked.jwt_filters,
    started_at: time(job.startedAt),
    completed_at: time(job.completedAt),
    estimated_completion_at: job.status === 'in_progress' ? time(estimateCompletion(job.progress, site.now)) : null,
    interrupted_at: time(job.interruptedAt ?? job.cancelledAt),
    // Rows that could not be counted in the time there was: clients give up on an export of none, and none is made of none.
    records_count: job.progress.total ?? Math.max(1, job.progress.processed),
    processed_count: job.progress.processed,
    progress: percentage(job.progress, job.status) ?? 0,
    attachment_url: site.attachmentUrl,
    errors_log: job.status === 'failed' ? errorsLog(job.error) : {},
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
    reference: job.reference,
    reference_origin: job.referenceOrigin,
    metadata: job.metadata,
  }
}

export const EXPORT_ATTRIBUTES = [
  'resource_type',
  'format',
  'status',
  'includes',
  'fields',
  'filters',
  'dry_data',
  'jwt_filters',
  'started_at',
  'completed_at',
  'estimated_completion_at',
  'interrupted_at',
  'records_count',
  'processed_count',
  'progress',
  'attachment_url',
  'errors_log',
  'created_at',
  'updated_at',
  'reference',
  'reference_origin',
  'metadata',
] as const satisfies readonly (keyof ExportAttributes)[]

/** What this protocol keeps of a request that the job's own record cannot spell. */
export interface SentAttributes {
  readonly includes: readonly string[]
  readonly fields: readonly string[]
  readonly filters: Readonly<Record<string, unknown>>
  readonly jwt_filters: boolean
}

/** Which rows and columns were asked for: what no one can change afterwards. */
export function askedOf(job: Job) {
  const { includes, fields, filters, jwt_filters } = sentOf(job)
  return { includes, fields, filters, dry_data: job.request.dryData, jwt_filters }
}

/** An export that was made over another wire shows what it was asked for there. */
function sentOf({ protocol, protocolData, request }: Job): SentAttributes {
  // Written by `request.ts` of this protocol, and by nobody else under this name.
  if (protocol === PROTOCOL) return protocolData as unknown as SentAttributes
  const [part] = request.parts
  return { includes: part?.includes ?? [], fields: part?.fields ?? [], filters: part?.filters ?? {}, jwt_filters: false }
}

export const PROTOCOL = 'api-exports'

/** What was cancelled over another wire has stopped here too, and cannot go on. */
export function wireStatus(status: Job['status']): ExportStatus {
  return status === 'cancelled' ? 'interrupted' : status
}

/** Null for a format that this protocol has no word for. */
export function wireFormat(format: string): 'json' | 'csv' | null {
  return format === 'json' || format === 'csv' ? format : null
}

export function errorsLog(error: { readonly code: string; readonly message: string } | null): Record<string, string> {
  return error === null ? {} : { [error.code]: error.message }
}

function time(at: Date | null): string | null {
  return at === null ? null : at.toISOString()
}
