/** How long a receiver is waited for, how often it is tried, and when it is left in peace. */
import { retryDelayMs } from '../job/backoff.ts'

export interface Patience {
  /** For the head of an answer. */
  readonly answerMs: number
  /** Of one notice; then it is given up. */
  readonly attempts: number
  /** After so many failures of one notice. */
  delayMs(failures: number): number
  /** At most this long is waited because a receiver asks for it (Retry-After). */
  readonly longestMs: number
  /** After so many failures in a row, of whatever notices, a receiver is tried once in `restMs` until it takes one. */
  readonly restAfter: number
  readonly restMs: number
  /** Between two looks for what is due. */
  readonly lookMs: number
  /** What attempts under way are given when the server stops. */
  readonly stopMs: number
}

const MINUTE_MS = 60_000

/** Five seconds, ten more tries and thirty failures in a row are what Commerce Layer's customers know. The eleven spread over one and a half to two hours. */
export function usualPatience(random: () => number): Patience {
  const backoff = { firstMs: 5_000, longestMs: 60 * MINUTE_MS }
  return {
    answerMs: 5_000,
    attempts: 11,
    delayMs: (failures) => retryDelayMs(failures, random, backoff),
    longestMs: backoff.longestMs,
    restAfter: 30,
    restMs: 5 * MINUTE_MS,
    lookMs: 500,
    stopMs: 1_000,
  }
}

/** RFC 9110, section 10.2.3: seconds or a date. Null for anything else. */
export function retryAfterMs(header: string | null, now: Date): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime())
}
