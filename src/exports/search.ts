/** Finds a tenant's exports by conditions of the caller's own, a page at a time. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { JobSearch } from '../job/search.ts'
import type { ExportsContext } from './context.ts'

/** `total`: how many there are on all pages. */
export async function searchExports(
  context: ExportsContext,
  caller: Principal,
  search: JobSearch,
): Promise<{ jobs: readonly Job[]; total: number }> {
  return context.store.search(caller.tenant, search)
}
