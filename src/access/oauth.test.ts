import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { ApiKey, Store } from '../store/store.ts'
import { createSecretKeeper, maskKey } from './kept-secrets.ts'
import { createAuthenticator, createKey } from './keys.ts'
import { createOAuthServer } from './oauth.ts'
import { createSigningKeys } from './signing-keys.ts'
import { createTokenVerifier } from './tokens.ts'

const ISSUER = 'https://freight.example'
const NOW = new Date('2026-03-01T12:00:00Z')
const DAY_MS = 86_400_000
const SECRETS = ['k3Yq9-Zr7Lw2_Xv5Bn8-k3Yq9-Zr7Lw2', 'p1Oa4-Ns6Dh0_Gj3Mc7-p1Oa4-Ns6Dh0'] as const

let folder: string
let store: Store
let clock: { now: Date }
let key: ApiKey
let secret: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-oauth-'))
  store = await openSqliteStore(join(folder, 'freight.db'))
  await store.migrate()
  clock = { now: NOW }
  const scopes = ['exports:read', 'exports:write', 'hr:read']
  const made = await createKey(store, { tenant: 'acme', name: 'crm', mode: 'test', scopes, claims: { region: [3] } }, NOW)
  key = made.key
  secret = made.secret
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

function open(secrets: readonly string[] = [SECRETS[0]]) {
  const keys = createSigningKeys(createSecretKeeper(store, secrets), () => clock.now)
  const server = createOAuthServer({ store, keys, issuer: () => ISSUER, lifetimeMs: 3_600_000, now: () => clock.now })
  const { authenticate } = createAuthenticator(store, createTokenVerifier(server, { verify: async () => null }))
  const ask = (parameters: Record<string, string>, authorization?: string) =>
    server.grant({ authorization, parameters: new Map(Object.entries({ grant_type: 'client_credentials', ...parameters })) })
  const withToken = (token: string) => authenticate({ authorization: `Bearer ${token}` })
  return { keys, server, ask, withToken }
}

