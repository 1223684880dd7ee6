/** Keeps records and storage tidy while the server runs: once at start, then every minute. */
import { NOTICE_KEPT_MS } from '../job/notice.ts'
import type { Storage } from '../storage/storage.ts'
import type { AuditStore, NoticeStore, UpkeepStore } from '../store/store.ts'
import { removeExpiredFiles } from './expired-files.ts'
import type { UpkeepLog } from './log.ts'
import { removeOrphans } from './orphans.ts'

const EVERY_MS = 60_000

export interface UpkeepDeps {
  readonly store: UpkeepStore & Pick<AuditStore, 'pruneAudit' | 'pruneUsage'> & Pick<NoticeStore, 'pruneNotices'>
  readonly storage: Storage
  readonly now: () => Date
  /** How long the audit is kept. */
  readonly auditMs: number
  readonly log: UpkeepLog
}

export interface Upkeep {
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

export function startUpkeep(deps: UpkeepDeps): Upkeep {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | null = null
  let round = Promise.resolve()
  const begin = (): void => {
    round = runUpkeep(deps, stopping.signal).then(() => {
      // Set at the end of a round: a slow one is not overtaken by the next.
      if (!stopping.signal.aborted) timer = setTimeout(begin, EVERY_MS)
    })
  }
  begin()
  return {
    stop() {
      stopping.abort()
      if (timer) clearTimeout(timer)
      return round
    },
  }
}

/** One round. Never rejects: a step that fails is logged and tried again in the next round, and the others still run. */
export async function runUpkeep({ store, storage, now, auditMs, log }: UpkeepDeps, signal: AbortSignal): Promise<void> {
  const parts = { store, storage, log, now: now(), signal }
  const steps: readonly { name: string; run: () => Promise<number> }[] = [
    { name: 'expired files', run: () => removeExpiredFiles(parts) },
    { name: 'orphans', run: () => removeOrphans(parts) },
    { name: 'idempotency records', run: () => store.pruneIdempotency(parts.now).then(() => 0) },
    { name: 'audit', run: () => store.pruneAudit(new Date(parts.now.getTime() - auditMs)).then(() => 0) },
    { name: 'notices', run: () => store.pruneNotices(new Date(parts.now.getTime() - NOTICE_KEPT_MS)) },
    { name: 'usage', run: () => store.pruneUsage(parts.now).then(() => 0) },
  ]
  for (const step of steps) {
    if (signal.aborted) return
    try {
      const removed = await step.run()
      if (removed > 0) log.info({ step: step.name, removed }, 'upkeep')
    } catch (error) {
      log.error({ err: error, step: step.name }, 'upkeep step failed; will try again')
    }
  }
}
