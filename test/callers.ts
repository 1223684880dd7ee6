/** Callers for tests that need no key of theirs to be in a store. */
import type { Principal } from '../src/access/principal.ts'
import { EXPORT_SCOPES } from '../src/job/scopes.ts'

/** One with a key that may do what keys may. */
export function newPrincipal(differences: Partial<Principal> = {}): Principal {
  const rights = { kind: 'application', scopes: EXPORT_SCOPES, claims: {}, address: '203.0.113.7' } as const
  return { id: 'kkkkkkkkkkkk', tenant: 'acme', mode: 'live', ...rights, ...differences }
}
