/** Starts an interrupted or failed export again, from a new snapshot. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { known } from './get.ts'
import { isJobId } from './ids.ts'

/** Throws NOT_FOUND, or TRANSITION_ILLEGAL where it is neither interrupted nor failed. */
export async function startExport(context: ExportsContext, caller: Principal, id: string): Promise<Job> {
  const job = known(isJobId(id) ? await context.store.start(caller.tenant, id, context.now()) : null)
  context.queue.add({ id: job.id, tenant: job.tenant, availableAt: job.availableAt })
  return job
}
