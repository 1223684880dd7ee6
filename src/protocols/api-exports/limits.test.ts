/** How far a caller may go: numbers, claims and scopes, each told in the words of this wire. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { complete } from '../../../test/exports-site.ts'
import { Export, expectShape, strict } from '../../../test/protocols/api-exports-shapes.ts'
import { type ApiExportsSite, openApiExports } from '../../../test/protocols/api-exports-site.ts'
import { createKey } from '../../access/keys.ts'

let site: ApiExportsSite
beforeEach(async () => {
  site = await openApiExports({ maxConcurrent: 100 })
})
afterEach(() => site.close())

const created = async (attributes: Record<string, unknown> = {}): Promise<string> =>
  (await site.create({ resource_type: 'orders', ...attributes })).body.data.id

describe('limits', () => {
  it('are those of the configuration, and say so in the words that clients switch on', async () => {
    const small = await openApiExports(
      { maxRecords: 2, maxConcurrent: 1 },
      { count: async () => ({ rows: counted, exact: true }) },
    )
    let counted = 3
    const refused = async () => (await small.create({ resource_type: 'orders' })).body.errors
    expect(await refused()).toEqual([
      {
        status: '422',
        code: 'VALIDATION_ERROR',
        title: 'must be less than or equal to 2',
        detail: 'records_count - must be less than or equal to 2',
        source: { pointer: '/data/attributes/records_count' },
        meta: { error: 'less_than_or_equal_to', value: 3, count: 2 },
      },
    ])
    counted = 0
    expect(await refused()).toMatchObject([
      { title: 'must be greater than 0', meta: { error: 'greater_than', value: 0, count: 0 } },
    ])
    counted = 2
    const { body } = await small.create({ resource_type: 'orders' })
    expect(await refused()).toMatchObject([{ status: '422', code: 'VALIDATION_ERROR', meta: { error: 'too_many' } }])
    await small.update(body.data.id, { _interrupt: true })
    expect((await small.create({ resource_type: 'orders' })).status).toBe(201)
    expect((await small.get('/api/exports')).body.meta.record_count).toBe(2)
    await small.close()
  })
})

describe('rate limits', () => {
  it("are told under the names that the vendor's clients read", async () => {
    const { headers } = await site.get('/api/exports')
    expect(Object.keys(headers)).toEqual(
      expect.arrayContaining(['x-ratelimit-limit', 'x-ratelimit-interval', 'x-ratelimit-remaining']),
    )
  })
})

describe('jwt_filters', () => {
  it("narrows by the caller's claims, beside the filters that were sent, and shows only those", async () => {
    const narrowed = await openApiExports({ jwtFilters: { orders: { status_in: 'shop.statuses' } } })
    const filtersOf = async (claims: Record<string, unknown>, attributes: Record<string, unknown>) => {
      const { secret } = await createKey(narrowed.store, { tenant: 'acme', name: 'c', mode: 'live', claims }, narrowed.clock.now)
      const { status, body } = await narrowed.create(
        { resource_type: 'orders', ...attributes },
        { authorization: `Bearer ${secret}` },
      )
      if (status !== 201) return body.errors[0].source.pointer
      const job = await narrowed.store.getByShortId('acme', body.data.id)
      return { shown: body.data.attributes.filters, asked: job?.request.parts[0]?.filters }
    }
    const claims = { shop: { statuses: ['placed', 'paid'] } }
    const sent = { id_gt: 5 }
    expect(await filtersOf(claims, { jwt_filters: true, filters: sent })).toEqual({
      shown: sent,
      asked: { id_gt: 5, status_in: ['placed', 'paid'] },
    })
    expect(await filtersOf(claims, { filters: sent })).toEqual({ shown: sent, asked: sent })
    // A claim that is missing, empty or of another kind stands for nothing, never for everything.
    for (const none of [{}, { shop: {} }, { shop: { statuses: [] } }, { shop: { statuses: [{}] } }, { shop: 'statuses' }]) {
      expect(await filtersOf(none, { jwt_filters: true })).toEqual({ shown: {}, asked: { status_in: [] } })
    }
    const taken = await filtersOf(claims, { jwt_filters: true, filters: { status_in: 'draft' } })
    expect(taken).toBe('/data/attributes/filters/status_in')
    await narrowed.close()
  })
})

describe('scopes', () => {
  const keyWith = async (...scopes: string[]) => {
    const { secret } = await createKey(site.store, { tenant: 'acme', name: 's', mode: 'live', scopes }, site.clock.now)
    return { authorization: `Bearer ${secret}` }
  }

  it('decide who may see, change and download, in the error form of this wire', async () => {
    const id = await created()
    const job = await site.store.getByShortId('acme', id)
    if (job) await complete(site, job)
    const reader = await keyWith('exports:read')
    const shown = await site.get(`/api/exports/${id}`, reader)
    expectShape(shown, 200, strict({ data: Export() }))
    expect(shown.body.data.attributes).toMatchObject({ status: 'completed', attachment_url: null })
    const refusals = [
      await site.create({ resource_type: 'orders' }, reader),
      await site.call('PATCH', `/api/exports/${id}`, { data: { type: 'exports', id, attributes: { reference: 'x' } } }, reader),
      await site.call('DELETE', `/api/exports/${id}`, undefined, reader),
      await site.get('/api/exports', await keyWith('exports:download')),
      await site.get(`/api/exports/${id}`, await keyWith('exports:write')),
    ]
    expect(refusals.map(({ status, body }) => [status, body.errors[0].code])).toEqual(refusals.map(() => [403, 'FORBIDDEN']))
    const downloader = await keyWith('exports:read', 'exports:download')
    expect((await site.get(`/api/exports/${id}`, downloader)).body.data.attributes.attachment_url).toContain('/downloads/')
    expect((await site.get('/api/exports', await keyWith('exports:read:customers'))).body.meta.record_count).toBe(0)
    // A type that is not for the caller is one that there is not.
    const narrow = await site.create({ resource_type: 'orders' }, await keyWith('exports:write:customers'))
    expect(narrow.body.errors[0].meta).toEqual({ error: 'inclusion', value: 'orders', allowed: ['customers'] })
  })
})
