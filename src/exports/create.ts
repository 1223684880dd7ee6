/** Creates an export: checked, counted, stored, queued. */
import { actorOf, type Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import type { RowCount } from '../job/row-text.ts'
import type { CheckedSpec, ExportRequest } from '../job/spec.ts'
import type { NewJob } from '../store/store.ts'
import { assertMay, assertPermitted, isVisible } from './access.ts'
import type { ExportsContext } from './context.ts'
import { countRows, rowBound } from './count.ts'
import { type DestinationRequest, sealDestination } from './destination.ts'
import { idempotencyRecord } from './idempotency.ts'
import { newJobId, newShortId } from './ids.ts'

export interface NewExport {
  readonly request: ExportRequest
  readonly reference: string | null
  readonly referenceOrigin: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  /** Absent for Freight's own API. `data` is what the protocol's answers will need of the request: plain data. */
  readonly protocol?: { readonly name: string; readonly data: Readonly<Record<string, unknown>> }
  /** Files are copied there before the export is completed. */
  readonly destination?: DestinationRequest | null
  /** Of the tenant's exports with the same text here only one may be pending, in progress or interrupted; the next is refused. */
  readonly exclusive?: string | null
  /** How far a protocol bounds its exports, beside what the resources allow. */
  readonly bounds?: ExportBounds
  /** `body` is the whole parsed request body: an equal key with an unequal body is refused. */
  readonly idempotency: { readonly key: string; readonly body: unknown } | null
}

interface ExportBounds {
  /** Beyond so many rows the run fails too, where they could not be counted before. */
  readonly maxRows: number
  /** How many of the tenant's exports that this protocol made may be pending or in progress at once. */
  readonly maxActive: number
  /** How long the caller waits for the exact count. */
  readonly countMs: number
  /** Asked with an exact count and what is allowed, before anything is stored; throws to refuse. */
  judge(rows: number, allowed: number): void
}

/** The caller waits for the count, so it may not take longer; a run counts again under its own snapshot. */
const COUNT_MS = 1_000

/**
 * Durable before it resolves. With an idempotency key that was used before it resolves with the earlier export.
 *
 * Throws what the catalog refuses, FORBIDDEN, VALIDATION_FAILED for a destination, EXPORT_ACTIVE for `exclusive`, TOO_MANY_ROWS, TOO_MANY_ACTIVE,
 * RATE_LIMITED, IDEMPOTENCY_MISMATCH, SHUTTING_DOWN; then nothing is stored.
 */
export async function createExport(context: ExportsContext, caller: Principal, input: NewExport): Promise<Job> {
  assertMay(caller, 'write')
  if (!context.accepting()) {
    throw new FreightError('SHUTTING_DOWN', 'This server is stopping and takes no new exports. Try again shortly.', {
      details: { retryAfterSeconds: 5 },
    })
  }
  const now = context.now()
  const { idempotency } = input
  const record = idempotency ? idempotencyRecord(idempotency.key, idempotency.body, now) : null
  // A repeated request is answered from memory, also when its resource has grown or gone since.
  const earlier = record ? await context.store.recall(caller.tenant, record, now) : null
  if (earlier) return sameRequest(visible(context, caller, earlier.job))
  const { bounds } = input
  const checked = boundedSpec(context.catalog().check(input.request, caller), bounds)
  const spec = input.destination ? { ...checked, destination: sealDestination(input.destination, context.destinations) } : checked
  // Files that are sent are as good as downloaded.
  if (spec.destination) assertPermitted(context, caller, { spec }, 'download')
  const count = await countRows(context, spec, bounds?.countMs ?? COUNT_MS)
  if (bounds && count.exact && count.rows !== null) bounds.judge(count.rows, rowBound(spec) ?? bounds.maxRows)
  assertWithinBound(spec, count)
  const terms = { actor: actorOf(caller), limits: context.limits?.(caller.tenant) ?? null }
  const { job, created } = await context.store.create(newJob(caller, input, spec, count, now), record, terms)
  const result = sameRequest(visible(context, caller, job))
  if (created) context.queue.add({ id: result.id, tenant: result.tenant, availableAt: result.availableAt })
  return result
}

function boundedSpec(spec: CheckedSpec, bounds: ExportBounds | undefined): CheckedSpec {
  if (!bounds) return spec
  const { maxRows } = bounds
  return { ...spec, parts: spec.parts.map((part) => ({ ...part, maxRows: Math.min(part.maxRows ?? maxRows, maxRows) })) }
}

/** An equal key of another caller of the tenant is another request where its rows are not this caller's to see. */
function visible(context: ExportsContext, caller: Principal, job: Job | null): Job | null {
  return job && isVisible(context, caller, job, 'write') ? job : null
}

function sameRequest(job: Job | null): Job {
  if (job) return job
  throw new FreightError(
    'IDEMPOTENCY_MISMATCH',
    'This Idempotency-Key was used within the last 24 hours for a request with another body. Use a new key for a new export.',
  )
}

/** Only an exact count refuses; behind an estimate the run itself fails rather than cut the file. */
function assertWithinBound(spec: CheckedSpec, count: RowCount): void {
  const bound = rowBound(spec)
  if (bound === null || !count.exact || count.rows === null || count.rows <= bound) return
  throw new FreightError(
    'TOO_MANY_ROWS',
    `This export has ${count.rows} rows; at most ${bound} are allowed. Narrow it with filters or set a limit.`,
  )
}

function newJob(caller: Principal, input: NewExport, spec: CheckedSpec, count: RowCount, now: Date): NewJob {
  return {
    id: newJobId(),
    shortId: newShortId(),
    tenant: caller.tenant,
    mode: caller.mode,
    createdBy: caller.id,
    request: input.request,
    spec,
    progress: {
      processed: 0,
      total: count.rows,
      totalIsEstimate: count.rows !== null && !count.exact,
      rowsPerSecond: null,
      reached: 0,
      at: now,
    },
    reference: input.reference,
    referenceOrigin: input.referenceOrigin,
    metadata: input.metadata,
    protocol: input.protocol?.name ?? null,
    protocolData: input.protocol?.data ?? {},
    exclusive: input.exclusive ?? null,
    createdAt: now,
    ...(input.bounds ? { maxActive: input.bounds.maxActive } : {}),
  }
}
