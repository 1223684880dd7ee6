/** A link for whoever asked for an export, made when they are not there to ask: for messages that go out by themselves. */
import { principalOf } from '../access/keys.ts'
import type { Job } from '../job/job.ts'
import type { KeyStore } from '../store/store.ts'
import type { ExportsContext } from './context.ts'
import { linkToFiles } from './link.ts'

/**
 * As `linkToFiles`, by today's rights of the key that the export was made with. Null also where it was revoked, or where the export was made with a
 * token of another issuer: nobody can say what that would still allow.
 */
export async function linkForCreator(
  context: ExportsContext,
  keys: Pick<KeyStore, 'findKey'>,
  job: Job,
  lifetimeMs: number,
): Promise<string | null> {
  const found = await keys.findKey(job.createdBy)
  if (!found || found.key.revokedAt) return null
  return linkToFiles(context, { ...principalOf(found.key), address: null }, job, lifetimeMs)
}
