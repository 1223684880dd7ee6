/**
 * The worker: takes claims from the queue, has each run in a thread, stores its progress and decides what its end means.
 *
 * It alone holds a claim. Every write carries the run's number; a write that changes nothing says that someone else decided
 * (an interrupt, a cancel, another claim), and ends the run without a trace.
 */
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from '../config/resolved.ts'
import { retryDelayMs } from '../job/backoff.ts'
import { asFreightError, FreightError, isRetryable, toPlainError } from '../job/errors.ts'
import type { Job, StoredFile } from '../job/job.ts'
import type { RunReport } from '../job/run-report.ts'
import type { Claim, Queue } from '../queue/queue.ts'
import type { Storage } from '../storage/storage.ts'
import type { RunStore } from '../store/store.ts'
import { FilesKeeper } from './files-keeper.ts'
import { insistently, patiently, STORE_PAUSE_MS } from './insistence.ts'
import { ProgressKeeper } from './progress-keeper.ts'
import { RefusalWatch, refusalBehind } from './refusal-watch.ts'
import type { RunInput, RunOutcome, WrittenFile } from './run.ts'
import type { RunThreads } from './run-threads.ts'

/** Claims that ended by a fault, a dead process included, after which a job fails for good. */
const MAX_FAILURES = 5

export interface WorkerParts {
  readonly config: Config
  readonly store: RunStore
  readonly queue: Queue
  readonly storage: Storage
  readonly threads: RunThreads
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly now: () => Date
  readonly random: () => number
  readonly observe: (report: RunReport) => void
  /** Ends what a dead run left behind in its source. */
  readonly endSession: (source: string, session: string) => Promise<void>
  /** Why a job that was claimed must not run, asked before each run, and while files are sent away; null: it may. */
  readonly refusal: (job: Job) => Promise<FreightError | null>
}

/** A worker at work. */
interface Shift extends WorkerParts {
  /** No new claims. */
  readonly draining: AbortSignal
  /** What still runs is given back. */
  readonly giveUp: AbortSignal
}

export interface ExportWorker {
  /** Takes up what a dead process left, then claims until drained. */
  start(): Promise<void>
  /** No new claims; running exports finish within the grace or go back without counting as a failure. */
  drain(): Promise<void>
}

export function createWorker(parts: WorkerParts): ExportWorker {
  const draining = new AbortController()
  const giveUp = new AbortController()
  const shift: Shift = { ...parts, draining: draining.signal, giveUp: giveUp.signal }
  const running = new Set<Promise<void>>()
  let loop: Promise<void> = Promise.resolve()

  const claimUntilDrained = async (): Promise<void> => {
    for (;;) {
      const claim = await parts.queue.take(draining.signal)
      if (!claim) return
      const run = runClaim(shift, claim)
        .catch((error: unknown) =>
          parts.log.error({ job: claim.jobId, err: error }, 'run could not be recorded; it is taken up at the next start'),
        )
        .finally(() => {
          claim.release()
          running.delete(run)
        })
      running.add(run)
    }
  }

  return {
    async start() {
      await recover(shift)
      loop = claimUntilDrained()
    },
    async drain() {
      draining.abort()
      await loop
      const allEnded = Promise.all(running)
      const over = new AbortController()
      await Promise.race([allEnded, setTimeout(parts.config.drainMs, null, { signal: over.signal, ref: false })])
      over.abort()
      giveUp.abort()
      await allEnded
    },
  }
}

/** After a crash: what was in progress goes back to the queue (or has failed too often), what was pending is queued again. */
async function recover(shift: Shift): Promise<void> {
  const { store, queue, now } = shift
  for (const { job, session } of await store.inProgress()) {
    if (session !== null) await endSession(shift, job, session)
    await discard(shift, job)
    const died = new FreightError('WORKER_DIED', 'The server ended while this export ran.')
    await endByFault(shift, job, died)
  }
  for (const job of await store.pending()) queue.add(job)
  shift.log.info({ at: now().toISOString() }, 'worker started')
}

