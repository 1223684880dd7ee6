/** Every answer against the contract: names, types and enums, absent and null told apart, nothing more. */
import Type from 'typebox'
import { Value } from 'typebox/value'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { complete } from '../../../test/exports-site.ts'
import {
  ADDRESS,
  type ApiExportsSite,
  JSON_API,
  openApiExports,
  type WireAnswer,
} from '../../../test/protocols/api-exports-site.ts'
import { createKey } from '../../access/keys.ts'
import { EXPORT_FILTERS } from './list-search.ts'
import { PREDICATES } from './predicates.ts'

const Id = Type.String({ pattern: '^[0-9A-Za-z]{10}$' })
const Instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
const OrNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Texts = Type.Array(Type.String())
const Whole = Type.Integer({ minimum: 0 })
const strict = <T extends Type.TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false })
const Anything = Type.Record(Type.String(), Type.Unknown())
const Meta = strict({ mode: Type.Enum(['live', 'test']) })

const Attributes = strict({
  resource_type: Type.Enum(['orders', 'customers']),
  format: Type.Enum(['json', 'csv']),
  status: Type.Enum(['pending', 'in_progress', 'interrupted', 'completed', 'failed']),
  includes: Texts,
  fields: Texts,
  filters: Anything,
  dry_data: Type.Boolean(),
  jwt_filters: Type.Boolean(),
  started_at: OrNull(Instant),
  completed_at: OrNull(Instant),
  estimated_completion_at: OrNull(Instant),
  interrupted_at: OrNull(Instant),
  records_count: Whole,
  processed_count: Whole,
  progress: Type.Number({ minimum: 0, maximum: 100 }),
  attachment_url: OrNull(Type.String({ pattern: '^https://freight\\.example/downloads/' })),
  errors_log: Anything,
  created_at: Instant,
  updated_at: Instant,
  reference: OrNull(Type.String()),
  reference_origin: OrNull(Type.String()),
  metadata: Anything,
})

const relationship = (linked: boolean) =>
  strict({
    links: strict({ self: Type.String(), related: Type.String() }),
    ...(linked ? { data: Type.Array(strict({ type: Type.String(), id: Id })) } : {}),
  })

const Export = (linked: readonly string[] = []) =>
  strict({
    id: Id,
    type: Type.Literal('exports'),
    links: strict({ self: Type.String() }),
    attributes: Attributes,
    relationships: strict(
      Object.fromEntries(['events', 'versions', 'event_stores'].map((name) => [name, relationship(linked.includes(name))])),
    ),
    meta: Meta,
  })

const common = {
  created_at: Instant,
  updated_at: Instant,
  reference: Type.Null(),
  reference_origin: Type.Null(),
  metadata: strict({}),
}
const entry = (type: string, attributes: Type.TProperties) =>
  strict({ id: Id, type: Type.Literal(type), attributes: strict({ ...attributes, ...common }), meta: Meta })
const Event = entry('events', { name: Type.String({ pattern: '^exports\\.[a-z]+$' }) })
const change = {
  resource_type: Type.Literal('exports'),
  resource_id: Id,
  event: Type.Enum(['create', 'update']),
  who: OrNull(Anything),
}
const Changes = Type.Record(Type.String(), Type.Tuple([Type.Unknown(), Type.Unknown()]))
const Version = entry('versions', { ...change, changes: Changes })
const EventStore = entry('event_stores', { ...change, payload: Changes })

const page = { meta: strict({ record_count: Whole, page_count: Whole }) }
const Links = strict({
  first: Type.String(),
  prev: Type.Optional(Type.String()),
  next: Type.Optional(Type.String()),
  last: Type.String(),
})

function expectShape(answer: WireAnswer, status: number, schema: Type.TSchema): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([status, JSON_API])
  expect([...Value.Errors(schema, answer.body)].map(({ instancePath, message }) => `${instancePath} ${message}`)).toEqual([])
}

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

