import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createJwtVerifier, type IssuerSettings } from './jwt.ts'

const ISSUER = 'https://auth.example.com/'
const NOW = new Date('2026-03-01T12:00:00Z')
const SECONDS = NOW.getTime() / 1000

interface Pair {
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

async function newPair(kid: string, algorithm = 'RS256'): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm } }
}

/** What a good token says. */
const GOOD = { org: 'acme', scope: 'exports:read exports:write', region: [3], client_id: 'c1' }

let server: Server
let url: string
let asked: string[]
let answer: { status: number; body: string }
let signing: Pair
let clock: { now: Date }

beforeAll(async () => {
  signing = await newPair('k1')
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const headers = answer.status === 302 ? { location: `${url}/elsewhere` } : {}
    response.writeHead(answer.status, headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))
beforeEach(() => {
  asked = []
  clock = { now: NOW }
  answer = { status: 200, body: JSON.stringify({ keys: [signing.jwk] }) }
})

function verifier(differences: Partial<IssuerSettings> = {}) {
  const settings: IssuerSettings = {
    issuer: ISSUER,
    keys: { url: `${url}/jwks` },
    audience: ['freight'],
    algorithms: ['RS256'],
    claims: { tenant: 'org', scope: 'scope', mode: 'test', subject: 'sub' },
    scopes: {},
    ...differences,
  }
  const refused: unknown[] = []
  const { verify } = createJwtVerifier({
    issuers: [settings],
    now: () => clock.now,
    onRefusal: (_issuer, error) => refused.push(error),
  })
  return { verify, refused }
}

function token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = signing.privateKey) {
  const whole = { iss: ISSUER, aud: 'freight', sub: 'c1', iat: SECONDS, exp: SECONDS + 60, ...GOOD, ...claims }
  const kept = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined))
  return new SignJWT(kept).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header } as { alg: string }).sign(key)
}

