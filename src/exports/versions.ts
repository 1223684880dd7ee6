/** Reads what changed in an export, attribute by attribute. */
import type { Principal } from '../access/principal.ts'
import type { JobVersion } from '../job/version.ts'
import type { ExportsContext } from './context.ts'
import { getExport } from './get.ts'

/** Oldest first. Throws NOT_FOUND. */
export async function listVersions(context: ExportsContext, caller: Principal, id: string): Promise<readonly JobVersion[]> {
  const job = await getExport(context, caller, id)
  return context.store.versions(job.id)
}
