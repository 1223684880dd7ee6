/** From a job to the wire: the one shape in which this API shows an export. Pure. */
import type { Estimate, EstimateWarning } from '../../exports/estimate.ts'
import type { listResources } from '../../exports/resources.ts'
import { isExpired, type Job, type JobEvent, type StoredFile } from '../../job/job.ts'
import { viewManifest } from '../../job/manifest-view.ts'
import { estimateCompletion, percentage } from '../../job/progress.ts'
import type { OutputRequest, PartRequest } from '../../job/spec.ts'

/** Every name is always there; what is not known or does not apply is null. `ExportSchema` describes it. */
export type ExportView = ReturnType<typeof viewExport>

/** `queuePosition` is null when the job does not wait. No storage key and no session of the source is ever shown. */
export function viewExport(job: Job, at: { now: Date; queuePosition: number | null }) {
  const { request } = job
  return {
    id: job.id,
    tenant: job.tenant,
    mode: job.mode,
    status: isExpired(job, at.now) ? ('expired' as const) : job.status,
    queue_position: at.queuePosition,
    ...viewParts(request.parts),
    format: request.format,
    compression: request.compression,
    dry_data: request.dryData,
    options: viewOptions(request.options),
    on_row_error: request.onRowError ?? 'fail',
    reference: job.reference,
    reference_origin: job.referenceOrigin,
    metadata: job.metadata,
    progress: viewProgress(job),
    estimated_completion_at: job.status === 'in_progress' ? time(estimateCompletion(job.progress, at.now)) : null,
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
    started_at: time(job.startedAt),
    completed_at: time(job.completedAt),
    failed_at: time(job.failedAt),
    interrupted_at: time(job.interruptedAt),
    cancelled_at: time(job.cancelledAt),
    expires_at: time(job.expiresAt),
    results: job.results && {
      successful: job.results.successful,
      warnings: job.results.warnings,
      errors: job.results.errors,
    },
    error: job.error && { code: job.error.code, message: job.error.message },
    errors_log: job.errorsLog.map(({ resource, row, key, column, what }) => ({ resource, row, key, column, what })),
    files: isExpired(job, at.now) ? [] : viewFiles(job.files),
    manifest: job.manifest && viewManifest(job.manifest),
    attempt: job.run,
  }
}

/** The usual export has one part, shown flat. Several are shown as they were asked for. */
function viewParts(parts: readonly PartRequest[]) {
  const [only, second] = parts
  if (only && !second) return { ...viewPart(only), parts: null }
  const none = { resource: null, fields: null, includes: null, filters: null, sort: null, limit: null, split: null }
  return { ...none, parts: parts.map(viewPart) }
}

function viewPart({ resource, fields, includes, filters, sort, limit, split = null }: PartRequest) {
  return { resource, fields, includes, filters, sort, limit, split }
}

function viewOptions(options: OutputRequest) {
  return {
    profile: options.profile ?? null,
    delimiter: options.delimiter ?? null,
    header: options.header ?? null,
    quoting: options.quoting ?? null,
    null_text: options.null_text ?? null,
    bom: options.bom ?? null,
    line_end: options.line_end ?? null,
    times: options.times ?? null,
    time_zone: options.time_zone ?? null,
    ...(options.max_cell_mb == null ? {} : { max_cell_mb: options.max_cell_mb }),
  }
}

function viewProgress({ progress, status }: Job) {
  return {
    processed: progress.processed,
    total: progress.total,
    total_is_estimate: progress.totalIsEstimate,
    percentage: percentage(progress, status),
    rows_per_second: progress.rowsPerSecond === null ? null : Math.round(progress.rowsPerSecond),
  }
}

/** The only files that can be had now. Their storage key stays inside. */
function viewFiles(files: readonly StoredFile[]) {
  return files.map(({ name, resource, rows, bytes, sha256 }, index) => ({
    number: index + 1,
    name,
    resource,
    rows,
    bytes,
    sha256,
  }))
}

function time(at: Date | null): string | null {
  return at === null ? null : at.toISOString()
}

export function viewEvent({ seq, type, at, run, data }: JobEvent) {
  return { seq, type, at: at.toISOString(), attempt: run, data }
}

export function viewEstimate({ rows, formats, preview, warnings }: Estimate) {
  return {
    rows: rows.rows,
    rows_is_estimate: rows.rows !== null && !rows.exact,
    formats: Object.fromEntries(formats.map(({ format, bytes, seconds }) => [format, { bytes, seconds }])),
    preview: preview && {
      format: preview.format,
      resource: preview.resource,
      rows: preview.rows,
      // Formats write UTF-8 only, so the text holds exactly the file's bytes, a byte order mark included.
      text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(preview.bytes),
      fields: preview.fields.map(({ name, type }) => ({ name, type })),
    },
    warnings: warnings.map(viewWarning),
  }
}

function viewWarning(warning: EstimateWarning): { code: string; message: string; column: string | null } {
  switch (warning.kind) {
    case 'cells_changed': {
      const message = `In the first rows ${warning.cells} cells of ${warning.column} are not written as they are: ${warning.cause}.`
      return { code: 'CELLS_CHANGED', message, column: warning.column }
    }
    case 'formula_like_cells': {
      const message = `In the first rows ${warning.cells} cells of ${warning.column} would run as formulas in a spreadsheet. The profile excel guards them.`
      return { code: 'FORMULA_LIKE_CELLS', message, column: warning.column }
    }
    case 'too_many_rows': {
      const message = `${warning.exact ? '' : 'About '}${warning.rows} rows are more than the ${warning.bound} that are allowed. Narrow the export with filters or set a limit.`
      return { code: 'TOO_MANY_ROWS', message, column: null }
    }
    case 'preview_unavailable':
      return { code: 'PREVIEW_UNAVAILABLE', message: warning.error.message, column: null }
  }
}

type Resource = ReturnType<typeof listResources>[number]

export function viewResource({ name, fields, relations, primaryKey, defaultSort, maxRows, retentionMs }: Resource) {
  return {
    name,
    fields: fields.map((field) => ({ name: field.name, type: field.type, nullable: field.nullable, mask: field.mask ?? null })),
    relations: relations.map((relation) => ({ name: relation.name, resource: relation.resource, kind: relation.kind })),
    primary_key: primaryKey,
    default_sort: defaultSort,
    max_rows: maxRows,
    retention_seconds: Math.round(retentionMs / 1000),
  }
}
