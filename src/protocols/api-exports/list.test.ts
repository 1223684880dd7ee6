/** The list of exports: pages, sparse fields, and filters with every predicate. */
import Type from 'typebox'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Export, expectShape, Links, page, strict } from '../../../test/protocols/api-exports-shapes.ts'
import { type ApiExportsSite, openApiExports } from '../../../test/protocols/api-exports-site.ts'
import { EXPORT_FILTERS } from './list-search.ts'
import { PREDICATES } from './predicates.ts'

let site: ApiExportsSite
beforeEach(async () => {
  site = await openApiExports({ maxConcurrent: 100 })
})
afterEach(() => site.close())

const created = async (attributes: Record<string, unknown> = {}): Promise<string> =>
  (await site.create({ resource_type: 'orders', ...attributes })).body.data.id

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
