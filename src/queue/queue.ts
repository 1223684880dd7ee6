/** Who runs next. `test/contracts/queue.ts` is the proof of an implementation. */

export interface QueuedJob {
  readonly id: string
  readonly tenant: string
  /** Not before; null for at once. */
  readonly availableAt: Date | null
}

/** A job handed to a worker. */
export interface Claim {
  readonly jobId: string
  /** Aborts when `drop` is called for the job. */
  readonly signal: AbortSignal
  /** The slot is free again; every claim must be released exactly once. */
  release(): void
}

export interface Queue {
  /** The job must be in the store before. Adding a waiting job again moves its time. */
  add(job: QueuedJob): void
  /** The job will not run, or shall stop: removes it if it waits, aborts its claim's signal if it runs. */
  drop(jobId: string): void
  /**
   * The next job, fair between tenants (round robin, the oldest of each first). Waits for a job and for a free slot; null once aborted.
   */
  take(signal: AbortSignal): Promise<Claim | null>
  /** How many jobs would be taken before this one (0: it is next); null when it does not wait here. */
  position(jobId: string): number | null
}
