/** Conditional reads of an export (RFC 9110, section 13.1.2). */
import { createHash } from 'node:crypto'
import type { ExportView } from './view.ts'

/**
 * Weak: the estimated completion does not count. It is judged anew at each read, so with it no running export would ever be
 * unchanged.
 */
export function etagOf(view: ExportView): string {
  const stable = JSON.stringify({ ...view, estimated_completion_at: null })
  return `W/"${createHash('sha256').update(stable).digest('base64url').slice(0, 27)}"`
}

/** Whether If-None-Match names this tag, by weak comparison; `*` names every one. */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag))
}
