/** Removes the bytes of completed exports whose time is up; the job stays. */
import type { Storage } from '../storage/storage.ts'
import type { UpkeepStore } from '../store/store.ts'
import type { UpkeepLog } from './log.ts'

const BATCH = 100

export interface ExpiredFiles {
  readonly store: Pick<UpkeepStore, 'expired' | 'filesRemoved'>
  readonly storage: Pick<Storage, 'remove'>
  readonly log: UpkeepLog
  readonly now: Date
  readonly signal: AbortSignal
}

/**
 * The bytes first, then the record: dying in between only means doing it again. A job that resists is logged, left for the
 * next time and does not hold up the others. Resolves with the number of jobs whose bytes are gone.
 */
export async function removeExpiredFiles({ store, storage, log, now, signal }: ExpiredFiles): Promise<number> {
  const resisting = new Set<string>()
  let removed = 0
  for (;;) {
    const limit = BATCH + resisting.size
    const expired = await store.expired(now, limit)
    for (const job of expired) {
      if (signal.aborted) return removed
      if (resisting.has(job.id)) continue
      try {
        await storage.remove(job.id)
        await store.filesRemoved(job.id, now)
        removed += 1
      } catch (error) {
        resisting.add(job.id)
        log.warn({ err: error, jobId: job.id }, 'could not remove the files of an expired export; will try again')
      }
    }
    if (expired.length < limit) return removed
  }
}
