/**
 * Tokens of configured issuers (JWT, RFC 7519; the rules of RFC 8725): verified with `jose`, then read as a principal by the claims that the
 * configuration names.
 *
 * Nothing in a token decides how it is verified: the algorithms and the place of the keys come from the configuration, so `alg: none`, a MAC made
 * with a public key, and a `jwk`, `jku` or `x5u` in the header lead nowhere.
 */
import { decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { type Claims, claimAt } from '../job/claims.ts'
import type { Mode } from '../job/job.ts'
import { isScope } from '../job/scopes.ts'
import { createKeySet, type KeySet, type KeySetPlace } from './key-set.ts'
import type { TokenVerifier } from './keys.ts'
import { isTenant, type Principal } from './principal.ts'

export interface IssuerSettings {
  /** Equal, to the character, to the token's `iss`. */
  readonly issuer: string
  readonly keys: KeySetPlace
  /** One of them must be in the token's `aud`. */
  readonly audience: readonly string[]
  /** Signatures only, never a MAC. */
  readonly algorithms: readonly string[]
  readonly claims: ClaimPaths
  /** What a scope of the issuer's means here, in Freight's words. A scope that is not listed stands for itself. */
  readonly scopes: Readonly<Record<string, readonly string[]>>
}

/** Names of claims, or paths with dots. */
interface ClaimPaths {
  readonly tenant: string
  /** Words with blanks between, or a list. */
  readonly scope: string
  /** `live` or `test`; yes or no is read as "is a test". Live where the claim is missing. */
  readonly mode: string
  readonly subject: string
}

/** Longer ones are refused unread; the whole head of a request may have twice as much. */
const LONGEST_TOKEN = 8 * 1024
const CLOCK_TOLERANCE_SECONDS = 30
/** A token that outlives its issuer's keys is a mistake, or not a token of this kind. */
const LONGEST_LIFE_SECONDS = 400 * 24 * 60 * 60
/** Only ID tokens have them (OpenID Connect Core, sections 2 and 3.3.2.11): they tell a client who a person is, and permit nothing. */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash']
const SUBJECT = /^[\x21-\x7e]{1,150}$/

export interface JwtOptions {
  readonly issuers: readonly IssuerSettings[]
  now(): Date
  /** Why a token was refused, or an issuer's keys could not be had. For the log; never the token. */
  onRefusal(issuer: string, error: unknown): void
}

export function createJwtVerifier({ issuers, now, onRefusal }: JwtOptions): TokenVerifier {
  const known = new Map(
    issuers.map((settings): [string, { settings: IssuerSettings; keys: KeySet }] => {
      const onFault = (error: unknown): void => onRefusal(settings.issuer, error)
      return [settings.issuer, { settings, keys: createKeySet(settings.keys, () => now().getTime(), onFault) }]
    }),
  )
  return {
    async verify(token) {
      const issuer = token.length > LONGEST_TOKEN ? null : issuerOf(token)
      const found = issuer === null ? undefined : known.get(issuer)
      if (!found) return null
      try {
        const claims = await verifiedClaims(token, found.settings, (header) => found.keys.keyFor(header), now())
        return principalOf(claims, found.settings)
      } catch (error) {
        onRefusal(found.settings.issuer, error)
        return null
      }
    },
  }
}

/** Of a token that nobody has verified yet: only good for choosing who verifies it. */
export function issuerOf(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? null
  } catch {
    return null
  }
}

export type TokenRules = Pick<IssuerSettings, 'issuer' | 'audience' | 'algorithms'>

/** Throws when the token is not good. */
export async function verifiedClaims(token: string, rules: TokenRules, keyFor: KeySet['keyFor'], now: Date): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, keyFor, {
    issuer: rules.issuer,
    audience: [...rules.audience],
    algorithms: [...rules.algorithms],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
    currentDate: now,
  })
  const seconds = now.getTime() / 1000
  if ((payload.exp ?? 0) > seconds + LONGEST_LIFE_SECONDS) throw new Error('it is valid for longer than 400 days')
  if ((payload.iat ?? 0) > seconds + CLOCK_TOLERANCE_SECONDS) throw new Error('it was issued in the future')
  const own = ID_TOKEN_CLAIMS.find((name) => Object.hasOwn(payload, name))
  if (own !== undefined) throw new Error(`it is an ID token: it has the claim ${own}`)
  return payload
}

/** Throws where a claim that decides about rights is not what it must be; it is never read with a guess. */
function principalOf(claims: JWTPayload, { issuer, claims: paths, scopes }: IssuerSettings): Omit<Principal, 'address'> {
  const tenant = claimAt(claims, paths.tenant)
  if (typeof tenant !== 'string' || !isTenant(tenant)) throw new Error(`the claim ${paths.tenant} is no tenant`)
  const subject = claimAt(claims, paths.subject)
  if (typeof subject !== 'string' || !SUBJECT.test(subject)) throw new Error(`the claim ${paths.subject} is no subject`)
  const words = scopeWords(claimAt(claims, paths.scope))
  return {
    id: `${URL.canParse(issuer) ? new URL(issuer).host : issuer}:${subject}`,
    tenant,
    mode: modeOf(claimAt(claims, paths.mode)),
    kind: isApplication(claims, subject) ? 'application' : 'user',
    scopes: [...new Set(words.flatMap((word) => (Object.hasOwn(scopes, word) ? (scopes[word] ?? []) : [word])))],
    claims,
  }
}

function scopeWords(claim: unknown): readonly string[] {
  if (claim === undefined) return []
  const words: unknown = typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : claim
  if (Array.isArray(words) && words.length <= 1_000 && words.every((word) => typeof word === 'string' && isScope(word)))
    return words
  throw new Error('the scope claim is neither text nor a list of words')
}

function modeOf(claim: unknown): Mode {
  if (claim === undefined || claim === 'live' || claim === false) return 'live'
  if (claim === 'test' || claim === true) return 'test'
  throw new Error('the mode claim is neither live nor test')
}

/** RFC 9068, section 2.2: without a person the subject is the client itself. Others say so in words of their own. */
function isApplication(claims: Claims, subject: string): boolean {
  const client = claims.client_id ?? claims.azp ?? claims.appid
  return client === subject || claims.gty === 'client-credentials' || claims.idtyp === 'app' || subject === `${client}@clients`
}
