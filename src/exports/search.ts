/** Finds a tenant's exports by conditions of the caller's own, a page at a time. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import { mayOn } from '../job/scopes.ts'
import type { JobSearch } from '../job/search.ts'
import { assertMay, isVisible } from './access.ts'
import type { ExportsContext } from './context.ts'

/** Kinds of rights that are judged together. */
const JUDGED = 500

/** Whose exports are found is not the caller's to say. */
export type SearchRequest = Omit<JobSearch, 'rights'>

/**
 * `total`: how many the caller may see on all pages. Where some callers of a tenant may see what others may not, neither page nor total
 * tells of the others. Throws FORBIDDEN.
 */
export async function searchExports(
  context: ExportsContext,
  caller: Principal,
  search: SearchRequest,
): Promise<{ jobs: readonly Job[]; total: number }> {
  assertMay(caller, 'read')
  const seesAll = search.resources.every((name) => mayOn(caller.scopes, 'read', { name, needsOwn: false }))
  const rights = seesAll && !context.catalog().narrows() ? null : await visibleRights(context, caller)
  return context.store.search(caller.tenant, { ...search, rights })
}

/** Judged are the kinds of exports that there are, not the exports: of these there may be thousands of one kind. */
async function visibleRights(context: ExportsContext, caller: Principal): Promise<string[]> {
  const visible: string[] = []
  for (let after = ''; ; ) {
    const kinds = await context.store.rights(caller.tenant, { after, limit: JUDGED })
    for (const { rights, spec } of kinds) if (isVisible(context, caller, { spec }, 'read')) visible.push(rights)
    const last = kinds.at(-1)
    if (!last || kinds.length < JUDGED) return visible
    after = last.rights
  }
}
