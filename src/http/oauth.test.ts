import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpSite, openHttpSite } from '../../test/http-site.ts'
import { createAuthentication } from '../access/authentication.ts'
import { createKey } from '../access/keys.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'

const PUBLIC_URL = 'https://freight.example'
let site: HttpSite
let close: () => Promise<void>
let id: string
let secret: string
beforeAll(async () => {
  // The endpoint needs the records before the site that serves it is there.
  const first = await openHttpSite()
  const store = await openSqliteStore(`${first.folder}/freight.db`)
  const authentication = createAuthentication({
    store,
    secrets: ['a secret of this test that nobody can guess'],
    issuers: [],
    tokenMs: 3_600_000,
    publicUrl: () => PUBLIC_URL,
    now: () => new Date(),
    onRefusal: () => {},
  })
  site = await openHttpSite({
    authenticate: authentication.authenticate,
    oauth: { ...authentication, audit: store },
    tenantRequestsPerMinute: (tenant) => (tenant === 'busy' ? 3 : null),
  })
  const made = await createKey(store, { tenant: 'acme', name: 'crm', mode: 'live', scopes: ['exports:read'] }, new Date())
  id = made.key.id
  secret = made.secret
  const busy = await createKey(store, { tenant: 'busy', name: 'x', mode: 'live' }, new Date())
  busyKeys.push(busy.secret, (await createKey(store, { tenant: 'busy', name: 'y', mode: 'live' }, new Date())).secret)
  audit = (tenant) => store.audit({ tenant, exportId: null, since: null, afterSeq: 0, limit: 100 })
  close = async () => {
    await site.close()
    await store.close()
    await first.close()
  }
})
afterAll(() => close())
const busyKeys: string[] = []
let audit: (tenant: string) => Promise<readonly { action: string; actor: object; data: object }[]>

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const form = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString()
const post = (payload: string | object, headers: Record<string, string> = {}, url = '/oauth/token') =>
  site.app.inject({ method: 'POST', url, headers, payload })
const whole = (): Record<string, string> => ({ grant_type: 'client_credentials', client_id: id, client_secret: secret })

describe('POST /oauth/token', () => {
  it('grants by form, by JSON and by HTTP Basic, and its token opens the API', async () => {
    const basic = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
    const answers = await Promise.all([
      post(form(whole()), FORM),
      post(whole()),
      post(form({ grant_type: 'client_credentials' }), { ...FORM, ...basic }),
    ])
    for (const answer of answers) {
      expect(answer.statusCode, answer.body).toBe(200)
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
      expect(answer.json()).toEqual({
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        token_type: 'Bearer',
        expires_in: 3_600,
        scope: 'exports:read',
        created_at: expect.any(Number),
      })
    }
    const authorization = `Bearer ${answers[0]?.json().access_token}`
    expect((await site.app.inject({ url: '/exports', headers: { authorization } })).statusCode).toBe(200)
    // It has the rights of its key, and no more.
    const create = await site.app.inject({
      method: 'POST',
      url: '/exports',
      headers: { authorization },
      payload: { resource: 'orders' },
    })
    expect(create).toMatchObject({ statusCode: 403 })
    expect(create.json()).toMatchObject({ code: 'FORBIDDEN' })
    expect(await audit('acme')).toContainEqual(
      expect.objectContaining({ action: 'token_granted', actor: { by: id, from: '127.0.0.1' }, data: { scope: 'exports:read' } }),
    )
    // Neither the key nor the token is in the log.
    expect(site.logged.join('')).not.toContain(secret.slice(22))
  })

  it.each([
    ['a wrong secret', () => form({ ...whole(), client_secret: 'x' }), 401, 'invalid_client'],
    ['no client', () => form({ grant_type: 'client_credentials' }), 401, 'invalid_client'],
    ['another grant', () => form({ ...whole(), grant_type: 'authorization_code' }), 400, 'unsupported_grant_type'],
    ['no grant', () => form({ client_id: id, client_secret: secret }), 400, 'invalid_request'],
    ['a scope that the client does not hold', () => form({ ...whole(), scope: 'exports:write' }), 400, 'invalid_scope'],
    ['a parameter given twice', () => `${form(whole())}&client_id=x`, 400, 'invalid_request'],
    ['nothing', () => '', 400, 'invalid_request'],
  ] as readonly (readonly [string, () => string, number, string])[])(
    'refuses %s in the words of RFC 6749',
    async (_what, payload, status, error): Promise<void> => {
      const answer = await post(payload(), FORM)
      expect(answer.statusCode, answer.body).toBe(status)
      expect(answer.json()).toEqual({ error, error_description: expect.any(String) })
      expect(answer.headers['content-type']).toContain('application/json')
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Basic realm="freight"' : undefined)
      expect(answer.body).not.toContain(secret.slice(22))
    },
  )

  it('refuses what is no body of its kind, and credentials in the address', async () => {
    const refused = { error: 'invalid_request', error_description: expect.any(String) }
    const inAddress = await post(form({ grant_type: 'client_credentials' }), FORM, `/oauth/token?${form(whole())}`)
    const answers = [
      inAddress,
      await post('[]', { 'content-type': 'application/json' }),
      await post('{"grant_type":1}', { 'content-type': 'application/json' }),
      await post('{"grant_type":"x","grant_type":"y"}', { 'content-type': 'application/json' }),
      await post('grant_type', { 'content-type': 'text/plain' }),
    ]
    for (const answer of answers) {
      expect(answer.statusCode, answer.body).toBe(400)
      expect(answer.json()).toEqual(refused)
    }
    expect((await post(form({ ...whole(), padding: 'x'.repeat(20_000) }), FORM)).statusCode).toBe(413)
    expect((await site.app.inject({ url: '/oauth/token' })).statusCode).toBe(405)
  })
})

describe('what verifiers need', () => {
  it('the keys and the addresses are published, the private halves never', async () => {
    await post(form(whole()), FORM)
    const keys = await site.app.inject({ url: '/.well-known/jwks.json' })
    expect(keys.headers['content-type']).toContain('application/jwk-set+json')
    const [key] = keys.json().keys
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    const metadata = await site.app.inject({ url: '/.well-known/oauth-authorization-server' })
    expect(metadata.json()).toMatchObject({ issuer: PUBLIC_URL, token_endpoint: `${PUBLIC_URL}/oauth/token` })
  })
})

describe('the request rate of a tenant', () => {
  it('is shared by all its callers, answers 429 with the time to wait, and concerns nobody else', async () => {
    const ask = (key: string | undefined) => site.app.inject({ url: '/exports', headers: { 'x-api-key': key ?? '' } })
    // Within one minute by the clock, or the window would begin anew.
    const left = 60_000 - (Date.now() % 60_000)
    if (left < 3_000) await new Promise((resolve) => setTimeout(resolve, left))
    const [one, two] = busyKeys
    const statuses = [await ask(one), await ask(two), await ask(one), await ask(two)].map(({ statusCode }) => statusCode)
    expect(statuses).toEqual([200, 200, 200, 429])
    const refused = await ask(one)
    expect(refused.json()).toMatchObject({ code: 'RATE_LIMITED' })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await ask(secret)).statusCode).toBe(200)
  })
})
