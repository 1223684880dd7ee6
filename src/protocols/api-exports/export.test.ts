/** An export as the wire shows it, from its creation on: every attribute, in every status. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { complete } from '../../../test/exports-site.ts'
import { Export, expectShape, strict } from '../../../test/protocols/api-exports-shapes.ts'
import { ADDRESS, type ApiExportsSite, openApiExports } from '../../../test/protocols/api-exports-site.ts'

let site: ApiExportsSite
beforeEach(async () => {
  site = await openApiExports({ maxConcurrent: 100 })
})
afterEach(() => site.close())

const uuidOf = async (id: string): Promise<string> => (await site.store.getByShortId('acme', id))?.id ?? ''
const created = async (attributes: Record<string, unknown> = {}): Promise<string> =>
  (await site.create({ resource_type: 'orders', ...attributes })).body.data.id

describe('an export', () => {
  it('is whole as soon as it is created, with the defaults that were not sent', async () => {
    const answer = await site.create({ resource_type: 'orders' })
    expectShape(answer, 201, strict({ data: Export() }))
    const { data } = answer.body
    expect(answer.headers.location).toBe(data.links.self)
    expect(data.links.self).toBe(`${ADDRESS}/${data.id}`)
    expect(data.relationships.event_stores?.links).toEqual({
      self: `${ADDRESS}/${data.id}/relationships/event_stores`,
      related: `${ADDRESS}/${data.id}/event_stores`,
    })
    expect(data.attributes).toEqual({
      resource_type: 'orders',
      format: 'json',
      status: 'pending',
      includes: [],
      fields: [],
      filters: {},
      dry_data: false,
      jwt_filters: false,
      started_at: null,
      completed_at: null,
      estimated_completion_at: null,
      interrupted_at: null,
      records_count: 3,
      processed_count: 0,
      progress: 0,
      attachment_url: null,
      errors_log: {},
      created_at: '2026-03-01T12:00:00.000Z',
      updated_at: '2026-03-01T12:00:00.000Z',
      reference: null,
      reference_origin: null,
      metadata: {},
    })
    expect(data.meta).toEqual({ mode: 'live' })
  })

  it('tells of at least one record where they cannot be counted in time: clients take none for the end of it', async () => {
    const slow = await openApiExports({}, { count: async () => ({ rows: null, exact: false }) })
    const { body } = await slow.create({ resource_type: 'orders' })
    expect(body.data.attributes).toMatchObject({ records_count: 1, processed_count: 0, progress: 0 })
    await slow.close()
  })

  it('echoes what was asked for, in the words in which it was', async () => {
    const asked = {
      resource_type: 'orders',
      format: 'csv',
      includes: [],
      fields: ['id', 'status'],
      filters: { status_in: 'a,b', id_gt: '5', status_null: 'false' },
      dry_data: true,
      jwt_filters: true,
      reference: 'r',
      reference_origin: 'o',
      metadata: { a: [1, { b: null }] },
    }
    const { body } = await site.create(asked)
    expect(body.data.attributes).toMatchObject(asked)
    expect((await site.get(`/api/exports/${body.data.id}`)).body.data.attributes).toEqual(body.data.attributes)
  })

  it('null stands for the default, as clients send it', async () => {
    const nothing = {
      format: null,
      includes: null,
      fields: null,
      filters: null,
      dry_data: null,
      jwt_filters: null,
      metadata: null,
    }
    const answer = await site.create({ resource_type: 'orders', ...nothing })
    expectShape(answer, 201, strict({ data: Export() }))
  })

  it('has its shape in every status, and its link only while there is a file', async () => {
    const id = await created()
    const uuid = await uuidOf(id)
    const shown = async () => {
      const answer = await site.get(`/api/exports/${id}`)
      expectShape(answer, 200, strict({ data: Export() }))
      return answer.body.data.attributes
    }
    expect(await shown()).toMatchObject({ status: 'pending', started_at: null })
    await site.store.claim(uuid, site.clock.now)
    const progress = { processed: 1, total: 4, totalIsEstimate: false, rowsPerSecond: 1, at: site.clock.now, reached: 0 }
    await site.store.progress(uuid, 1, progress)
    expect(await shown()).toMatchObject({
      status: 'in_progress',
      started_at: '2026-03-01T12:00:00.000Z',
      estimated_completion_at: '2026-03-01T12:00:03.000Z',
      records_count: 4,
      processed_count: 1,
      progress: 25,
    })
    await site.update(id, { _interrupt: true })
    expect(await shown()).toMatchObject({ status: 'interrupted', interrupted_at: '2026-03-01T12:00:00.000Z' })
    expect((await site.update(id, { _start: true })).body.data.attributes).toMatchObject({
      status: 'pending',
      interrupted_at: null,
    })
    const job = await site.store.get('acme', uuid)
    if (job) await complete(site, job)
    const done = await shown()
    expect(done).toMatchObject({ status: 'completed', progress: 100, completed_at: '2026-03-01T12:00:00.000Z' })
    expect(done.attachment_url).toContain('expires=1772366700')
    expect((await site.app.inject({ url: String(done.attachment_url).slice('https://freight.example'.length) })).statusCode).toBe(
      200,
    )
    site.clock.now = new Date('2026-03-01T12:01:00.000Z')
    expect((await shown()).attachment_url).not.toBe(done.attachment_url)
    site.clock.now = new Date('2026-03-01T12:05:00.000Z')
    expect((await site.app.inject({ url: String(done.attachment_url).slice('https://freight.example'.length) })).statusCode).toBe(
      403,
    )
    site.clock.now = new Date('2026-04-01T12:00:00.000Z')
    expect(await shown()).toMatchObject({ status: 'completed', attachment_url: null })
  })

  it('that failed says why, and cannot be started again here', async () => {
    const id = await created()
    const uuid = await uuidOf(id)
    await site.store.claim(uuid, site.clock.now)
    await site.store.fail(uuid, 1, { code: 'SOURCE_FAILED', message: 'It broke.' }, [], site.clock.now)
    const answer = await site.get(`/api/exports/${id}`)
    expectShape(answer, 200, strict({ data: Export() }))
    expect(answer.body.data.attributes).toMatchObject({ status: 'failed', errors_log: { SOURCE_FAILED: 'It broke.' } })
    for (const verb of ['_start', '_interrupt']) {
      const refused = await site.update(id, { [verb]: true })
      expect([refused.status, refused.body.errors[0].source.pointer]).toEqual([422, `/data/attributes/${verb}`])
    }
    expect((await site.call('DELETE', `/api/exports/${id}`)).status).toBe(204)
  })

  it('that was cancelled over another wire reads as interrupted, and as cancelled by nothing else', async () => {
    const id = await created()
    await site.store.cancel('acme', await uuidOf(id), site.clock.now)
    const { attributes } = (await site.get(`/api/exports/${id}`)).body.data
    expect(attributes).toMatchObject({ status: 'interrupted', interrupted_at: '2026-03-01T12:00:00.000Z' })
    expect((await site.update(id, { _start: true })).status).toBe(422)
    const { data } = (await site.get('/api/exports?filter[q][status_eq]=interrupted')).body
    expect(data).toHaveLength(1)
  })

  it('of another wire is shown when its resource is served, and unknown otherwise', async () => {
    const own = { authorization: `Bearer ${site.key}`, 'content-type': 'application/json', accept: '*/*' }
    const make = (resource: string) => site.call('POST', '/exports', { resource, format: 'ndjson', filters: { id_gt: 1 } }, own)
    await make('orders')
    await make('messages')
    const { body } = await site.get('/api/exports')
    expect(body.data.map(({ attributes }) => attributes)).toMatchObject([
      { resource_type: 'orders', format: null, filters: { id_gt: 1 } },
    ])
  })

  it('is made in the mode of its key', async () => {
    const { body } = await site.create({ resource_type: 'orders' }, { authorization: `Bearer ${site.otherKey}` })
    expect(body.data.meta).toEqual({ mode: 'test' })
  })
})
