/** Whoever is to be told of exports is told, whatever happens to the server or to receivers, and can tell who it was that told them. */
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { JSON_API } from '../protocols/api-exports-site.ts'
import { makeShop, ORDERS } from '../protocols/shop.ts'
import { type Body, makeKey, type Server, type Site, startServer, until } from '../rig.ts'
import { type Received, type Receiver, startReceiver, status } from '../webhook-receiver.ts'

const SECRET = 'a secret that both sides share'
const WIRE = { accept: JSON_API, 'content-type': JSON_API }
const PATIENCE = { timeout: 60_000, interval: 10 }

let site: Site
let server: Server
let key: string
/** Told of everyone's exports; told of another tenant's only; takes what it is sent and never answers; told of failures only. */
let hook: Receiver
let globex: Receiver
let dead: Receiver
let failures: Receiver
/** Exports whose server was killed between their end and its telling. */
const untold: string[] = []

beforeAll(async () => {
  ;[hook, globex, dead, failures] = await Promise.all([startReceiver(), startReceiver(), startReceiver(), startReceiver()])
  dead.answer = () => {}
  const webhook = (url: string, more = '') => `{ url: '${url}/told', sharedSecret: '${SECRET}', ${more} }`
  site = await makeShop(`webhooks: {
    hook: ${webhook(hook.url)},
    globex: ${webhook(globex.url, "tenant: 'globex'")},
    dead: ${webhook(dead.url)},
    failures: ${webhook(failures.url, "topics: ['exports.fail'], tenant: 'acme'")},
  }`)
  key = await makeKey(site, 'acme')
  server = await startServer(site)
  // Its request has arrived, and is never answered.
  hook.answer = (each, response) => topicOf(each) !== 'exports.complete' && status(200)(each, response)
  const arriving = await create()
  await vi.waitFor(() => expect(heardOf(arriving).map(topicOf)).toContain('exports.complete'), PATIENCE)
  await server.kill()

  // No request comes through at all.
  hook.answer = ({ socket }) => socket.destroy()
  server = await startServer(site)
  const silent = await create()
  await completed(silent)
  await server.kill()

  untold.push(arriving, silent)
  hook.answer = status(200)
  server = await startServer(site)
}, 120_000)
afterAll(async () => {
  // One that never answers holds up no stop: less than the time that running exports are given.
  const stopping = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - stopping).toBeLessThan(25_000)
  await site.remove()
  for (const receiver of [hook, globex, dead, failures]) await receiver.close()
})

async function create(): Promise<string> {
  const attributes = { resource_type: 'orders' }
  const { status: code, body } = await server.call(key, 'POST', '/api/exports', { data: { type: 'exports', attributes } }, WIRE)
  expect(code, JSON.stringify(body)).toBe(201)
  return body.data.id
}

async function wire(id: string): Promise<Body> {
  return (await server.call(key, 'GET', `/api/exports/${id}`, undefined, WIRE)).body
}

async function completed(id: string): Promise<void> {
  await vi.waitFor(async () => expect((await wire(id)).data.attributes.status).toBe('completed'), PATIENCE)
}

const topicOf = ({ headers }: Received): string => String(headers['x-commercelayer-topic'])
const documentOf = ({ body }: Received): Body => JSON.parse(body.toString()).data
/** What a receiver has heard of one export. */
const heardOf = (id: string, by = hook): Received[] => by.received.filter((each) => documentOf(each).id === id)
const toldOf = (id: string, by = hook) => expect.poll(() => heardOf(id, by).map(topicOf), PATIENCE)

/** With another implementation than the one that signed. */
async function isSigned({ headers, body }: Received, secret = SECRET): Promise<boolean> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify'])
  const signature = Buffer.from(String(headers['x-commercelayer-signature']), 'base64')
  return crypto.subtle.verify('HMAC', imported, signature, new Uint8Array(body))
}

