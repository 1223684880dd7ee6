/** Changes what a caller calls an export: its reference, its origin, its metadata. */
import { actorOf, type Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { Amendment } from '../store/store.ts'
import type { ExportsContext } from './context.ts'
import { getExport, known } from './get.ts'

/** What is absent stays. Possible in every status. Throws NOT_FOUND, FORBIDDEN. */
export async function amendExport(context: ExportsContext, caller: Principal, id: string, amendment: Amendment): Promise<Job> {
  await getExport(context, caller, id, 'write')
  return known(await context.store.amend(caller.tenant, id, amendment, context.now(), actorOf(caller)))
}
