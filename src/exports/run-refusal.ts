/** Why an export that was asked for must not be run any more, asked when a run begins, while its files are sent away, and when one is started again. */
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import type { KeyStore } from '../store/store.ts'
import type { ExportsContext } from './context.ts'

/** Throws FORBIDDEN where the configuration gives out other rows or values of a resource than when the export was asked for. */
export function assertUpToDate(context: Pick<ExportsContext, 'catalog'>, { spec }: Pick<Job, 'spec'>): void {
  const changed = context.catalog().outdated(spec)
  if (changed.length === 0) return
  const names = changed.map((name) => `"${name}"`).join(', ')
  throw new FreightError(
    'FORBIDDEN',
    `What callers may have of ${names} was changed in the configuration after this export was asked for. Create the export again.`,
  )
}

/**
 * Null: it may run. What was asked for is narrowed to the caller's rights of then, and nobody is there to ask for today's; so it runs under the same
 * rules or not at all. Files that are sent away cannot be refused later, as a download can: they end with the key that asked for them.
 */
export async function runRefusal(
  context: Pick<ExportsContext, 'catalog'>,
  keys: Pick<KeyStore, 'findKey'>,
  job: Pick<Job, 'spec' | 'createdBy'>,
): Promise<FreightError | null> {
  try {
    assertUpToDate(context, job)
  } catch (error) {
    if (error instanceof FreightError) return error
    throw error
  }
  const found = job.spec.destination ? await keys.findKey(job.createdBy) : null
  if (!found?.key.revokedAt) return null
  return new FreightError(
    'FORBIDDEN',
    'The API key that asked for this export was revoked before all of its files were sent. Create the export again with another key.',
  )
}
