/** Reads one export. */
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { isJobId } from './ids.ts'

/** Throws NOT_FOUND: the same for an unknown id, a malformed one and another tenant's. */
export async function getExport(context: ExportsContext, caller: Principal, id: string): Promise<Job> {
  return known(isJobId(id) ? await context.store.get(caller.tenant, id) : null)
}

/** For every verb that names an export: what the store does not know for this tenant is not found. */
export function known(job: Job | null): Job {
  if (!job) throw new FreightError('NOT_FOUND', 'There is no export with this id.')
  return job
}