describe('the list', () => {
  it('has pages with links to the others, and says how many there are', async () => {
    const none = await site.get('/api/exports')
    expectShape(none, 200, strict({ data: Type.Array(Export()), ...page, links: Links }))
    expect(none.body).toMatchObject({ data: [], meta: { record_count: 0, page_count: 0 } })
    for (let number = 0; number < 12; number += 1) await created({ reference: `r${number}` })
    const first = await site.get('/api/exports')
    expectShape(first, 200, strict({ data: Type.Array(Export()), ...page, links: Links }))
    expect(first.body.data).toHaveLength(10)
    expect(first.body.meta).toEqual({ record_count: 12, page_count: 2 })
    expect(Object.keys(first.body.links)).toEqual(['first', 'next', 'last'])
    const next = await site.get(first.body.links.next.slice('https://freight.example'.length))
    expect(next.body.data).toHaveLength(2)
    expect(Object.keys(next.body.links)).toEqual(['first', 'prev', 'last'])
    const sorted = await site.get('/api/exports?page[size]=3&sort=-reference&filter[q][reference_in]=r1,r2,r3,r4')
    const references = sorted.body.data.map(({ attributes }) => attributes.reference)
    expect([references, sorted.body.meta.record_count]).toEqual([['r4', 'r3', 'r2'], 4])
    expect(sorted.body.links.next).toContain('sort=-reference')
  })

  it('shows only the fields that are asked for', async () => {
    const id = await created()
    for (const url of ['/api/exports?', `/api/exports/${id}?`]) {
      const { body } = await site.get(`${url}fields[exports]=status,events`)
      const [shown] = [body.data].flat()
      expect(shown?.attributes).toEqual({ status: 'pending' })
      expect(Object.keys(shown?.relationships ?? {})).toEqual(['events'])
    }
    const posted = await site.call('POST', '/api/exports?include=events&fields[exports]=progress&fields[events]=name', {
      data: { type: 'exports', attributes: { resource_type: 'orders' } },
    })
    expect(posted.body.data.attributes).toEqual({ progress: 0 })
    expect(posted.body.included[0]?.attributes).toEqual({ name: 'exports.create' })
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

describe('filters of the list', () => {
  let shared: ApiExportsSite
  beforeAll(async () => {
    shared = await openApiExports()
    await shared.create({ resource_type: 'orders', reference: 'one' })
    const metadata = { a: { b: [1, 'x'] }, batch: 'nightly' }
    await shared.create({ resource_type: 'customers', format: 'csv', reference_origin: 'nene', metadata })
  })
  afterAll(() => shared.close())

  it.each([
    ['status_eq=pending', 2],
    ['status_in=completed,pending', 2],
    ['status_not_eq=pending', 0],
    ['resource_type_eq=customers', 1],
    ['resource_type_matches=ORD%25', 1],
    ['resource_type_start=x', 0],
    ['format_eq=csv', 1],
    ['format_not_in=csv', 1],
    ['format_null=true', 0],
    ['id_present=true', 2],
    ['reference_eq=one', 1],
    ['reference_eq_or_null=two', 1],
    ['reference_not_eq=one', 0],
    ['reference_or_reference_origin_cont=NE', 2],
    ['reference_null=true', 1],
    ['reference_blank=true', 1],
    ['reference_start_any=o,x', 1],
    ['reference_not_end_all=a,b', 1],
    ['records_count_gteq=3', 2],
    ['records_count_lt_any=1,3', 0],
    ['created_at_gteq=2026-03-01', 2],
    ['created_at_lt=2026-03-01T12:00:00Z', 0],
    ['completed_at_null=true', 2],
    ['completed_at_not_null=1', 0],
    ['metadata_jcont={"batch":"nightly"}', 1],
    ['metadata_jcont={"a":{"b":["x"]}}', 1],
    ['metadata_jcont={"batch":"daily"}', 0],
    ['metadata_jcont={}', 2],
    ['metadata_present=true', 1],
    ['metadata_blank=true', 1],
    ['metadata_null=true', 0],
    ['metadata_not_null=true', 2],
  ])('filter[q][%s] finds %i', async (filter, count) => {
    const [name, value] = filter.split('=')
    const { status, body } = await shared.get(
      `/api/exports?filter%5Bq%5D%5B${name}%5D=${value?.startsWith('{') ? encodeURIComponent(value) : value}`,
    )
    expect([status, body.meta?.record_count, body.data?.length]).toEqual([200, count, count])
  })
})

describe('every predicate', () => {
  const names = [...PREDICATES.keys()]
  const fits = (kind: string, predicate: string): boolean => {
    if (['true', 'false'].includes(predicate)) return false
    if (['present', 'blank', 'null', 'not_null'].includes(predicate)) return true
    if (kind === 'document' || predicate === 'jcont') return kind === 'document' && predicate === 'jcont'
    return kind === 'text' || !/match|start|end|cont/.test(predicate)
  }
  const values: Readonly<Record<string, string>> = { text: 'a,b', number: '1', time: '2026-01-01', document: '{}' }

  it.each([...EXPORT_FILTERS])('of the vendor makes a list of exports by %s, or is refused by name: %s', async (name, kind) => {
    const answers: [string, number][] = []
    for (const predicate of names) {
      const value = PREDICATES.get(predicate) === 'flag' ? 'true' : (values[kind] ?? '')
      const { status, body } = await site.get(`/api/exports?filter[q][${name}_${predicate}]=${encodeURIComponent(value)}`)
      if (status !== 200) expect(body.errors[0].code).toBe('FILTER_NOT_ALLOWED')
      answers.push([predicate, status])
    }
    expect(answers).toEqual(names.map((predicate) => [predicate, fits(kind, predicate) ? 200 : 400]))
  })

  it('is one that the vendor names', () => {
    const vendors = `eq eq_or_null not_eq not_eq_or_null matches does_not_match matches_any matches_all does_not_match_any
      does_not_match_all lt lteq gt gteq present blank null not_null in in_or_null not_in not_in_or_null lt_any lt_all lteq_any lteq_all
      gt_any gt_all gteq_any gteq_all not_eq_all start not_start start_any start_all not_start_any not_start_all end not_end end_any
      end_all not_end_any not_end_all cont not_cont cont_any cont_all not_cont_all jcont true false`
    expect(names.toSorted()).toEqual(vendors.split(/\s+/).sort())
  })
})

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
