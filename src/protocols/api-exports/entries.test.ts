/** Events, versions and event stores of an export: real entries, linked and included. */
import Type from 'typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  Event,
  EventStore,
  Export,
  expectShape,
  Links,
  page,
  strict,
  Version,
} from '../../../test/protocols/api-exports-shapes.ts'
import { ADDRESS, type ApiExportsSite, openApiExports } from '../../../test/protocols/api-exports-site.ts'

let site: ApiExportsSite
beforeEach(async () => {
  site = await openApiExports({ maxConcurrent: 100 })
})
afterEach(() => site.close())

const created = async (attributes: Record<string, unknown> = {}): Promise<string> =>
  (await site.create({ resource_type: 'orders', ...attributes })).body.data.id

describe('what belongs to an export', () => {
  let id = ''
  beforeEach(async () => {
    id = await created({ reference: 'a', filters: { status_eq: 'placed' }, dry_data: true })
    await site.update(id, { _interrupt: true })
  })

  it.each([
    ['events', Event],
    ['versions', Version],
    ['event_stores', EventStore],
  ])('%s are there after create and interrupt, as a list, as linkage and included', async (type, schema) => {
    const list = await site.get(`/api/exports/${id}/${type}`)
    expectShape(list, 200, strict({ data: Type.Array(schema, { minItems: 2, maxItems: 2 }), ...page, links: Links }))
    const linkage = await site.get(`/api/exports/${id}/relationships/${type}`)
    const identities = list.body.data.map((each: { id: string }) => ({ type, id: each.id }))
    expect(linkage.body).toEqual({
      links: { self: `${ADDRESS}/${id}/relationships/${type}`, related: `${ADDRESS}/${id}/${type}` },
      data: identities,
    })
    const whole = await site.get(`/api/exports/${id}?include=${type}`)
    expectShape(whole, 200, strict({ data: Export([type]), included: Type.Array(schema) }))
    expect(whole.body.data.relationships[type]?.data).toEqual(identities)
    expect(whole.body.included).toEqual(list.body.data)
    const listed = await site.get(`/api/exports?include=${type}`)
    expect(listed.body.included).toEqual(list.body.data)
    expect((await site.create({ resource_type: 'orders' })).body.included).toBeUndefined()
  })

  it('events tell what happened, versions what changed, from what to what, and by whom', async () => {
    await site.update(id, { reference: 'b', metadata: { x: 1 } })
    const names = (await site.get(`/api/exports/${id}/events`)).body.data.map(({ attributes }) => attributes.name)
    expect(names).toEqual(['exports.create', 'exports.interrupt', 'exports.update'])
    const { data } = (await site.get(`/api/exports/${id}/versions`)).body
    const told = data.map(({ attributes }: { attributes: Record<string, unknown> }) => [attributes.event, attributes.changes])
    expect(told).toEqual([
      [
        'create',
        {
          status: [null, 'pending'],
          resource_type: [null, 'orders'],
          format: [null, 'json'],
          records_count: [null, 3],
          reference: [null, 'a'],
          metadata: [null, {}],
          includes: [null, []],
          fields: [null, []],
          filters: [null, { status_eq: 'placed' }],
          dry_data: [null, true],
          jwt_filters: [null, false],
        },
      ],
      ['update', { status: ['pending', 'interrupted'], interrupted_at: [null, '2026-03-01T12:00:00.000Z'] }],
      ['update', { reference: ['a', 'b'], metadata: [{}, { x: 1 }] }],
    ])
    const key = site.key.split('_')[2]
    const creator = { application: { id: key, kind: 'integration', public: false } }
    expect([data[0]?.attributes.who, data[2]?.attributes.who]).toEqual([creator, creator])
    const { data: stores } = (await site.get(`/api/exports/${id}/event_stores`)).body
    expect(stores.map(({ attributes }) => attributes.payload)).toEqual(told.map((each: unknown[]) => each[1]))
  })

  it('are paged, sorted and filtered', async () => {
    const second = await site.get(`/api/exports/${id}/events?page[size]=1&page[number]=2&sort=-created_at`)
    expect(second.body.meta).toEqual({ record_count: 2, page_count: 2 })
    expect(second.body.links.prev).toContain(`${ADDRESS}/${id}/events?page%5Bsize%5D=1&page%5Bnumber%5D=1`)
    const found = await site.get(`/api/exports/${id}/events?filter[q][name_end]=interrupt&fields[events]=name`)
    expect(found.body.data.map((each: { attributes: unknown }) => each.attributes)).toEqual([{ name: 'exports.interrupt' }])
    const updates = await site.get(`/api/exports/${id}/versions?filter[q][event_not_eq]=create`)
    expect(updates.body.data).toHaveLength(1)
  })
})
