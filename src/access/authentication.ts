/** Everyone who may call: keys of the store, tokens that Freight grants, tokens of configured issuers. */
import type { KeyStore, SecretStore } from '../store/store.ts'
import { createJwtVerifier, type IssuerSettings } from './jwt.ts'
import { createSecretKeeper, maskKey } from './kept-secrets.ts'
import { type Authenticator, createAuthenticator } from './keys.ts'
import { createOAuthServer, type OAuthServer } from './oauth.ts'
import { createSigningKeys, type SigningKeys } from './signing-keys.ts'
import { createTokenVerifier } from './tokens.ts'

export interface Authentication extends Authenticator {
  readonly server: OAuthServer
  readonly keys: SigningKeys
}

export interface AuthenticationOptions {
  readonly store: KeyStore & SecretStore
  /** As `loadSecrets` gives them. */
  readonly secrets: readonly string[]
  readonly issuers: readonly IssuerSettings[]
  readonly tokenMs: number
  publicUrl(): string
  now(): Date
  onRefusal(issuer: string, error: unknown): void
}

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { store, secrets, issuers, tokenMs } = options
  const now = (): Date => options.now()
  const keys = createSigningKeys(createSecretKeeper(store, secrets), now)
  const server = createOAuthServer({ store, keys, issuer: () => options.publicUrl(), lifetimeMs: tokenMs, now })
  const others = createJwtVerifier({ issuers, now, onRefusal: (issuer, error) => options.onRefusal(issuer, error) })
  return { server, keys, authenticate: createAuthenticator(store, createTokenVerifier(server, others)).authenticate }
}

/** As a source takes it. */
export function loadMaskKey(store: SecretStore, secrets: readonly string[], now: Date): Promise<string> {
  return maskKey(createSecretKeeper(store, secrets), now)
}
