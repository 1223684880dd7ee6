/** How long a job rests after a fault. */

const FIRST_MS = 1_000
/** A source that is away for long is asked once a minute; five faults fail the job anyway. */
const LONGEST_MS = 60_000
/** Only upwards: jobs that failed together do not come back together, and none comes back before its time. */
const JITTER = 0.4

/** After `failures` faults in a row (from 1): 1, 2, 4, 8 ... seconds, at most 60, each up to two fifths longer. `random` gives 0 to 1. */
export function retryDelayMs(failures: number, random: () => number): number {
  const delay = Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, failures) - 1))
  return Math.round(delay * (1 + JITTER * random()))
}
