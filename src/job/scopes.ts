/**
 * The words for what a caller may do. `exports:read` (see exports and their events), `exports:write` (create, change and remove them) and
 * `exports:download` (have their files) hold for every resource; with a resource behind it (`exports:write:orders`) for that one only. A resource
 * that asks for a scope of its own is not covered by the short form. Any other word is a scope that the configuration gives a meaning to.
 */
export const DEEDS = ['read', 'write', 'download'] as const
export type Deed = (typeof DEEDS)[number]

export const EXPORT_SCOPES: readonly string[] = DEEDS.map((deed) => `exports:${deed}`)

/** RFC 6749, section 3.3, without quotes and with an end. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/

export function isScope(text: string): boolean {
  return SCOPE.test(text)
}

/** Whether the deed is allowed on any resource at all. */
export function mayEver(scopes: readonly string[], deed: Deed): boolean {
  return scopes.some((scope) => scope === `exports:${deed}` || scope.startsWith(`exports:${deed}:`))
}

/** `needsOwn`: the resource asks for a scope of its own. */
export function mayOn(scopes: readonly string[], deed: Deed, resource: { name: string; needsOwn: boolean }): boolean {
  if (scopes.includes(`exports:${deed}:${resource.name}`)) return true
  return !resource.needsOwn && scopes.includes(`exports:${deed}`)
}
