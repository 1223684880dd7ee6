/** Commerce Layer's own client, unchanged, against a real server: what it asks for, and what it must understand. */
import { setTimeout } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { CommerceLayerBundle } from '@commercelayer/sdk/bundle'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeKey, type Server, type Site, startServer } from '../rig.ts'
import { refusal, sdkClient, untilStatus } from './sdk-client.ts'
import { makeShop, ORDERS } from './shop.ts'

let site: Site
let server: Server
let client: CommerceLayerBundle
let stranger: CommerceLayerBundle
/** Of acme. */
let key: string

const clientOf = (accessToken: string): CommerceLayerBundle => sdkClient(server, accessToken)

beforeAll(async () => {
  site = await makeShop()
  key = await makeKey(site, 'acme')
  const globex = await makeKey(site, 'globex')
  server = await startServer(site)
  client = clientOf(key)
  stranger = clientOf(globex)
})
afterAll(() => site.remove())

const until = (id: string, status: string) => untilStatus(client, id, status)

/** A file of this protocol is gzip in itself, which no client unpacks on the way. */
async function rowsAt(url: string): Promise<string> {
  const response = await fetch(url)
  expect([response.status, response.headers.get('content-encoding')]).toEqual([200, null])
  return gunzipSync(Buffer.from(await response.arrayBuffer())).toString()
}

