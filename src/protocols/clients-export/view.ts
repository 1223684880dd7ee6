/** From a job to the wire: CsvExportJobDto. Pure. Every member is always there; what is not known is null. */
import type { Job } from '../../job/job.ts'
import type { Mapping } from './clients.ts'
import type { MappingPage } from './mapping-request.ts'

const STATUS = {
  pending: 'Queued',
  in_progress: 'InProgress',
  interrupted: 'Queued',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const

/** `downloadUrl` is null unless there is a file. */
export function viewJob(job: Job, downloadUrl: string | null) {
  const status = STATUS[job.status]
  const isQueued = status === 'Queued'
  const { processed, total } = job.progress
  return {
    code: job.id,
    status,
    // Behind an estimate there may be more rows; processed never stands above the total.
    totalItems: isQueued || job.startedAt === null || total === null ? null : Math.max(total, processed),
    processedItems: isQueued ? 0 : processed,
    downloadUrl,
    startedDate: isQueued ? null : instant(job.startedAt),
    completedDate: instant(endOf(job)),
    createdDate: job.createdAt.toISOString(),
  }
}

function endOf(job: Job): Date | null {
  switch (job.status) {
    case 'completed':
      return job.completedAt
    case 'failed':
      return job.failedAt
    case 'cancelled':
      return job.cancelledAt
    default:
      return null
  }
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString()
}

/** A page of a list, in the envelope that the product's lists have. */
export function viewMappings(mappings: readonly Mapping[], { offset, limit }: MappingPage) {
  const data = mappings.slice(offset, offset + limit).map(viewMapping)
  return { data, totalCount: mappings.length, offset, limit, hasMore: offset + data.length < mappings.length }
}

/** CsvMappingDto. */
export function viewMapping({ code, name, columns, matchField, isPreset, createdAt, updatedAt }: Mapping) {
  return {
    code,
    name,
    columnMappings: columns.map(({ csvHeader, targetField }) => ({ csvHeader, targetField })),
    matchField,
    isPreset,
    mappingType: 'Client' as const,
    createdDate: instant(createdAt),
    updatedDate: instant(updatedAt),
  }
}
