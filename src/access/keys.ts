/** API keys: made here, shown once, stored only as a hash, and recognised again. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { FreightError } from '../job/errors.ts'
import type { Mode } from '../job/job.ts'
import type { ApiKey, KeyStore } from '../store/store.ts'
import type { Principal } from './principal.ts'

/** Header values as they came, one entry for each time a header was sent. */
export interface CredentialHeaders {
  readonly authorization?: string | readonly string[] | undefined
  readonly 'x-api-key'?: string | readonly string[] | undefined
}

export interface Authenticator {
  /** Rejects with UNAUTHORIZED unless the headers hold exactly one key that exists and is not revoked. */
  authenticate(headers: CredentialHeaders): Promise<Principal>
}

const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** Letters, marks, digits, punctuation, symbols and plain spaces: nothing that breaks a line or hides. */
const KEY_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,100}$/u
const SECRET = /^frt_(live|test)_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** `secret` is the key itself; it cannot be had again. Throws VALIDATION_FAILED for a tenant or name that is not allowed. */
export async function createKey(
  store: KeyStore,
  input: { tenant: string; name: string; mode: Mode },
  now: Date,
): Promise<{ key: ApiKey; secret: string }> {
  if (!TENANT.test(input.tenant)) {
    throw new FreightError(
      'VALIDATION_FAILED',
      'A tenant is 1 to 64 characters of A-Z a-z 0-9 . _ - and begins with a letter or digit.',
      { details: { pointer: 'tenant' } },
    )
  }
  if (!KEY_NAME.test(input.name) || input.name.trim() === '') {
    throw new FreightError('VALIDATION_FAILED', "A key's name is 1 to 100 printable characters on one line.", {
      details: { pointer: 'name' },
    })
  }
  const id = Array.from({ length: 12 }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('')
  const secret = `frt_${input.mode}_${id}_${randomBytes(32).toString('base64url')}`
  const key: ApiKey = { id, tenant: input.tenant, name: input.name, mode: input.mode, createdAt: now, revokedAt: null }
  await store.addKey(key, hashOf(secret))
  return { key, secret }
}

/**
 * SHA-256 and nothing slower: slow hashes protect passwords that can be guessed, and nobody guesses 256 random bits.
 * Of the whole key, so its mode and id cannot be exchanged.
 */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Every key is looked up anew, so a new or revoked one counts with the next request. */
export function createAuthenticator(store: KeyStore): Authenticator {
  // What an unknown id is compared with, so that it takes the same steps as a known one.
  const nobody = hashOf(randomBytes(32).toString('base64url'))
  return {
    async authenticate(headers) {
      const secret = onlyCredential(headers)
      const id = secret === null ? undefined : SECRET.exec(secret)?.[2]
      if (secret === null || id === undefined) throw unauthorized()
      const found = await store.findKey(id)
      const equal = timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), Buffer.from(found?.hash ?? nobody, 'hex'))
      if (!found || !equal || found.key.revokedAt !== null) throw unauthorized()
      return { id: found.key.id, tenant: found.key.tenant, mode: found.key.mode }
    },
  }
}

/** Two credentials may name two callers: neither is believed. The scheme ignores case (RFC 9110, section 11.1). */
function onlyCredential(headers: CredentialHeaders): string | null {
  const authorization = [headers.authorization ?? []].flat()
  const apiKeys = [headers['x-api-key'] ?? []].flat()
  if (authorization.length + apiKeys.length !== 1) return null
  return apiKeys[0] ?? /^bearer (\S+)$/i.exec(authorization[0] ?? '')?.[1] ?? null
}

/** One answer for everything: which part was wrong is nobody's business who does not hold the key. */
function unauthorized(): FreightError {
  return new FreightError(
    'UNAUTHORIZED',
    'This needs exactly one valid API key, sent as "Authorization: Bearer <key>" or as "x-api-key: <key>".',
  )
}