describe("the vendor's client", () => {
  it('creates an export, sees it through, and has its rows', async () => {
    const created = await client.exports.create({
      resource_type: 'orders',
      includes: ['customer', 'line_items'],
      filters: { status_eq: 'placed', customer_email_in: 'c1@example.com,c2@example.com,x@example.org' },
      reference: 'first',
      reference_origin: 'test',
      metadata: { a: 1 },
    })
    expect(created).toMatchObject({
      type: 'exports',
      resource_type: 'orders',
      format: 'json',
      includes: ['customer', 'line_items'],
      filters: { status_eq: 'placed', customer_email_in: 'c1@example.com,c2@example.com,x@example.org' },
      records_count: ORDERS / 10,
      reference: 'first',
      reference_origin: 'test',
      metadata: { a: 1 },
    })
    expect(created.id).toMatch(/^[0-9A-Za-z]{10}$/)
    const done = await until(created.id, 'completed')
    expect(done).toMatchObject({ progress: 100, processed_count: ORDERS / 10, errors_log: {} })
    // Whatever other links live: five minutes.
    const lives = Number(new URL(String(done.attachment_url)).searchParams.get('expires')) - Date.now() / 1000
    expect(lives).toBeGreaterThan(200)
    expect(lives).toBeLessThanOrEqual(301)
    const rows = JSON.parse(await rowsAt(String(done.attachment_url)))
    expect(rows).toHaveLength(ORDERS / 10)
    expect(rows[0]).toMatchObject({ status: 'placed', customer: { id: 2 }, created_at: '2026-01-01T00:00:00.123456Z' })
    expect(rows[0].line_items.length).toBeGreaterThan(0)
  })

  it('has CSV of the fields it names, and only of its own tenant', async () => {
    const fields = ['number', 'customer.email']
    const { id, records_count } = await stranger.exports.create({
      resource_type: 'orders',
      format: 'csv',
      fields,
      includes: ['line_items'],
    })
    expect(records_count).toBe(ORDERS)
    for (let waited = 0; waited < 20_000; waited += 20) {
      const { status, attachment_url } = await stranger.exports.retrieve(id)
      if (status !== 'completed') {
        await setTimeout(20)
        continue
      }
      const [head, ...rows] = parse(await rowsAt(String(attachment_url)))
      expect(head).toEqual(fields)
      expect(rows).toHaveLength(ORDERS)
      expect(rows[0]).toEqual([`#${ORDERS + 1}`, 'c12@example.com'])
      return
    }
    throw new Error('the export was not completed')
  })

  it('interrupts, starts again and deletes', async () => {
    // @ts-expect-error the vendor's list of types is closed; the configuration's is not
    const { id } = await client.exports.create({ resource_type: 'imports', filters: { id_lteq: 2000 } })
    await until(id, 'in_progress')
    expect((await refusal(client.exports.delete(id))).first()).toMatchObject({ code: 'LOCKED', status: '423' })
    const stopped = await client.exports._interrupt(id)
    expect(stopped).toMatchObject({ id, status: 'interrupted', attachment_url: null })
    expect(Date.parse(String(stopped.interrupted_at))).toBeGreaterThan(0)
    expect(await client.exports._interrupt(id)).toMatchObject({ status: 'interrupted' })
    expect(['pending', 'in_progress']).toContain((await client.exports._start(id)).status)
    const running = await until(id, 'in_progress')
    expect(running.interrupted_at).toBeNull()
    expect((await refusal(client.exports._start(id))).errors[0]).toMatchObject({
      code: 'VALIDATION_ERROR',
      source: { pointer: '/data/attributes/_start' },
    })
    await client.exports._interrupt(id)
    const names = [...(await client.exports.events(id, { pageSize: 25 }))].map(({ name }) => name)
    expect(names).toEqual(['exports.create', 'exports.start', 'exports.interrupt', 'exports.start', 'exports.interrupt'])
    await client.exports.delete(id)
    expect((await refusal(client.exports.retrieve(id))).first()).toMatchObject({ code: 'RECORD_NOT_FOUND', status: '404' })
  })

  it('changes what it calls an export, and sees by whom', async () => {
    const { id } = await client.exports.create({ resource_type: 'customers', reference: 'before' })
    await until(id, 'completed')
    const updated = await client.exports.update({ id, reference: 'after', metadata: { b: [2] } })
    expect(updated).toMatchObject({ reference: 'after', reference_origin: null, metadata: { b: [2] } })
    const stores = await client.exports.event_stores(id, { pageSize: 25 })
    expect(stores.last()).toMatchObject({
      resource_type: 'exports',
      resource_id: id,
      event: 'update',
      payload: { reference: ['before', 'after'], metadata: [{}, { b: [2] }] },
      who: { application: { id: expect.stringMatching(/^[a-z0-9]{12}$/) } },
    })
    expect(stores.first()).toMatchObject({
      event: 'create',
      payload: { status: [null, 'pending'], resource_type: [null, 'customers'] },
    })
  })

  it('lists with pages, sort, filters and sparse fields', async () => {
    for (const number of [1, 2, 3]) {
      await until((await client.exports.create({ resource_type: 'customers', reference: `list-${number}` })).id, 'completed')
    }
    const page = await client.exports.list({
      filters: { reference_start: 'LIST-', status_eq: 'completed', resource_type_in: ['customers', 'orders'] },
      sort: { reference: 'desc' },
      pageSize: 2,
      fields: ['reference', 'status'],
    })
    expect([...page].map(({ reference }) => reference)).toEqual(['list-3', 'list-2'])
    expect(page.meta).toMatchObject({ recordCount: 3, pageCount: 2, currentPage: 1 })
    expect(page.hasNextPage()).toBe(true)
    expect(Object.keys(page[0] ?? {}).sort()).toEqual(['id', 'reference', 'status', 'type'])
    const next = await client.exports.list({
      filters: { reference_start: 'list-' },
      sort: ['-reference'],
      pageSize: 2,
      pageNumber: 2,
    })
    expect([...next].map(({ reference }) => reference)).toEqual(['list-1'])
    expect(await client.exports.count({ reference_start: 'list-', created_at_gt: '2020-01-01' })).toBe(3)
    expect(await stranger.exports.count({ reference_start: 'list-' })).toBe(0)
  })

  it('includes what belongs to an export', async () => {
    const { id } = await client.exports.create({ resource_type: 'customers' })
    await until(id, 'completed')
    const shown = await client.exports.retrieve(id, { include: ['events', 'event_stores'] })
    expect(shown.events?.map(({ name }) => name)).toEqual(['exports.create', 'exports.start', 'exports.complete'])
    expect(shown.event_stores).toHaveLength(3)
    const [listed] = await client.exports.list({ include: ['events'], filters: { id_eq: id } })
    expect(listed?.events).toEqual(shown.events)
  })

  it('understands what it is refused', async () => {
    const none = await refusal(client.exports.create({ resource_type: 'orders', filters: { status_eq: 'nothing' } }))
    expect(none).toMatchObject({ status: 422, code: '422' })
    expect(none.errors).toEqual([
      {
        title: 'must be greater than 0',
        detail: 'records_count - must be greater than 0',
        code: 'VALIDATION_ERROR',
        source: { pointer: '/data/attributes/records_count' },
        status: '422',
        meta: { error: 'greater_than', value: 0, count: 0 },
      },
    ])
    const many = await refusal(client.exports.create({ resource_type: 'line_items' }))
    expect(many.errors).toEqual([
      {
        title: 'must be less than or equal to 10000',
        detail: 'records_count - must be less than or equal to 10000',
        code: 'VALIDATION_ERROR',
        source: { pointer: '/data/attributes/records_count' },
        status: '422',
        meta: { error: 'less_than_or_equal_to', value: 12_000, count: 10_000 },
      },
    ])
    const unknown = await refusal(client.exports.create({ resource_type: 'orders', filters: { customer_mail_eq: 'x' } }))
    expect(unknown.first()).toMatchObject({
      // All that the vendor's command line shows of it.
      title: expect.stringContaining('customer_mail_eq'),
      code: 'VALIDATION_ERROR',
      source: { pointer: '/data/attributes/filters/customer_mail_eq' },
      meta: { error: expect.any(String) },
    })
    const denied = await refusal(clientOf('nobody').exports.list())
    expect(denied.first()).toEqual({
      title: 'Access denied',
      detail: 'You are not authorized to perform this action on the requested resource.',
      code: 'UNAUTHORIZED',
      status: '401',
    })
    const { id } = await client.exports.create({ resource_type: 'customers' })
    expect((await refusal(stranger.exports.retrieve(id))).errors).toEqual(
      (await refusal(client.exports.retrieve('AAAAAAAAAA'))).errors,
    )
  })

  it('fetches another token when its own has expired', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { organization: { slug: 'acme' }, application: { kind: 'integration' }, exp: 1_700_000_000 }
    const expired = clientOf(`${part({ alg: 'HS512' })}.${part(claims)}.c2lnbmF0dXJl`)
    expect((await refusal(expired.exports.list())).first()).toMatchObject({ code: 'INVALID_TOKEN', status: '401' })
    let refreshed = 0
    const refreshing = expired.config({
      refreshToken: async () => {
        refreshed += 1
        return key
      },
    })
    expect((await refreshing.exports.list()).getRecordCount()).toBeGreaterThan(0)
    expect(refreshed).toBe(1)
  })

  it('waits until one of ten exports is done', async () => {
    // @ts-expect-error as above
    const ids = [(await client.exports.create({ resource_type: 'imports', filters: { id_lteq: 2000 } })).id]
    // They wait behind it.
    while (ids.length < 10) ids.push((await client.exports.create({ resource_type: 'customers' })).id)
    const eleventh = await refusal(client.exports.create({ resource_type: 'customers' }))
    expect(eleventh.first()).toMatchObject({ code: 'VALIDATION_ERROR', status: '422', meta: { error: expect.any(String) } })
    await client.exports._interrupt(ids.at(-1) ?? '')
    expect((await client.exports.create({ resource_type: 'customers' })).id).toBeTruthy()
  })
})
