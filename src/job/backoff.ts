/** How long what failed rests before it is tried again. */

export interface Backoff {
  readonly firstMs: number
  readonly longestMs: number
}

/** A source that is away for long is asked once a minute; five faults fail the job anyway. */
const OF_JOBS: Backoff = { firstMs: 1_000, longestMs: 60_000 }
/** Only upwards: jobs that failed together do not come back together, and none comes back before its time. */
const JITTER = 0.4

/**
 * After `failures` faults in a row (from 1): 1, 2, 4, 8 ... seconds, at most 60, or as `backoff` says; each up to two fifths longer. `random` gives
 * 0 to 1.
 */
export function retryDelayMs(failures: number, random: () => number, { firstMs, longestMs }: Backoff = OF_JOBS): number {
  const delay = Math.min(longestMs, firstMs * 2 ** (Math.max(1, failures) - 1))
  return Math.round(delay * (1 + JITTER * random()))
}
