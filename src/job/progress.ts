/** Progress, rate and the honest estimate of when a run will be done. */
import type { JobStatus, Progress } from './job.ts'

/** The rate is that of the last seconds: long enough to be calm, short enough to follow a source that slows down. */
const WINDOW_MS = 5_000
/** Before this much has been seen a rate says nothing. */
const MIN_SPAN_MS = 250

/** Rows per second over the last seconds. Time is given, never read. */
export class RateWindow {
  #samples: { at: number; rows: number }[] = []

  add(at: number, rows: number): void {
    this.#samples.push({ at, rows })
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift()
  }

  /** Null while it cannot be known. */
  perSecond(): number | null {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (!first || !last || last.at - first.at < MIN_SPAN_MS || last.rows <= first.rows) return null
    return ((last.rows - first.rows) * 1000) / (last.at - first.at)
  }
}

/**
 * When the run will be done, from the stored rate and what remains, judged at `now`: between two stored figures the run is
 * taken to have gone on at its rate. Null while it cannot be known: no total, no rate, an estimated total already passed, or an end beyond
 * what a Date can hold.
 */
export function estimateCompletion(progress: Progress, now: Date): Date | null {
  const { processed, total, totalIsEstimate, rowsPerSecond, at } = progress
  if (total === null || rowsPerSecond === null || rowsPerSecond <= 0) return null
  if (totalIsEstimate && processed >= total) return null
  const sinceMs = Math.max(0, now.getTime() - at.getTime())
  const remaining = Math.max(0, total - processed - (rowsPerSecond * sinceMs) / 1000)
  const end = new Date(now.getTime() + (remaining / rowsPerSecond) * 1000)
  return Number.isNaN(end.getTime()) ? null : end
}

/**
 * 0 to 100. 100 only for a completed job: until its files are verified and published at most 99.99.
 * Null while there is no total. Never less than what the run has reached before.
 */
export function percentage(progress: Progress, status: JobStatus): number | null {
  if (status === 'completed') return 100
  if (progress.total === null) return null
  if (progress.total === 0) return progress.reached
  // Multiplied first, among integers: 57 / 100 * 10,000 is 5699.99... and would be cut to 56.99.
  return Math.max(progress.reached, Math.min(99.99, Math.floor((progress.processed * 10_000) / progress.total) / 100))
}
