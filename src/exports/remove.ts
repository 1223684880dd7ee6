/** Removes an export: its record, its events and its bytes. */
import { actorOf, type Principal } from '../access/principal.ts'
import type { ExportsContext } from './context.ts'
import { getExport, known } from './get.ts'

/**
 * Throws NOT_FOUND, FORBIDDEN, or EXPORT_ACTIVE while pending or in progress. Rejects with STORAGE_UNAVAILABLE when the record is gone
 * but the bytes could not be removed now; the sweeper removes what no record names.
 */
export async function removeExport(context: ExportsContext, caller: Principal, id: string): Promise<void> {
  await getExport(context, caller, id, 'write')
  const job = known(await context.store.remove(caller.tenant, id, actorOf(caller), context.now()))
  // The record first: from then on no link leads to bytes that are half gone.
  await context.storage.remove(job.id)
}
