/**
 * A token endpoint for clients that expect one: OAuth 2.0 client credentials (RFC 6749, section 4.4), nothing more. A client is an API key: its id
 * is `client_id`, the key itself `client_secret`.
 *
 * A token is a pointer to its key, for a while and with the same rights or fewer: tenant, claims and scopes are looked up at each use, so a
 * revoked key ends its tokens at once.
 */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { KeyStore } from '../store/store.ts'
import { verifiedClaims } from './jwt.ts'
import { createKeyVerifier, principalOf, type TokenVerifier } from './keys.ts'
import type { Principal } from './principal.ts'
import { SIGNING_ALGORITHM, type SigningKeys } from './signing-keys.ts'

/** RFC 6749, section 5.2. */
export type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope'

export class OAuthError extends Error {
  readonly code: OAuthErrorCode

  constructor(code: OAuthErrorCode, message: string) {
    super(message)
    this.name = 'OAuthError'
    this.code = code
  }
}

interface TokenRequest {
  /** The header as it came. */
  readonly authorization: string | undefined
  /** Of the body, each name once. */
  readonly parameters: ReadonlyMap<string, string>
}

interface TokenAnswer {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly scope: string
  readonly createdAt: Date
  readonly client: Omit<Principal, 'address'>
}

export interface OAuthServer extends TokenVerifier {
  /** Rejects with OAuthError. */
  grant(request: TokenRequest): Promise<TokenAnswer>
  /** What `iss` of its tokens says. */
  issuer(): string
}

export interface OAuthOptions {
  readonly store: Pick<KeyStore, 'findKey'>
  readonly keys: SigningKeys
  /** The service's public address: both issuer and audience of its tokens. */
  issuer(): string
  readonly lifetimeMs: number
  now(): Date
}

export function createOAuthServer(options: OAuthOptions): OAuthServer {
  const clients = createKeyVerifier(options.store)
  return {
    issuer: () => options.issuer(),
    async grant(request) {
      const { parameters } = request
      const type = parameters.get('grant_type')
      if (type === undefined) throw new OAuthError('invalid_request', 'grant_type is missing; it must be client_credentials.')
      const { id, secret } = clientCredentials(request)
      const client = await clients.verify(secret)
      if (client?.id !== id) {
        throw new OAuthError(
          'invalid_client',
          'client_id is the id of an API key, and client_secret the key itself; these are not.',
        )
      }
      if (type !== 'client_credentials') {
        throw new OAuthError('unsupported_grant_type', 'grant_type must be client_credentials.')
      }
      return sign(options, client, grantedScopes(client, parameters.get('scope')))
    },
    verify: (token) => verifyOwn(options, token),
  }
}

/** RFC 6749, section 2.3: in the header, or else in the body, never both. */
function clientCredentials({ authorization, parameters }: TokenRequest): { id: string; secret: string } {
  const [id, secret] = [parameters.get('client_id'), parameters.get('client_secret')]
  if (authorization === undefined) {
    if (id !== undefined && secret !== undefined) return { id, secret }
    throw new OAuthError('invalid_client', 'Send client_id and client_secret, in the body or by HTTP Basic authentication.')
  }
  const basic = /^basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization)?.[1]
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic ?? '', 'base64').toString('utf8')) ?? []
  if (name === undefined || password === undefined) {
    throw new OAuthError('invalid_client', 'A client names itself by HTTP Basic authentication, or in the body.')
  }
  const client = { id: formDecoded(name), secret: formDecoded(password) }
  if (secret !== undefined || (id !== undefined && id !== client.id)) {
    throw new OAuthError('invalid_request', 'The client names itself twice. Use the header or the body, not both.')
  }
  return client
}

/** Section 2.3.1: both halves are form-encoded before they are joined. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/**
 * What was asked for of what the client has. Words of other vocabularies (`market:all`, `core.default`) are ignored, as section 3.3 allows; when
 * nothing else was asked for, the client gets what it has. A scope of Freight's that it does not have is refused.
 */
function grantedScopes({ scopes }: Pick<Principal, 'scopes'>, asked: string | undefined): readonly string[] {
  const words = (asked ?? '').split(' ').filter((word) => word !== '')
  const missing = words.find((word) => word.startsWith('exports:') && !scopes.includes(word))
  if (missing !== undefined)
    throw new OAuthError('invalid_scope', 'This client may not have one of the scopes that were asked for.')
  const granted = scopes.filter((scope) => words.includes(scope))
  return granted.length > 0 ? granted : scopes
}

async function sign(
  { keys, issuer, lifetimeMs, now }: OAuthOptions,
  client: Omit<Principal, 'address'>,
  scopes: readonly string[],
): Promise<TokenAnswer> {
  const createdAt = now()
  const issuedAt = Math.floor(createdAt.getTime() / 1000)
  const expiresInSeconds = Math.round(lifetimeMs / 1000)
  const scope = scopes.join(' ')
  const { kid, key } = await keys.current()
  const accessToken = await new SignJWT({
    client_id: client.id,
    scope,
    // As the clients of api-exports read their tenant and mode; nothing here is believed when the token comes back.
    organization: { id: client.tenant, slug: client.tenant },
    application: { id: client.id, kind: 'integration' },
    test: client.mode === 'test',
  })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid, typ: 'at+jwt' })
    .setIssuer(issuer())
    .setAudience(issuer())
    .setSubject(client.id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + expiresInSeconds)
    .setJti(randomUUID())
    .sign(key)
  return { accessToken, expiresInSeconds, scope, createdAt, client }
}

async function verifyOwn({ store, keys, issuer, now }: OAuthOptions, token: string): Promise<Omit<Principal, 'address'> | null> {
  const rules = { issuer: issuer(), audience: [issuer()], algorithms: [SIGNING_ALGORITHM] }
  try {
    const claims = await verifiedClaims(token, rules, (header) => keys.keyFor(header), now())
    const found = await store.findKey(String(claims.client_id))
    if (!found || found.key.revokedAt !== null) return null
    const granted = String(claims.scope).split(' ')
    const principal = principalOf(found.key)
    return { ...principal, scopes: principal.scopes.filter((scope) => granted.includes(scope)) }
  } catch {
    return null
  }
}
