/** Lists a tenant's exports, newest first. */
import type { Principal } from '../access/principal.ts'
import type { JobFilter, JobPage } from '../store/store.ts'
import type { ExportsContext } from './context.ts'

export async function listExports(
  context: ExportsContext,
  caller: Principal,
  input: { filter: JobFilter; limit: number; before: string | null },
): Promise<JobPage> {
  return context.store.list(caller.tenant, input.filter, { limit: input.limit, before: input.before, now: context.now() })
}