/** Any header and payload with any signature. */
function forged(header: object, claims: object, sign: (input: string) => string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode(header)}.${encode({ iss: ISSUER, aud: 'freight', sub: 'c1', iat: SECONDS, exp: SECONDS + 60, ...GOOD, ...claims })}`
  return `${input}.${sign(input)}`
}

describe('a token of a configured issuer', () => {
  it('names its caller: tenant, mode, scopes, claims, and whether an application or a person', async () => {
    const { verify } = verifier()
    expect(await verify(await token())).toEqual({
      id: 'auth.example.com:c1',
      tenant: 'acme',
      mode: 'live',
      kind: 'application',
      scopes: ['exports:read', 'exports:write'],
      claims: expect.objectContaining({ region: [3] }),
    })
    expect(await verify(await token({ sub: 'user-7', test: true, scope: ['exports:read'] }))).toMatchObject({
      id: 'auth.example.com:user-7',
      mode: 'test',
      kind: 'user',
      scopes: ['exports:read'],
    })
    expect(await verify(await token({ scope: undefined }))).toMatchObject({ scopes: [] })
  })

  it('is read by the claims that the configuration names, and its scopes in the words it gives', async () => {
    const { verify } = verifier({
      claims: { tenant: 'organization.slug', scope: 'https://example.com/roles', mode: 'env', subject: 'application.id' },
      scopes: { exporter: ['exports:read', 'exports:write'], nothing: [] },
    })
    const claims = {
      organization: { slug: 'globex' },
      'https://example.com/roles': ['exporter', 'nothing', 'hr:read'],
      env: 'test',
      application: { id: 'app-1' },
    }
    expect(await verify(await token(claims))).toMatchObject({
      id: 'auth.example.com:app-1',
      tenant: 'globex',
      mode: 'test',
      scopes: ['exports:read', 'exports:write', 'hr:read'],
    })
  })

  it('is good for 30 s beyond its times, for the clocks, and no longer', async () => {
    const { verify } = verifier()
    expect(await verify(await token({ exp: SECONDS - 29 }))).not.toBeNull()
    expect(await verify(await token({ exp: SECONDS - 31 }))).toBeNull()
    expect(await verify(await token({ nbf: SECONDS + 29 }))).not.toBeNull()
    expect(await verify(await token({ nbf: SECONDS + 31 }))).toBeNull()
    expect(await verify(await token({ iat: SECONDS + 31 }))).toBeNull()
  })

  it.each([
    ['no expiry', { exp: undefined }],
    ['an expiry that is text', { exp: String(SECONDS + 60) }],
    ['an expiry in the year of the suns', { exp: 1e18 }],
    ['another audience', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'https://auth.example.com' }],
    ['no issuer', { iss: undefined }],
    ['no subject', { sub: undefined }],
    ['a subject with a blank', { sub: 'a b' }],
    ["an ID token's nonce", { nonce: 'x' }],
    ["an ID token's hash", { at_hash: 'x' }],
    ['no tenant', { org: undefined }],
    ['an empty tenant', { org: '' }],
    ['a list of tenants', { org: ['acme'] }],
    ['a tenant that is an object', { org: { id: 'acme' } }],
    ['the tenant __proto__', { org: '__proto__' }],
    ['a tenant with a slash', { org: '../acme' }],
    ['a mode that is neither', { test: 'production' }],
    ['a mode that is a list', { test: ['live'] }],
    ['scopes that are an object', { scope: { 'exports:read': true } }],
    ['scopes that hold numbers', { scope: ['exports:read', 7] }],
  ])('is refused with %s', async (_what, claims) => {
    expect(await verifier().verify(await token(claims))).toBeNull()
  })

  it('is refused without a signature, however "none" is spelled', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      expect(await verifier().verify(forged({ alg, kid: 'k1' }, {}, () => ''))).toBeNull()
      expect(await verifier().verify(forged({ alg, kid: 'k1' }, {}, () => 'AAAA'))).toBeNull()
    }
  })

  it('is refused when the public key was used as the secret of a MAC', async () => {
    const pem = await exportSPKI(signing.publicKey)
    for (const secret of [pem, pem.trim(), JSON.stringify(signing.jwk), signing.jwk.n ?? '']) {
      for (const alg of ['HS256', 'RS256']) {
        const mac = (input: string): string => createHmac('sha256', secret).update(input).digest('base64url')
        expect(await verifier().verify(forged({ alg, kid: 'k1' }, {}, mac))).toBeNull()
        expect(await verifier({ algorithms: ['RS256', 'HS256'] }).verify(forged({ alg, kid: 'k1' }, {}, mac))).toBeNull()
      }
    }
  })

  it('is refused when signed by another algorithm than the configured ones, the key being right', async () => {
    const { verify } = verifier({ algorithms: ['ES256', 'PS256'] })
    expect(await verify(await token())).toBeNull()
  })

  it('brings no key of its own: jwk, jku, x5u and x5c in the header lead nowhere and fetch nothing', async () => {
    const attacker = await newPair('k1')
    const headers = [
      { jwk: attacker.jwk },
      { jku: `${url}/attacker` },
      { x5u: `${url}/attacker` },
      { x5c: ['MIIB'] },
      { kid: '../../dev/null' },
      { kid: "' or 1=1 --" },
      { kid: `${url}/attacker` },
      { kid: '__proto__' },
      { kid: '' },
    ]
    for (const header of headers) expect(await verifier().verify(await token({}, header, attacker.privateKey))).toBeNull()
    expect(new Set(asked)).toEqual(new Set(['/jwks']))
  })

  it('is refused with a critical header that nobody knows, or with an unencoded payload', async () => {
    const encode = (input: string): string => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      return privateKey === null ? '' : Buffer.from(input).toString('base64url')
    }
    expect(await verifier().verify(forged({ alg: 'RS256', kid: 'k1', crit: ['exp'], exp: 1 }, {}, encode))).toBeNull()
    expect(await verifier().verify(forged({ alg: 'RS256', kid: 'k1', crit: ['b64'], b64: false }, {}, encode))).toBeNull()
  })

  it('is refused when any one character differs', async () => {
    const { verify } = verifier()
    const good = await token()
    for (let at = 0; at < good.length - 1; at += 1) {
      const other = good[at] === 'A' ? 'B' : 'A'
      expect(await verify(good.slice(0, at) + other + good.slice(at + 1)), `at ${at}`).toBeNull()
    }
    // The last character of an RSA signature holds bits that no byte needs.
    for (const wrong of [good.slice(0, -2), `${good}.`, `${good}A`, good.split('.').slice(0, 2).join('.'), `.${good}`]) {
      expect(await verify(wrong)).toBeNull()
    }
  })

  it('is refused unread when it is huge or no token at all', async () => {
    const { verify } = verifier()
    for (const text of ['', '.', '..', 'a.b.c', 'frt_live_x', 'x'.repeat(1_000_000), `${'a'.repeat(9_000)}.b.c`]) {
      expect(await verify(text)).toBeNull()
    }
    expect(await verify(await token({ padding: 'x'.repeat(10_000) }))).toBeNull()
    expect(asked).toEqual([])
  })

  it('of an issuer that nobody configured asks nobody for keys', async () => {
    expect(await verifier().verify(await token({ iss: `${url}/attacker` }))).toBeNull()
    expect(asked).toEqual([])
  })
})

describe("an issuer's keys", () => {
  it('are asked for once, and again for an unknown kid at most once a minute', async () => {
    const { verify } = verifier()
    await Promise.all(Array.from({ length: 20 }, async () => verify(await token())))
    expect(asked).toHaveLength(1)
    const next = await newPair('k2')
    const stranger = () => token({}, { kid: 'k2' }, next.privateKey)
    answer.body = JSON.stringify({ keys: [signing.jwk, next.jwk] })
    for (let times = 0; times < 50; times += 1) expect(await verify(await stranger())).toBeNull()
    expect(asked).toHaveLength(1)
    clock.now = new Date(NOW.getTime() + 60_000)
    expect(await verify(await token({ exp: SECONDS + 3_600 }, { kid: 'k2' }, next.privateKey))).not.toBeNull()
    for (let times = 0; times < 50; times += 1) await verify(await token({ exp: SECONDS + 3_600 }, { kid: `k${times + 3}` }))
    expect(asked).toHaveLength(2)
  })

  it('stop counting once the issuer has withdrawn them', async () => {
    const { verify } = verifier()
    const long = { exp: SECONDS + 100_000 }
    expect(await verify(await token(long))).not.toBeNull()
    answer.body = JSON.stringify({ keys: [(await newPair('k2')).jwk] })
    clock.now = new Date(NOW.getTime() + 11 * 60_000)
    expect(await verify(await token(long))).toBeNull()
  })

  it('stay good for a day while the issuer is away, which is told to the log', async () => {
    const { verify, refused } = verifier()
    const long = { exp: SECONDS + 1_000_000 }
    expect(await verify(await token(long))).not.toBeNull()
    answer.status = 503
    clock.now = new Date(NOW.getTime() + 23 * 3_600_000)
    expect(await verify(await token(long))).not.toBeNull()
    expect(refused).not.toEqual([])
    clock.now = new Date(NOW.getTime() + 25 * 3_600_000)
    expect(await verify(await token(long))).toBeNull()
  })

  it.each([
    ['a redirect', 302, ''],
    ['an error', 500, ''],
    ['no JSON', 200, '<html>'],
    ['no key set', 200, '{"keys": "x"}'],
    ['an endless answer', 200, ' '.repeat(300 * 1024)],
  ])('are not taken from %s, and are asked for again soon but not at once', async (_what, status, body) => {
    answer = { status, body }
    const { verify, refused } = verifier()
    for (let times = 0; times < 5; times += 1) expect(await verify(await token())).toBeNull()
    expect(asked).toEqual(['/jwks'])
    expect(refused.length).toBeGreaterThan(0)
    answer = { status: 200, body: JSON.stringify({ keys: [signing.jwk] }) }
    clock.now = new Date(NOW.getTime() + 10_000)
    expect(await verify(await token())).not.toBeNull()
  })

  it('may have no kid while there is only one, and are refused when two would fit', async () => {
    const { kid, ...anonymous } = signing.jwk
    answer.body = JSON.stringify({ keys: [anonymous] })
    expect(kid).toBe('k1')
    expect(await verifier().verify(await token({}, { kid: undefined }))).not.toBeNull()
    answer.body = JSON.stringify({ keys: [signing.jwk, (await newPair('k2')).jwk] })
    expect(await verifier().verify(await token({}, { kid: undefined }))).toBeNull()
  })
})
