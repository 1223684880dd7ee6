/** Starts an interrupted or failed export again, from a new snapshot. */
import { actorOf, type Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { getExport, known } from './get.ts'
import { assertUpToDate } from './run-refusal.ts'

/** Throws NOT_FOUND, FORBIDDEN (also where the rules have changed since it was asked for), RATE_LIMITED, or TRANSITION_ILLEGAL where it is neither interrupted nor failed. */
export async function startExport(context: ExportsContext, caller: Principal, id: string): Promise<Job> {
  assertUpToDate(context, await getExport(context, caller, id, 'write'))
  const terms = { actor: actorOf(caller), limits: context.limits?.(caller.tenant) ?? null }
  const job = known(await context.store.start(caller.tenant, id, context.now(), terms))
  context.queue.add({ id: job.id, tenant: job.tenant, availableAt: job.availableAt })
  return job
}
