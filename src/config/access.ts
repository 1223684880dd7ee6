/** The check of what a configuration file says of callers: who vouches for them, what they may have, and how much. */
import { resolve } from 'node:path'
import type { Quotas, TenantQuota } from '../job/limits.ts'
import { isScope } from '../job/scopes.ts'
import { MASK_NAMES } from '../job/spec.ts'
import type { IssuerConfig, TenantLimitsConfig } from './freight-config.ts'
import type { Members, Place } from './place.ts'

/** Signatures by a private key only. A MAC would need a secret that its issuer shares, and its verifier could make tokens, too. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const USUAL_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** What the verifier of tokens is made with; the same shape as its own settings. */
export interface CheckedIssuer {
  readonly issuer: string
  readonly keys: { readonly url: string } | { readonly file: string }
  readonly audience: readonly string[]
  readonly algorithms: readonly string[]
  readonly claims: Required<NonNullable<IssuerConfig['claims']>>
  readonly scopes: Readonly<Record<string, readonly string[]>>
}

export function checkIssuers(place: Place, value: unknown, base: string): readonly CheckedIssuer[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw place.invalid('must be a list of issuers.')
  const issuers = value.map((each, index) => checkIssuer(place.at(String(index)), each, base))
  issuers.forEach(({ issuer }, index) => {
    const first = issuers.findIndex((other) => other.issuer === issuer)
    if (first < index) throw place.at(String(index)).invalid(`"${issuer}" is configured twice.`)
  })
  return issuers
}

function checkIssuer(place: Place, value: unknown, base: string): CheckedIssuer {
  const config = place.object(value, ['issuer', 'jwks', 'audience', 'algorithms', 'claims', 'scopes'])
  const claims =
    config.claims === undefined ? {} : place.at('claims').object(config.claims, ['tenant', 'scope', 'mode', 'subject'])
  const claim = (name: string, usual: string): string =>
    claims[name] === undefined ? usual : place.at('claims').at(name).text(claims[name])
  return {
    issuer: place.at('issuer').text(config.issuer),
    keys: checkKeys(place.at('jwks'), config.jwks, base),
    audience: names(place.at('audience'), config.audience),
    algorithms: config.algorithms === undefined ? USUAL_ALGORITHMS : checkAlgorithms(place.at('algorithms'), config.algorithms),
    claims: {
      tenant: claim('tenant', 'tenant'),
      scope: claim('scope', 'scope'),
      mode: claim('mode', 'mode'),
      subject: claim('subject', 'sub'),
    },
    scopes: config.scopes === undefined ? {} : place.at('scopes').map(config.scopes, (at, list) => names(at, list, checkScope)),
  }
}

/** Plain http would let anyone on the way put in keys of their own; on this machine there is nobody on the way. */
function checkKeys(place: Place, value: unknown, base: string): CheckedIssuer['keys'] {
  const text = place.text(value)
  if (text.startsWith('file:')) return { file: resolve(base, text.slice('file:'.length)) }
  const url = URL.canParse(text) ? new URL(text) : null
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (!url || url.username || url.password || !(url.protocol === 'https:' || isLocal)) {
    throw place.invalid('must be an https address, or file:path/to/jwks.json.')
  }
  return { url: url.href }
}

function checkAlgorithms(place: Place, value: unknown): readonly string[] {
  const list = names(place, value)
  const odd = list.find((name) => !ALGORITHMS.includes(name))
  if (odd !== undefined)
    throw place.invalid(`"${odd}" is not an algorithm that tokens are taken with; known: ${ALGORITHMS.join(', ')}.`)
  return list
}

function names(place: Place, value: unknown, check: (at: Place, name: string) => void = () => {}): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw place.invalid('must not be empty.')
  return list.map((entry, index) => {
    const at = Array.isArray(value) ? place.at(String(index)) : place
    const name = at.text(entry)
    check(at, name)
    return name
  })
}

function checkScope(place: Place, value: unknown): void {
  if (!isScope(place.text(value))) throw place.invalid('must be a scope: visible ASCII without blanks, quotes and backslashes.')
}

const LIMITS = [
  'running',
  'waiting',
  'rowsPerDay',
  'bytesPerDay',
  'requestsPerMinute',
] as const satisfies (keyof TenantLimitsConfig)[]

export function checkLimits(place: Place, value: unknown): Quotas {
  if (value === undefined) return { usual: quota(place, {}), tenants: {} }
  const config = place.object(value, [...LIMITS, 'tenants'])
  const usual = quota(place, config)
  if (config.tenants === undefined) return { usual, tenants: {} }
  const tenants = place.at('tenants').map(config.tenants, (at, own) => ({ ...usual, ...given(at, at.object(own, LIMITS)) }))
  return { usual, tenants }
}

function quota(place: Place, config: Members): TenantQuota {
  const none = { running: null, waiting: null, rowsPerDay: null, bytesPerDay: null, requestsPerMinute: null }
  return { ...none, ...given(place, config) }
}

function given(place: Place, config: Members): Partial<TenantQuota> {
  const named = LIMITS.filter((name) => config[name] !== undefined)
  return Object.fromEntries(named.map((name) => [name, place.at(name).count(config[name], Number.MAX_SAFE_INTEGER)]))
}

/** What one resource says of who may have it. Whether its columns and fields are there is known once the database was looked at. */
export function checkResourceAccess(place: Place, resource: Members): void {
  if (resource.scope !== undefined) place.at('scope').map(resource.scope, (at, claim) => at.text(claim))
  if (resource.fieldScopes !== undefined) place.at('fieldScopes').map(resource.fieldScopes, checkScope)
  if (resource.masks !== undefined) place.at('masks').map(resource.masks, checkMask)
  if (resource.ownScope !== undefined && typeof resource.ownScope !== 'boolean')
    throw place.at('ownScope').invalid('must be true or false.')
}

function checkMask(place: Place, value: unknown): void {
  const { as, unless } = typeof value === 'string' ? { as: value } : place.object(value, ['as', 'unless'])
  if (!(MASK_NAMES as readonly unknown[]).includes(as))
    throw place.invalid(`must be one of ${MASK_NAMES.join(', ')}, or { as, unless }.`)
  if (unless !== undefined) checkScope(place.at('unless'), unless)
}

/** PostgreSQL takes a variable of anyone's own only with a dot in its name. */
export function checkSessionVariables(place: Place, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  return place.map(value, (at, claim, name) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(name)) {
      throw at.invalid('a variable is two names with a dot between, as "app.tenant".')
    }
    return at.text(claim)
  })
}
