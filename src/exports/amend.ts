/** Changes what a caller calls an export: its reference, its origin, its metadata. */
import { actorOf, type Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { Amendment } from '../store/store.ts'
import type { ExportsContext } from './context.ts'
import { known } from './get.ts'
import { isJobId } from './ids.ts'

/** What is absent stays. Possible in every status. Throws NOT_FOUND. */
export async function amendExport(context: ExportsContext, caller: Principal, id: string, amendment: Amendment): Promise<Job> {
  return known(isJobId(id) ? await context.store.amend(caller.tenant, id, amendment, context.now(), actorOf(caller)) : null)
}
