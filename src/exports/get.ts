/** Reads one export. */
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import type { Deed } from '../job/scopes.ts'
import { assertMay, assertPermitted, isVisible } from './access.ts'
import type { ExportsContext } from './context.ts'
import { isJobId, isShortId } from './ids.ts'

/**
 * The export, if the caller may do the deed with it. Throws NOT_FOUND: the same for an unknown id, a malformed one, another tenant's, and one with
 * rows that the caller may not see. Throws FORBIDDEN where the caller's scopes do not allow the deed.
 */
export async function getExport(context: ExportsContext, caller: Principal, id: string, deed: Deed = 'read'): Promise<Job> {
  assertMay(caller, deed)
  return allowed(context, caller, isJobId(id) ? await context.store.get(caller.tenant, id) : null, deed)
}

/** The same by the short id. */
export async function getExportByShortId(
  context: ExportsContext,
  caller: Principal,
  shortId: string,
  deed: Deed = 'read',
): Promise<Job> {
  assertMay(caller, deed)
  const found = isShortId(shortId) ? await context.store.getByShortId(caller.tenant, shortId) : null
  return allowed(context, caller, found, deed)
}

function allowed(context: ExportsContext, caller: Principal, found: Job | null, deed: Deed): Job {
  const job = known(found && isVisible(context, caller, found, deed) ? found : null)
  assertPermitted(context, caller, job, deed)
  return job
}

/** For every verb that names an export: what the store does not know for this tenant is not found. */
export function known(job: Job | null): Job {
  if (!job) throw new FreightError('NOT_FOUND', 'There is no export with this id.')
  return job
}
