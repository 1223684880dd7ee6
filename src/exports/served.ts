/** Which exports a wire protocol shows: those whose every part is a resource that it serves, whoever made them and however. */
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import type { Deed } from '../job/scopes.ts'
import type { ExportsContext } from './context.ts'
import { getExport, getExportByShortId, known } from './get.ts'

export type Served = (resource: string) => boolean

export function isServed(job: Pick<Job, 'request'>, serves: Served): boolean {
  return job.request.parts.every(({ resource }) => serves(resource))
}

/**
 * The export, if the caller may do the deed with it. Throws NOT_FOUND: an export of another resource is as unknown to the protocol as
 * another tenant's. Throws FORBIDDEN where the caller's scopes do not allow the deed.
 */
export async function getServedExport(
  context: ExportsContext,
  caller: Principal,
  id: string,
  serves: Served,
  deed: Deed = 'read',
): Promise<Job> {
  const job = await getExport(context, caller, id, deed)
  return known(isServed(job, serves) ? job : null)
}

/** The same for protocols that name exports by their short id. */
export async function findServedExport(
  context: ExportsContext,
  caller: Principal,
  shortId: string,
  serves: Served,
  deed: Deed = 'read',
): Promise<Job> {
  const job = await getExportByShortId(context, caller, shortId, deed)
  return known(isServed(job, serves) ? job : null)
}