const client = () => ({ client_id: key.id, client_secret: secret })
const basic = (id: string, password: string) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`

describe('the token endpoint', () => {
  it('gives a token that stands for its key, and that its published keys verify', async () => {
    const { ask, keys, withToken } = open()
    const { accessToken, expiresInSeconds, scope } = await ask(client())
    expect({ expiresInSeconds, scope }).toEqual({ expiresInSeconds: 3_600, scope: 'exports:read exports:write hr:read' })
    const published = await keys.published()
    const { payload } = await jwtVerify(accessToken, createLocalJWKSet({ keys: [...published.keys] }), { currentDate: NOW })
    expect(payload).toMatchObject({
      iss: ISSUER,
      aud: ISSUER,
      sub: key.id,
      organization: { slug: 'acme' },
      application: { kind: 'integration' },
      test: true,
    })
    expect(JSON.stringify(published)).not.toContain('"d"')
    const rights = { tenant: 'acme', mode: 'test', kind: 'application', claims: { region: [3] } }
    expect(await withToken(accessToken)).toMatchObject({ id: key.id, scopes: key.scopes, ...rights })
  })

  it('knows its client by HTTP Basic as well as by the body', async () => {
    const { ask } = open()
    expect(await ask({}, basic(key.id, secret))).toMatchObject({ scope: key.scopes.join(' ') })
    expect(await ask({ client_id: key.id }, basic(key.id, encodeURIComponent(secret)))).toMatchObject({ expiresInSeconds: 3_600 })
  })

  it('narrows to the scopes that were asked for, ignores the words of others, and refuses its own that are not held', async () => {
    const { ask, withToken } = open()
    const { accessToken, scope } = await ask({ ...client(), scope: 'exports:read market:all' })
    expect(scope).toBe('exports:read')
    expect((await withToken(accessToken)).scopes).toEqual(['exports:read'])
    expect((await ask({ ...client(), scope: 'market:all' })).scope).toBe(key.scopes.join(' '))
    await expect(ask({ ...client(), scope: 'exports:read exports:download' })).rejects.toMatchObject({ code: 'invalid_scope' })
  })

  it('refuses what is not the grant or not the client, in the words of RFC 6749', async () => {
    const { ask, server } = open()
    const other = (await createKey(store, { tenant: 'globex', name: 'x', mode: 'live' }, NOW)).key
    const refused = async (parameters: Record<string, string>, authorization?: string) =>
      ask(parameters, authorization).then(
        () => 'granted',
        (error) => error.code,
      )
    expect(await refused({ ...client(), grant_type: 'password' })).toBe('unsupported_grant_type')
    expect(await refused({ client_id: key.id, client_secret: 'wrong', grant_type: 'password' })).toBe('invalid_client')
    expect(await refused({ ...client(), client_id: other.id })).toBe('invalid_client')
    expect(await refused({ ...client(), client_secret: `${secret}x` })).toBe('invalid_client')
    expect(await refused({ client_id: key.id })).toBe('invalid_client')
    expect(await refused({})).toBe('invalid_client')
    expect(await refused(client(), basic(key.id, secret))).toBe('invalid_request')
    expect(await refused({}, `Bearer ${secret}`)).toBe('invalid_client')
    expect(await refused({}, 'Basic ====')).toBe('invalid_client')
    await expect(server.grant({ authorization: undefined, parameters: new Map() })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    await store.revokeKey(key.id, NOW)
    expect(await refused(client())).toBe('invalid_client')
  })

  it('its tokens end with their time, and with their key at once', async () => {
    const { ask, withToken } = open()
    const { accessToken } = await ask(client())
    clock.now = new Date(NOW.getTime() + 3_600_000 + 29_000)
    expect(await withToken(accessToken)).toMatchObject({ id: key.id })
    clock.now = new Date(NOW.getTime() + 3_600_000 + 31_000)
    await expect(withToken(accessToken)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    clock.now = NOW
    await store.revokeKey(key.id, NOW)
    await expect(withToken(accessToken)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('believes nothing that a token says beyond which key it stands for', async () => {
    const { keys, withToken } = open()
    const { kid, key: signing } = await keys.current()
    const seconds = NOW.getTime() / 1000
    const forge = (claims: object) =>
      new SignJWT({ iss: ISSUER, aud: ISSUER, sub: key.id, client_id: key.id, iat: seconds, exp: seconds + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(signing)
    const scope = 'exports:read exports:download payroll:read'
    const wide = await forge({ scope, organization: { slug: 'globex' }, test: false, region: [1, 2, 3] })
    expect(await withToken(wide)).toMatchObject({
      tenant: 'acme',
      mode: 'test',
      scopes: ['exports:read'],
      claims: { region: [3] },
    })
    for (const claims of [{ client_id: 'zzzzzzzzzzzz' }, { client_id: undefined }, { iss: 'https://x' }, { aud: 'x' }]) {
      await expect(withToken(await forge({ scope, ...claims }))).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    }
  })
})

describe('its signing keys', () => {
  it('rotate every 30 days, and the one before is published until its tokens have ended', async () => {
    const { ask, keys, withToken } = open()
    const first = (await ask(client())).accessToken
    clock.now = new Date(NOW.getTime() + 30 * DAY_MS - 1_000)
    const last = (await ask(client())).accessToken
    clock.now = new Date(NOW.getTime() + 30 * DAY_MS)
    const next = (await ask(client())).accessToken
    const kids = [first, last, next].map((token) => decodeProtectedHeader(token).kid)
    expect(kids[1]).toBe(kids[0])
    expect(kids[2]).not.toBe(kids[0])
    expect((await keys.published()).keys.map(({ kid }) => kid)).toEqual([kids[2], kids[0]])
    expect(await withToken(last)).toMatchObject({ id: key.id })
    clock.now = new Date(NOW.getTime() + 32 * DAY_MS)
    expect((await keys.published()).keys.map(({ kid }) => kid)).toEqual([kids[2]])
  })

  it('are the same for every process on the same records, made once however many ask', async () => {
    const [one, two] = [open(), open()]
    const tokens = await Promise.all([...Array(5)].map(() => one.ask(client())))
    expect(new Set(tokens.map(({ accessToken }) => decodeProtectedHeader(accessToken).kid)).size).toBe(1)
    const { accessToken } = await two.ask(client())
    expect(decodeProtectedHeader(accessToken).kid).toBe(decodeProtectedHeader(tokens[0]?.accessToken ?? '').kid)
    expect(decodeJwt(accessToken).jti).not.toBe(decodeJwt(tokens[0]?.accessToken ?? '').jti)
    expect(await one.withToken(accessToken)).toMatchObject({ id: key.id })
  })

  it('rest sealed, outlive a rotation of the secret, and are then sealed anew', async () => {
    const { accessToken } = await open([SECRETS[1]]).ask(client())
    const [kept] = await store.secrets('token signing')
    expect(kept?.sealed).toMatch(/^s1\./)
    expect(JSON.stringify(kept)).not.toContain('"d"')
    const rotated = open([SECRETS[0], SECRETS[1]])
    expect(await rotated.withToken(accessToken)).toMatchObject({ id: key.id })
    await rotated.ask(client())
    // The secret before is gone for good.
    const after = await open([SECRETS[0]]).ask(client())
    expect(decodeProtectedHeader(after.accessToken).kid).toBe(decodeProtectedHeader(accessToken).kid)
  })

  it('are made anew where the secret is lost, and what the lost one signed stays good', async () => {
    const { accessToken } = await open([SECRETS[1]]).ask(client())
    const lost = open([SECRETS[0]])
    clock.now = new Date(NOW.getTime() + 1_000)
    const after = await lost.ask(client())
    expect(decodeProtectedHeader(after.accessToken).kid).not.toBe(decodeProtectedHeader(accessToken).kid)
    expect(await lost.withToken(accessToken)).toMatchObject({ id: key.id })
  })
})

describe('the key of hashed masks', () => {
  it('is made once, outlives a rotation, and is made anew where the secret is lost', async () => {
    const at = (secrets: readonly string[]) => maskKey(createSecretKeeper(store, secrets), NOW)
    const made = await at([SECRETS[1]])
    expect(made).toMatch(/^[0-9a-f]{64}$/)
    expect(await at([SECRETS[1]])).toBe(made)
    expect(await at([SECRETS[0], SECRETS[1]])).toBe(made)
    expect(await at([SECRETS[0]])).toBe(made)
    const other = await at(['another secret, and none of the others'])
    expect(other).not.toBe(made)
    expect(await at(['another secret, and none of the others'])).toBe(other)
  })
})
