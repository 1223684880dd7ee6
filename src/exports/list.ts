/** Lists a tenant's exports, newest first. */
import type { Principal } from '../access/principal.ts'
import type { JobFilter, JobPage } from '../store/store.ts'
import { assertMay, isVisible } from './access.ts'
import type { ExportsContext } from './context.ts'

/** A page may be shorter than its limit while more follow: what the caller may not see is left out of it. Throws FORBIDDEN. */
export async function listExports(
  context: ExportsContext,
  caller: Principal,
  input: { filter: JobFilter; limit: number; before: string | null },
): Promise<JobPage> {
  assertMay(caller, 'read')
  const page = await context.store.list(caller.tenant, input.filter, {
    limit: input.limit,
    before: input.before,
    now: context.now(),
  })
  return { ...page, jobs: page.jobs.filter((job) => isVisible(context, caller, job, 'read')) }
}
