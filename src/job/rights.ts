/** What of an export decides who of its tenant may see it. */
import { createHash } from 'node:crypto'
import type { CheckedSpec } from './spec.ts'

/** Exports with the same text are seen by the same callers: what `Catalog.covers` and `Catalog.permits` (to read) ask of a spec, and no more. */
export function rightsOf({ source, parts, sessionVariables = {}, access }: CheckedSpec): string {
  const resources = access?.resources ?? parts.map(({ resource }) => resource)
  const decisive = JSON.stringify([source, resources, access?.rows ?? [], Object.entries(sessionVariables).sort()])
  return createHash('sha256').update(decisive).digest('base64url')
}