describe('receivers', () => {
  it('whose server was killed before it had told them of an end are told after the next start, under the same id', async () => {
    for (const id of untold) {
      // In the first round create and start were taken before; what was on its way is sent again.
      await expect
        .poll(() => new Set(heardOf(id).map(topicOf)), PATIENCE)
        .toEqual(new Set(['exports.create', 'exports.start', 'exports.complete']))
      const last = heardOf(id).at(-1)
      expect(last && topicOf(last)).toBe('exports.complete')
      for (const topic of new Set(heardOf(id).map(topicOf))) {
        expect(
          new Set(
            heardOf(id)
              .filter((each) => topicOf(each) === topic)
              .map(({ headers }) => headers['webhook-id']),
          ).size,
          topic,
        ).toBe(1)
      }
    }
    expect(heardOf(untold[0] ?? '').filter((each) => topicOf(each) === 'exports.complete').length).toBeGreaterThan(1)
  })

  it('are shown the export as it was then, signed, with a link of this moment', async () => {
    const id = await create()
    await toldOf(id).toEqual(['exports.create', 'exports.start', 'exports.complete'])
    const heard = heardOf(id)
    for (const each of heard) {
      expect(await isSigned(each)).toBe(true)
      expect(await isSigned(each, `${SECRET}.`)).toBe(false)
      expect(each.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'freight' })
      expect(each.path).toBe('/told')
    }
    expect(heard.map((each) => documentOf(each).attributes.status)).toEqual(['pending', 'in_progress', 'completed'])
    const told = documentOf(heard[2] as Received)
    const { data } = await wire(id)
    const { attachment_url: link, ...attributes } = told.attributes
    const { attachment_url: _another, ...asked } = data.attributes
    expect(attributes).toEqual(asked)
    expect(told.meta).toEqual({ mode: 'live', organization_id: 'acme' })
    // Addresses as the answers have them, from the root.
    const { attributes: _told, meta: _meta, ...rest } = told
    const { attributes: _data, meta: _mode, ...shown } = data
    expect(JSON.stringify(rest).replaceAll('/api/', `${server.url}/api/`)).toBe(JSON.stringify(shown))
    expect(new URL(link).origin).toBe(server.url)
    expect(JSON.parse(gunzipSync(Buffer.from(await (await fetch(link)).arrayBuffer())).toString())).toHaveLength(ORDERS)
  })

  it('are told of what other APIs do, too, of a removal by the id alone, and of nothing that is not theirs', async () => {
    const created = await server.call(key, 'POST', '/exports', { resource: 'slow', format: 'json' })
    const { id } = created.body
    const isOfSlow = (each: Received): boolean => documentOf(each).attributes.resource_type === 'imports'
    await expect.poll(() => hook.received.filter(isOfSlow).map(topicOf), PATIENCE).toContain('exports.start')
    const slow: string = documentOf(hook.received.find(isOfSlow) as Received).id
    expect((await server.call(key, 'POST', `/exports/${id}/cancel`)).status).toBe(200)
    await toldOf(slow).toContain('exports.interrupt')
    expect(documentOf(heardOf(slow).at(-1) as Received).attributes).toMatchObject({ status: 'interrupted', attachment_url: null })
    expect((await server.call(key, 'DELETE', `/exports/${id}`)).status).toBe(204)
    await toldOf(slow).toEqual(['exports.create', 'exports.start', 'exports.interrupt', 'exports.destroy'])
    const { attributes, ...rest } = documentOf(heardOf(slow).at(-1) as Received)
    expect(rest).toEqual({ id: slow, type: 'exports' })
    expect(attributes).toHaveProperty('metadata', null)
    expect(new Set(Object.values(attributes))).toEqual(new Set([null]))

    const other = await makeKey(site, 'globex')
    const theirs = await server.call(other, 'POST', '/exports', { resource: 'customers', format: 'csv' })
    await until(server, other, theirs.body.id, (export_) => export_.status === 'completed')
    await expect
      .poll(() => globex.received.map(topicOf), PATIENCE)
      .toEqual(['exports.create', 'exports.start', 'exports.complete'])
    expect(documentOf(globex.received[2] as Received)).toMatchObject({
      attributes: { resource_type: 'customers', format: 'csv' },
      meta: { organization_id: 'globex' },
    })
    await toldOf(documentOf(globex.received[2] as Received).id).toHaveLength(3)
    expect(failures.received).toEqual([])
  })

  it('are named in the log, and neither their addresses nor their secrets are', async () => {
    await vi.waitFor(() => expect(server.output()).toContain('"webhook":"dead"'), PATIENCE)
    for (const secret of [SECRET, dead.url, hook.url]) expect(server.output()).not.toContain(secret)
  })
})
