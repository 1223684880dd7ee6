/** Keeps one run's progress: the rate, what is stored (at most twice a second), and how good its estimates were. */
import type { Logger } from 'pino'
import type { Job, Progress } from '../job/job.ts'
import { estimateCompletion, percentage, RateWindow } from '../job/progress.ts'
import { ETA_POINTS, type EtaPoint, type RunReport } from '../job/run-report.ts'
import type { RunStore } from '../store/store.ts'
import type { RunProgress } from './run.ts'

const STORE_MS = 500

interface KeeperParts {
  readonly store: Pick<RunStore, 'progress'>
  readonly log: Pick<Logger, 'warn'>
  readonly now: () => Date
}

export class ProgressKeeper {
  readonly #parts: KeeperParts
  readonly #job: Job
  readonly #onFenced: () => void
  readonly #startedAt: number
  readonly #rate = new RateWindow()
  readonly #estimates = new Map<EtaPoint, number>()
  #processed = 0
  #reached = 0
  #total: { rows: number | null; isEstimate: boolean }
  #storedAt = 0
  #writing: Promise<void> = Promise.resolve()

  /** `onFenced`: the job is no longer this run's. */
  constructor(parts: KeeperParts, job: Job, onFenced: () => void) {
    this.#parts = parts
    this.#job = job
    this.#onFenced = onFenced
    this.#startedAt = parts.now().getTime()
    // Counted when the job was created: rows may have come and gone since.
    this.#total = { rows: job.progress.total, isEstimate: true }
    this.#rate.add(this.#startedAt, 0)
  }

  report(progress: RunProgress): void {
    const at = this.#parts.now()
    this.#processed = Math.max(this.#processed, progress.processed)
    // The count under the run's own snapshot replaces the one taken at creation; while it is unknown the earlier one stands.
    if (progress.total !== null) this.#total = { rows: progress.total, isEstimate: progress.totalIsEstimate }
    this.#rate.add(at.getTime(), this.#processed)
    const current = this.#current(at)
    this.#noteEstimate(current, at)
    if (at.getTime() - this.#storedAt < STORE_MS) return
    this.#storedAt = at.getTime()
    this.#writing = this.#store(current)
  }

  /** Resolves when no write is under way. */
  settled(): Promise<void> {
    return this.#writing
  }

  finish(outcome: RunReport['outcome'], at: Date, bytes: number): RunReport {
    const seconds = Math.max(0.001, (at.getTime() - this.#startedAt) / 1000)
    const etaErrors: Partial<Record<EtaPoint, number>> = {}
    for (const [point, estimate] of this.#estimates) etaErrors[point] = Math.abs(estimate - at.getTime()) / 1000 / seconds
    const resource = this.#job.spec.parts[0]?.resource ?? ''
    return { resource, outcome, rows: this.#processed, bytes, seconds, etaErrors: outcome === 'completed' ? etaErrors : {} }
  }

  #current(at: Date): Progress {
    const { rows, isEstimate } = this.#total
    // An estimate that has been passed says nothing any more; the file is never cut to it.
    const total = rows !== null && isEstimate && this.#processed > rows ? null : rows
    const rowsPerSecond = this.#rate.perSecond()
    const progress = { processed: this.#processed, total, totalIsEstimate: isEstimate, rowsPerSecond, reached: this.#reached, at }
    this.#reached = percentage(progress, 'in_progress') ?? this.#reached
    return { ...progress, reached: this.#reached }
  }

  #noteEstimate(progress: Progress, at: Date): void {
    if (progress.total === null || progress.total === 0) return
    const share = (progress.processed / progress.total) * 100
    for (const point of ETA_POINTS) {
      if (share < point || this.#estimates.has(point)) continue
      const estimate = estimateCompletion(progress, at)
      if (estimate) this.#estimates.set(point, estimate.getTime())
    }
  }

  async #store(progress: Progress): Promise<void> {
    try {
      const stored = await this.#parts.store.progress(this.#job.id, this.#job.run, progress)
      if (!stored) this.#onFenced()
    } catch (error) {
      // Progress may lag behind a busy store; the end of the run is what counts.
      this.#parts.log.warn({ job: this.#job.id, err: error }, 'progress could not be stored')
    }
  }
}
