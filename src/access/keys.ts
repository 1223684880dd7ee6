/** API keys: made here, shown once, stored only as a hash, and recognised again. Tokens are told apart here and verified in `tokens.ts`. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { FreightError } from '../job/errors.ts'
import type { Mode } from '../job/job.ts'
import { EXPORT_SCOPES, isScope } from '../job/scopes.ts'
import type { ApiKey, KeyStore } from '../store/store.ts'
import { isTenant, type Principal } from './principal.ts'

/** Header values as they came, one entry for each time a header was sent. */
export interface CredentialHeaders {
  readonly authorization?: string | readonly string[] | undefined
  readonly 'x-api-key'?: string | readonly string[] | undefined
  readonly 'freight-api-key'?: string | readonly string[] | undefined
}

export interface Authenticator {
  /**
   * Rejects with UNAUTHORIZED unless the headers hold exactly one credential: a key that exists and is not revoked, or a token that is good.
   * `address`: where the request came from, for the audit.
   */
  authenticate(headers: CredentialHeaders, address?: string): Promise<Principal>
}

/** Verifies a token that is no API key. */
export interface TokenVerifier {
  /** Null when it is not good, whatever the reason. */
  verify(token: string): Promise<Omit<Principal, 'address'> | null>
}

export interface NewKey {
  readonly tenant: string
  readonly name: string
  readonly mode: Mode
  /** Absent: read, write and download of whatever asks for no scope of its own. */
  readonly scopes?: readonly string[]
  readonly claims?: Readonly<Record<string, unknown>>
}

/** Letters, marks, digits, punctuation, symbols and plain spaces: nothing that breaks a line or hides. */
const KEY_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,100}$/u
const SECRET = /^frt_(live|test)_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** `secret` is the key itself; it cannot be had again. Throws VALIDATION_FAILED for a tenant or name that is not allowed. */
export async function createKey(store: KeyStore, input: NewKey, now: Date): Promise<{ key: ApiKey; secret: string }> {
  if (!isTenant(input.tenant)) {
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
  const scopes = input.scopes ?? EXPORT_SCOPES
  const odd = scopes.find((scope) => !isScope(scope))
  if (odd !== undefined) {
    throw new FreightError(
      'VALIDATION_FAILED',
      'A scope is 1 to 200 visible ASCII characters without blanks, quotes and backslashes.',
      {
        details: { pointer: 'scopes' },
      },
    )
  }
  const id = Array.from({ length: 12 }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('')
  const secret = `frt_${input.mode}_${id}_${randomBytes(32).toString('base64url')}`
  const { tenant, name, mode, claims = {} } = input
  const key: ApiKey = { id, tenant, name, mode, createdAt: now, revokedAt: null, scopes, claims }
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

/** Every key is looked up anew, so a new or revoked one counts with the next request. Without `tokens` only keys are known. */
export function createAuthenticator(store: Pick<KeyStore, 'findKey'>, tokens: TokenVerifier | null = null): Authenticator {
  const keys = createKeyVerifier(store)
  return {
    async authenticate(headers, address) {
      const credential = onlyCredential(headers)
      const found = credential && (await (credential.mayBeToken && tokens ? tokens : keys).verify(credential.text))
      if (!found) throw unauthorized()
      return { ...found, address: address ?? null }
    },
  }
}

export function createKeyVerifier(store: Pick<KeyStore, 'findKey'>): TokenVerifier {
  // What an unknown id is compared with, so that it takes the same steps as a known one.
  const nobody = hashOf(randomBytes(32).toString('base64url'))
  return {
    async verify(secret) {
      const id = SECRET.exec(secret)?.[2]
      if (id === undefined) return null
      const found = await store.findKey(id)
      const equal = timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), Buffer.from(found?.hash ?? nobody, 'hex'))
      if (!found || !equal || found.key.revokedAt !== null) return null
      return principalOf(found.key)
    },
  }
}

export function principalOf({ id, tenant, mode, scopes, claims }: ApiKey): Omit<Principal, 'address'> {
  return { id, tenant, mode, kind: 'application', scopes, claims }
}

/** The id of the key that a request says it comes with, whether or not that is true; null where it says none. */
export function claimedKeyId(headers: CredentialHeaders): string | null {
  return SECRET.exec(onlyCredential(headers)?.text ?? '')?.[2] ?? null
}

interface Credential {
  readonly text: string
  /** Sent as a bearer token, and not in the form of a key. */
  readonly mayBeToken: boolean
}

/** Two credentials may name two callers: neither is believed. The scheme ignores case (RFC 9110, section 11.1). */
function onlyCredential(headers: CredentialHeaders): Credential | null {
  const authorization = [headers.authorization ?? []].flat()
  const apiKeys = [headers['x-api-key'] ?? [], headers['freight-api-key'] ?? []].flat(2)
  if (authorization.length + apiKeys.length !== 1) return null
  const [apiKey] = apiKeys
  if (apiKey !== undefined) return { text: apiKey, mayBeToken: false }
  const bearer = /^bearer (\S+)$/i.exec(authorization[0] ?? '')?.[1]
  return bearer === undefined ? null : { text: bearer, mayBeToken: !bearer.startsWith('frt_') }
}

/** One answer for everything: which part was wrong is nobody's business who does not hold the key. */
function unauthorized(): FreightError {
  return new FreightError(
    'UNAUTHORIZED',
    'This needs exactly one valid API key or token, sent as "Authorization: Bearer <key>", or a key as "x-api-key: <key>".',
  )
}
