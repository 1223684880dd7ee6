/** How many rows of a resource match, for a protocol that must know whether something exists. Stores nothing. */
import type { Principal } from '../access/principal.ts'
import type { ExportsContext } from './context.ts'
import { countRows } from './count.ts'

/** A look-up by key takes no time; a view may have to be made first, and is read in a process that must be started. */
const COUNT_MS = 3_000

/** Of the caller's own rows; null where the source did not tell in time, or the caller has nothing to do with the resource. Throws what the catalog refuses. */
export async function countMatching(
  context: ExportsContext,
  caller: Principal,
  resource: string,
  filters: Readonly<Record<string, unknown>>,
): Promise<number | null> {
  if (!context.catalog().allows(resource, caller, 'write')) return null
  const part = { resource, fields: [], includes: [], filters, sort: [], limit: 1 }
  const request = { parts: [part], format: 'ndjson', compression: null, options: {}, dryData: false }
  const { rows, exact } = await countRows(context, context.catalog().check(request, caller), COUNT_MS)
  return exact ? rows : null
}
