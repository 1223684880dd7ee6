/** Waits until an export rests. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import { mayEver } from '../job/scopes.ts'
import { isActive } from '../job/transitions.ts'
import type { ExportsContext } from './context.ts'
import { getExport } from './get.ts'

/** A write by another process may not wake this one; after so long it is read again. */
const REREAD_MS = 1_000

/**
 * The export as soon as it is neither pending nor in progress, or as it stands after `seconds` or when `signal` aborts. Throws
 * NOT_FOUND, also when it is removed meanwhile.
 */
export async function waitForEnd(
  context: ExportsContext,
  caller: Principal,
  id: string,
  seconds: number,
  signal: AbortSignal,
): Promise<Job> {
  // Who may create exports but not look at them may still wait for one.
  const deed = mayEver(caller.scopes, 'read') ? 'read' : 'write'
  const over = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)])
  for (;;) {
    // Listening begins before reading, so a change in between is not missed.
    const listening = new AbortController()
    const changed = context.store.changed(id, REREAD_MS, AbortSignal.any([over, listening.signal]))
    try {
      const job = await getExport(context, caller, id, deed)
      if (!isActive(job.status) || over.aborted) return job
      await changed
    } finally {
      listening.abort()
      await changed
    }
  }
}
