/** Commerce Layer's own client with a token of Freight's token endpoint, as its users have one: no API key anywhere. */
import { join } from 'node:path'
import type { CommerceLayerBundle } from '@commercelayer/sdk/bundle'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthentication } from '../../src/access/authentication.ts'
import { loadSecrets } from '../../src/access/secrets.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { makeKey, type Server, type Site, startServer } from '../rig.ts'
import { refusal, sdkClient, untilStatus } from './sdk-client.ts'
import { makeShop, ORDERS } from './shop.ts'

let site: Site
let server: Server
let key: string
let client: CommerceLayerBundle

beforeAll(async () => {
  site = await makeShop()
  key = await makeKey(site, 'acme')
  server = await startServer(site)
  client = sdkClient(server, await fetchToken())
})
afterAll(() => site.remove())

const credentials = (of = key) => ({ grant_type: 'client_credentials', client_id: of.split('_')[2], client_secret: of })

/** As the vendor's login helpers ask: JSON, with scopes of their own vocabulary. */
async function fetchToken(differences: Record<string, string> = { scope: 'market:all' }): Promise<string> {
  const answer = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ ...credentials(), ...differences }),
  })
  const { access_token, token_type } = (await answer.json()) as Record<string, string>
  expect([answer.status, token_type]).toEqual([200, 'Bearer'])
  return access_token ?? ''
}

/** What the server granted two hours ago for one. */
async function expiredToken(): Promise<string> {
  return inStore(async (store) => {
    const { server: granting } = createAuthentication({
      store,
      secrets: loadSecrets({ dataDir: site.dataDir, secret: null, secretPrevious: null }),
      issuers: [],
      tokenMs: 3_600_000,
      publicUrl: () => server.url,
      now: () => new Date(Date.now() - 2 * 3_600_000),
      onRefusal: () => {},
    })
    const parameters = new Map(Object.entries(credentials()) as [string, string][])
    return (await granting.grant({ authorization: undefined, parameters })).accessToken
  })
}

/** Beside the running server. */
async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openSqliteStore(join(site.dataDir, 'freight.db'))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const INVALID_TOKEN = { code: 'INVALID_TOKEN', status: '401', title: expect.any(String), detail: expect.any(String) }

describe("the vendor's client with a token", () => {
  it('holds one that says what its users read in it', async () => {
    const [, claims = ''] = client.currentAccessToken.split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      organization: { id: 'acme', slug: 'acme' },
      application: { id: key.split('_')[2], kind: 'integration' },
      test: false,
      iss: server.url,
      exp: expect.any(Number),
      scope: 'exports:read exports:write exports:download',
    })
  })

  it('creates, retrieves, lists and updates, and its rows are there', async () => {
    const { id, records_count } = await client.exports.create({ resource_type: 'orders', format: 'csv', reference: 'by token' })
    expect(records_count).toBe(ORDERS)
    const done = await untilStatus(client, id, 'completed')
    expect((await fetch(String(done.attachment_url))).status).toBe(200)
    const [listed, second] = await client.exports.list({ filters: { reference_eq: 'by token' } })
    expect([listed?.id, second]).toEqual([id, undefined])
    expect(await client.exports.update({ id, reference: 'renamed' })).toMatchObject({ id, reference: 'renamed' })
    expect(await sdkClient(server, key).exports.retrieve(id)).toMatchObject({ id, reference: 'renamed' })
  })

  it('interrupts, starts, reads events with who did it, and deletes', async () => {
    // @ts-expect-error the vendor's list of types is closed; the configuration's is not
    const { id } = await client.exports.create({ resource_type: 'imports', filters: { id_lteq: 2000 } })
    await untilStatus(client, id, 'in_progress')
    expect(await client.exports._interrupt(id)).toMatchObject({ id, status: 'interrupted' })
    expect(['pending', 'in_progress']).toContain((await client.exports._start(id)).status)
    await untilStatus(client, id, 'in_progress')
    expect((await refusal(client.exports.delete(id))).first()).toMatchObject({ code: 'LOCKED', status: '423' })
    await client.exports._interrupt(id)
    const names = [...(await client.exports.events(id, { pageSize: 25 }))].map(({ name }) => name)
    expect(names).toEqual(['exports.create', 'exports.start', 'exports.interrupt', 'exports.start', 'exports.interrupt'])
    const stores = await client.exports.event_stores(id, { pageSize: 25 })
    expect(stores.first()?.who).toMatchObject({ application: { id: key.split('_')[2] } })
    await client.exports.delete(id)
    expect((await refusal(client.exports.retrieve(id))).first()).toMatchObject({ code: 'RECORD_NOT_FOUND', status: '404' })
  })

  it('understands what it is refused', async () => {
    const none = await refusal(client.exports.create({ resource_type: 'orders', filters: { status_eq: 'nothing' } }))
    expect(none.first()).toMatchObject({ code: 'VALIDATION_ERROR', meta: { error: 'greater_than', value: 0, count: 0 } })
    const reader = sdkClient(server, await fetchToken({ scope: 'exports:read' }))
    expect((await reader.exports.list()).getRecordCount()).toBeGreaterThan(0)
    expect(await refusal(reader.exports.create({ resource_type: 'orders' }))).toMatchObject({ status: 403 })
  })

  it('is told INVALID_TOKEN for one that has expired, was altered, or whose key is revoked', async () => {
    const whole = client.currentAccessToken
    const [head, claims = '', signature = ''] = whole.split('.')
    const other = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), organization: { slug: 'globex' } }
    const forged = [head, Buffer.from(JSON.stringify(other)).toString('base64url'), signature].join('.')
    const flipped = `${whole.slice(0, -10)}${whole.at(-10) === 'A' ? 'B' : 'A'}${whole.slice(-9)}`
    const gone = await makeKey(site, 'acme')
    const revoked = await fetchToken({ client_id: gone.split('_')[2] ?? '', client_secret: gone })
    expect((await sdkClient(server, revoked).exports.list()).getRecordCount()).toBeGreaterThan(0)
    await inStore((store) => store.revokeKey(gone.split('_')[2] ?? '', new Date()))
    for (const token of [await expiredToken(), forged, flipped, revoked]) {
      const refused = await refusal(sdkClient(server, token).exports.list())
      expect(refused).toMatchObject({ status: 401 })
      expect(refused.errors, token).toEqual([INVALID_TOKEN])
    }
  })

  it('fetches another by itself when its own has expired, and goes on', async () => {
    let refreshed = 0
    const refreshing = sdkClient(server, await expiredToken()).config({
      refreshToken: async () => {
        refreshed += 1
        return fetchToken()
      },
    })
    const { id } = await refreshing.exports.create({ resource_type: 'customers' })
    expect(await untilStatus(refreshing, id, 'completed')).toMatchObject({ id })
    expect(refreshed).toBe(1)
  })
})