/** A source that cannot be reached must not keep the service from starting; it ends such sessions by itself in the end. */
async function endSession(shift: Shift, job: Job, session: string): Promise<void> {
  try {
    await shift.endSession(job.spec.source, session)
  } catch (error) {
    shift.log.warn({ job: job.id, err: error }, 'the session of a dead run could not be ended')
  }
}

async function runClaim(shift: Shift, claim: Claim): Promise<void> {
  const { store, now, giveUp } = shift
  const job = await claimJob(shift, claim.jobId)
  if (!job) return
  if (job.failures > MAX_FAILURES) {
    await insistently(shift, () => store.fail(job.id, job.run, exhausted(job.failures - 1, null), [], now()))
    return
  }
  const refused = await insistently(shift, () => shift.refusal(job))
  if (refused) {
    await endRefused(shift, job, refused)
    return
  }
  const fenced = new AbortController()
  const keeper = new ProgressKeeper(shift, job, () => fenced.abort())
  const files = new FilesKeeper(shift, job, () => fenced.abort())
  using watch = new RefusalWatch(job, shift.refusal)
  const signal = AbortSignal.any([claim.signal, giveUp, fenced.signal, watch.signal])
  try {
    const outcome = await shift.threads.run(inputOf(shift.config, job), handlersOf(shift, job, keeper, files), signal)
    await Promise.all([keeper.settled(), files.close()])
    await complete(shift, job, outcome, keeper)
  } catch (thrown) {
    await Promise.all([keeper.settled(), files.close()])
    await endWithoutFile(shift, job, thrown, keeper, signal)
  }
}

/** Null when it is no longer pending, or when the server stops before the store could be written. */
async function claimJob({ store, log, now, draining }: Shift, id: string): Promise<Job | null> {
  for (;;) {
    try {
      return await store.claim(id, now())
    } catch (error) {
      // It is out of the queue and still pending: letting go of it here would leave it so until the next start.
      log.warn({ job: id, err: error }, 'job could not be claimed yet')
      await setTimeout(STORE_PAUSE_MS, null, { signal: draining }).catch(() => {})
      if (draining.aborted) return null
    }
  }
}

function inputOf(config: Config, job: Job): RunInput {
  return {
    exportId: job.id,
    run: job.run,
    spec: job.spec,
    createdAt: job.createdAt,
    noProgressMs: config.noProgressMs,
    maxRunMs: config.maxRunMs,
  }
}

function handlersOf(parts: WorkerParts, job: Job, keeper: ProgressKeeper, files: FilesKeeper) {
  return {
    progress: (progress: Parameters<ProgressKeeper['report']>[0]) => keeper.report(progress),
    file: (file: WrittenFile) => files.add(storedFile(job, file)),
    session: async (session: string) => {
      await parts.store.setSession(job.id, job.run, session)
    },
    detail: (text: string) => parts.log.warn({ job: job.id, run: job.run, detail: text }, 'run fault'),
  }
}

