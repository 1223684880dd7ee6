/** Reads what happened to an export. */
import type { Principal } from '../access/principal.ts'
import type { JobEvent } from '../job/job.ts'
import type { ExportsContext } from './context.ts'
import { getExport } from './get.ts'

/** Those after `afterSeq`, oldest first. Throws NOT_FOUND. */
export async function listEvents(
  context: ExportsContext,
  caller: Principal,
  id: string,
  afterSeq: number,
): Promise<readonly JobEvent[]> {
  const job = await getExport(context, caller, id)
  return context.store.events(job.id, afterSeq)
}
