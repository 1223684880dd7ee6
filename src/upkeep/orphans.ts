/** Removes what no job will ever offer: bytes of deleted jobs, of dead and failed runs, unfinished writes. */
import type { Storage } from '../storage/storage.ts'
import type { KnownJob, UpkeepStore } from '../store/store.ts'
import type { UpkeepLog } from './log.ts'

/** So long a run may be between its end in the store and its last write, or a delete between record and bytes. */
const MIN_AGE_MS = 10 * 60 * 1000
const BATCH = 500

/** `{jobId}/{run}/{fileName}`. Anything else in the storage is not Freight's and is never touched. */
const KEY = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\/([1-9][0-9]{0,9})\/[^/]+$/

export interface Orphans {
  readonly store: Pick<UpkeepStore, 'known'>
  readonly storage: Pick<Storage, 'list' | 'remove'>
  readonly log: UpkeepLog
  readonly now: Date
  readonly signal: AbortSignal
}

interface Candidate {
  readonly key: string
  readonly jobId: string
  readonly run: number
}

/** Resolves with the number of objects removed. */
export async function removeOrphans(parts: Orphans): Promise<number> {
  const { storage, now, signal } = parts
  let removed = 0
  let batch: Candidate[] = []
  for await (const object of storage.list()) {
    if (signal.aborted) return removed
    const [, jobId, run] = KEY.exec(object.key) ?? []
    if (jobId === undefined || now.getTime() - object.modifiedAt.getTime() < MIN_AGE_MS) continue
    batch.push({ key: object.key, jobId, run: Number(run) })
    if (batch.length < BATCH) continue
    removed += await removeOrphansOf(batch, parts)
    batch = []
  }
  return removed + (await removeOrphansOf(batch, parts))
}

async function removeOrphansOf(batch: readonly Candidate[], { store, storage, log, signal }: Orphans): Promise<number> {
  const jobs = await store.known([...new Set(batch.map((candidate) => candidate.jobId))])
  let removed = 0
  for (const { key, jobId, run } of batch) {
    if (signal.aborted) return removed
    if (belongs(jobs.get(jobId), run)) continue
    try {
      await storage.remove(key)
      removed += 1
    } catch (error) {
      log.warn({ err: error, jobId, run }, 'could not remove an orphaned file; will try again')
    }
  }
  return removed
}

/**
 * Judged after the object was listed, and true for good: runs only grow, and one that has ended never begins again. So
 * nothing that is removed can have become wanted in between.
 */
function belongs(job: KnownJob | undefined, run: number): boolean {
  if (!job) return false
  if (run < job.run) return false
  // Only after a restored backup: the job is behind its files, and its next run may write this very key.
  if (run > job.run) return job.status !== 'completed' && job.status !== 'cancelled'
  return job.status === 'in_progress' || (job.status === 'completed' && job.filesRemovedAt === null)
}
