/** What of an export decides who of its tenant may see it. */
import { createHash } from 'node:crypto'
import type { CheckedSpec } from './spec.ts'

/** Exports with the same text are seen by the same callers: all that `Catalog.covers`, and `Catalog.permits` to read, look at in a spec. */
export function rightsOf({ source, parts, sessionVariables = {}, access }: CheckedSpec): string {
  // Scopes are asked for by downloads only. Whatever else is kept there decides, what is yet to come included.
  const { scopes: _, ...kept } = access ?? { resources: parts.map(({ resource }) => resource), scopes: [], rows: [] }
  const decisive = JSON.stringify([source, Object.entries(kept).sort(), Object.entries(sessionVariables).sort()])
  return createHash('sha256').update(decisive).digest('base64url')
}
