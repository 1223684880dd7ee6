/** Stops an export for good. */
import { actorOf, type Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { getExport, known } from './get.ts'

/** Throws NOT_FOUND, FORBIDDEN, or TRANSITION_ILLEGAL where it has already ended. */
export async function cancelExport(context: ExportsContext, caller: Principal, id: string): Promise<Job> {
  await getExport(context, caller, id, 'write')
  const job = known(await context.store.cancel(caller.tenant, id, context.now(), actorOf(caller)))
  context.queue.drop(job.id)
  return job
}