async function complete(shift: Shift, job: Job, outcome: RunOutcome, keeper: ProgressKeeper): Promise<void> {
  const completedAt = shift.now()
  const files = outcome.files.map((file) => storedFile(job, file))
  const stored = await patiently(shift, () =>
    shift.store.complete(job.id, job.run, {
      results: outcome.results,
      errorsLog: outcome.errorsLog,
      files,
      manifest: outcome.manifest,
      progress: { ...outcome.progress, rowsPerSecond: null, reached: 100, at: completedAt },
      completedAt,
      expiresAt: new Date(completedAt.getTime() + job.spec.retentionMs),
    }),
  )
  if (!stored) {
    // Interrupted or cancelled at the last moment: the caller was told so, and there is no file.
    await discard(shift, job)
    shift.observe(keeper.finish('interrupted', completedAt, 0))
    return
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  shift.observe(keeper.finish('completed', completedAt, bytes))
  shift.log.info({ job: job.id, run: job.run, rows: outcome.progress.processed, bytes }, 'export completed')
}

function storedFile(job: Job, { name, resource, rows, mediaType, bytes, sha256 }: WrittenFile): StoredFile {
  return { key: `${job.id}/${job.run}/${name}`, name, resource, rows, mediaType, bytes, sha256 }
}

async function endWithoutFile(
  shift: Shift,
  job: Job,
  thrown: unknown,
  keeper: ProgressKeeper,
  stopped: AbortSignal,
): Promise<void> {
  const { store, queue, log, observe } = shift
  await discard(shift, job)
  const at = shift.now()
  const refused = refusalBehind(stopped)
  if (refused) {
    const failed = await endRefused(shift, job, refused)
    observe(keeper.finish(failed ? 'failed' : 'interrupted', at, 0))
    return
  }
  if (stopped.aborted) {
    // Who stopped it has mostly recorded why, and then this changes nothing. A drain has not; nor has an interrupt that was
    // followed by a start before the claim was made.
    const returned = await insistently(shift, () => store.giveBack(job.id, job.run, at))
    if (returned) queue.add({ id: job.id, tenant: job.tenant, availableAt: null })
    observe(keeper.finish(returned ? 'returned' : 'interrupted', at, 0))
    return
  }
  const error = asFreightError(thrown)
  if (error.code === 'INTERNAL') log.error({ job: job.id, run: job.run, err: error.cause }, 'unexpected fault in a run')
  const outcome = await endByFault(shift, job, error)
  observe(keeper.finish(outcome, at, 0))
}

/** For good: whoever asked for it may not have it any more. Null where someone else had ended it before. */
async function endRefused(shift: Shift, job: Job, refused: FreightError): Promise<Job | null> {
  shift.log.warn({ job: job.id, code: refused.code }, refused.message)
  return insistently(shift, () => shift.store.fail(job.id, job.run, toPlainError(refused), [], shift.now()))
}

/** A fault of the moment is tried again, later each time; a fault that would repeat, or the fifth, fails the job. */
async function endByFault(shift: Shift, job: Job, error: FreightError): Promise<'retried' | 'failed'> {
  const { store, queue, log } = shift
  const at = shift.now()
  const retry = isRetryable(error.code) && job.failures < MAX_FAILURES
  log.warn({ job: job.id, run: job.run, failures: job.failures, code: error.code, retry }, error.message)
  if (!retry) {
    const { entry } = error.details
    const final = isRetryable(error.code) ? exhausted(job.failures, error) : toPlainError(error)
    await insistently(shift, () => store.fail(job.id, job.run, final, entry ? [entry] : [], at))
    return 'failed'
  }
  const availableAt = new Date(at.getTime() + retryDelayMs(job.failures, shift.random))
  const pending = await insistently(shift, () => store.retry(job.id, job.run, toPlainError(error), availableAt, at))
  if (pending) queue.add({ id: job.id, tenant: job.tenant, availableAt })
  return 'retried'
}

/** What a run wrote and will not publish. Storage that fails here must not keep the run from ending: the orphan sweep follows. */
async function discard(parts: WorkerParts, job: Job): Promise<void> {
  try {
    await parts.storage.remove(`${job.id}/${job.run}`)
  } catch (error) {
    parts.log.warn({ job: job.id, run: job.run, err: error }, 'files of an ended run could not be removed yet')
  }
}

function exhausted(failures: number, last: FreightError | null) {
  const reason = last ? ` The last: ${last.code}: ${last.message}` : ''
  return {
    code: 'ATTEMPTS_EXHAUSTED' as const,
    message: `The export was tried ${failures} times and each run ended by a fault.${reason} Start it again when the cause is gone.`,
  }
}
