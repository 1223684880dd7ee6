/** Stops an export so that it can be started again. */
import { actorOf, type Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { getExport, known } from './get.ts'

/** Throws NOT_FOUND, FORBIDDEN, or TRANSITION_ILLEGAL where it is neither pending nor in progress. */
export async function interruptExport(context: ExportsContext, caller: Principal, id: string): Promise<Job> {
  await getExport(context, caller, id, 'write')
  const job = known(await context.store.interrupt(caller.tenant, id, context.now(), actorOf(caller)))
  // The store first: once it says interrupted, nothing that the run still does counts, however late it hears of it.
  context.queue.drop(job.id)
  return job
}
