/** Every token that may be good: Freight's own, and those of configured issuers. */
import { issuerOf } from './jwt.ts'
import type { TokenVerifier } from './keys.ts'
import type { OAuthServer } from './oauth.ts'

export function createTokenVerifier(own: OAuthServer, others: TokenVerifier): TokenVerifier {
  return {
    verify: (token) => (issuerOf(token) === own.issuer() ? own : others).verify(token),
  }
}
