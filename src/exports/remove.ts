/** Removes an export: its record, its events and its bytes. */
import type { Principal } from '../access/principal.ts'
import type { ExportsContext } from './context.ts'
import { known } from './get.ts'
import { isJobId } from './ids.ts'

/**
 * Throws NOT_FOUND, or EXPORT_ACTIVE while pending or in progress. Rejects with STORAGE_UNAVAILABLE when the record is gone
 * but the bytes could not be removed now; the sweeper removes what no record names.
 */
export async function removeExport(context: ExportsContext, caller: Principal, id: string): Promise<void> {
  const job = known(isJobId(id) ? await context.store.remove(caller.tenant, id) : null)
  // The record first: from then on no link leads to bytes that are half gone.
  await context.storage.remove(job.id)
}
