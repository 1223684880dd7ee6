/** Who is calling, once that is known, and how what they bring with them is read. */
import type { Actor, Mode } from '../job/job.ts'

export interface Principal {
  /** An API key's id; of another issuer's token `host:subject`. */
  readonly id: string
  readonly tenant: string
  readonly mode: Mode
  /** `application`: a key, or a token that a client holds for itself. `user`: a token that stands for a person. */
  readonly kind: 'application' | 'user'
  /** What they may do; `job/scopes.ts` says how they are read. None is nothing, never everything. */
  readonly scopes: readonly string[]
  /** What row scopes go by. A token's whole claims set; for a key what it was made with. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The network address; null where it is not known. */
  readonly address: string | null
}

/** For the record of what they do. */
export function actorOf({ id, address }: Pick<Principal, 'id' | 'address'>): Actor {
  return { by: id, from: address }
}

const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export function isTenant(name: string): boolean {
  return TENANT.test(name)
}
