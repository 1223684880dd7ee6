/** From a job to the wire: the Export object. Pure. What is not known or does not apply is absent, never null. */
import { isExpired, type Job } from '../../job/job.ts'
import { writeInstant } from './instants.ts'
import type { Messages } from './messages.ts'
import type { AskedFilters } from './request.ts'

const STATUS = {
  pending: 'pending',
  in_progress: 'processing',
  interrupted: 'pending',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'failed',
} as const

export function viewExport(job: Job, messages: Messages, now: Date) {
  const status = isExpired(job, now) ? ('expired' as const) : STATUS[job.status]
  const asked = askedOf(job, messages)
  return {
    id: job.id,
    project_id: messages.projectOf(job.tenant),
    status,
    filter_start_time: asked.start_time ?? new Date(0).toISOString().replace('.000', ''),
    filter_end_time: asked.end_time ?? writeInstant(job.createdAt),
    ...present('filter_status', asked.status),
    ...present('filter_endpoint_id', asked.endpoint_id),
    ...present('filter_inbound_endpoint_id', asked.inbound_endpoint_id),
    ...present('direction', asked.direction),
    ...completion(job),
    ...present('error_message', errorMessage(job)),
    ...present('started_at', status === 'pending' ? undefined : instant(job.startedAt)),
    ...present('completed_at', instant(job.completedAt)),
    ...present('expires_at', instant(job.expiresAt)),
    created_at: writeInstant(job.createdAt),
  }
}

function completion({ status, results, files }: Job) {
  if (status !== 'completed' || !results) return {}
  return {
    row_count: results.successful + results.warnings,
    file_size_bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  }
}

function errorMessage({ status, error }: Job): string | undefined {
  if (status === 'cancelled') return 'The export was cancelled.'
  return status === 'failed' ? (error?.message ?? 'The export failed.') : undefined
}

/** Of a job that another protocol made, as far as its filters say the same thing. */
function askedOf({ protocol, protocolData, request }: Job, { fields }: Messages): Partial<AskedFilters> {
  if (protocol === 'v1-exports') return protocolData as Partial<AskedFilters>
  const filters = request.parts[0]?.filters ?? {}
  return {
    ...present('start_time', text(filters[`${fields.time}_gteq`])),
    ...present('end_time', text(filters[`${fields.time}_lt`])),
    ...present('status', text(filters[`${fields.status}_eq`])),
    ...present('endpoint_id', text(filters[`${fields.endpoint}_eq`])),
    ...present('inbound_endpoint_id', text(filters[`${fields.inboundEndpoint}_eq`])),
    ...present('direction', direction(filters[`${fields.direction}_eq`])),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function direction(value: unknown): AskedFilters['direction'] | undefined {
  return value === 'outbound' || value === 'inbound' ? value : undefined
}

function instant(at: Date | null): string | undefined {
  return at === null ? undefined : writeInstant(at)
}

function present<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: Value })
}
