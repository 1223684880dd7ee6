/** Finds a tenant's exports by conditions of the caller's own, a page at a time. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import { mayOn } from '../job/scopes.ts'
import type { JobSearch } from '../job/search.ts'
import { assertMay, isVisible } from './access.ts'
import type { ExportsContext } from './context.ts'

/** Exports that are looked at together where each must be judged. */
const JUDGED = 200

/**
 * `total`: how many the caller may see on all pages. Where some callers of a tenant may see what others may not, every export that fits is judged, so
 * that neither page nor total tells of the others. Throws FORBIDDEN.
 */
export async function searchExports(
  context: ExportsContext,
  caller: Principal,
  search: JobSearch,
): Promise<{ jobs: readonly Job[]; total: number }> {
  assertMay(caller, 'read')
  const seesAll = search.resources.every((name) => mayOn(caller.scopes, 'read', { name, needsOwn: false }))
  if (seesAll && !context.catalog().narrows()) return context.store.search(caller.tenant, search)
  const visible: Job[] = []
  let total = 0
  for (let offset = 0; ; offset += JUDGED) {
    const { jobs } = await context.store.search(caller.tenant, { ...search, offset, limit: JUDGED })
    for (const job of jobs) {
      if (!isVisible(context, caller, job, 'read')) continue
      if (total >= search.offset && visible.length < search.limit) visible.push(job)
      total += 1
    }
    if (jobs.length < JUDGED) return { jobs: visible, total }
  }
}
