/** Stops an export for good. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { known } from './get.ts'
import { isJobId } from './ids.ts'

/** Throws NOT_FOUND, or TRANSITION_ILLEGAL where it has already ended. */
export async function cancelExport(context: ExportsContext, caller: Principal, id: string): Promise<Job> {
  const job = known(isJobId(id) ? await context.store.cancel(caller.tenant, id, context.now()) : null)
  context.queue.drop(job.id)
  return job
}
