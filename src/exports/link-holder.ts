/** Whether a link still stands for whoever it was made for: asked each time it is used, by the keys and rules of that moment. */
import { principalOf } from '../access/keys.ts'
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import type { KeyStore } from '../store/store.ts'
import { mayDownload } from './access.ts'
import type { ExportsContext } from './context.ts'

/**
 * The holder of the key that a link names. Null where it names none: nobody in particular, or someone whose token is not at hand. Throws
 * LINK_INVALID for a key that has been revoked: a link ends with it, however long it would still have worked.
 */
export async function linkHolder(keys: Pick<KeyStore, 'findKey'>, by: string | undefined): Promise<Principal | null> {
  const found = by === undefined ? null : await keys.findKey(by)
  if (!found) return null
  if (found.key.revokedAt) throw new FreightError('LINK_INVALID', 'The API key that this link was made with has been revoked.')
  return { ...principalOf(found.key), address: null }
}

/** Throws LINK_INVALID where the holder may not have these rows any more. Without one, the rules must be those that the export was made under. */
export function assertHolds(context: Pick<ExportsContext, 'catalog'>, holder: Principal | null, job: Job): void {
  if (holder === null ? context.catalog().covers(job.spec, null) : mayDownload(context, holder, job)) return
  throw new FreightError(
    'LINK_INVALID',
    'Whoever this link was made for may not have these rows any more. Ask for a new one at the export.',
  )
}
