/** The part of the store's contract about finding jobs by conditions of a caller's own. */
import { expect, it } from 'vitest'
import { rightsOf } from '../../src/job/rights.ts'
import type { JobCondition, JobSearch } from '../../src/job/search.ts'
import type { Store } from '../../src/store/store.ts'
import { at, claimed, completed, found, jobId, newJob, newRequest } from './sample-job.ts'

const ALL: JobCondition = { op: 'and', of: [] }

function search(differences: Partial<JobSearch> = {}): JobSearch {
  return { resources: ['orders', 'customers'], rights: null, where: ALL, order: [], offset: 0, limit: 100, ...differences }
}

export function describeSearch(store: () => Store): void {
  const numbers = async (differences: Partial<JobSearch>): Promise<number[]> => {
    const { jobs } = await store().search('acme', search(differences))
    return jobs.map(({ shortId }) => Number(shortId))
  }
  const where = (condition: JobCondition): Promise<number[]> => numbers({ where: condition })

  it('a search gives a page, newest first, and counts what is on all pages', async () => {
    for (const number of [1, 2, 3, 4, 5]) await store().create(newJob(number), null)
    await store().create(newJob(6, { tenant: 'other' }), null)
    const { jobs, total } = await store().search('acme', search({ offset: 1, limit: 2 }))
    expect(jobs).toEqual([await store().get('acme', jobId(4)), await store().get('acme', jobId(3))])
    expect(total).toBe(5)
    expect(await store().search('acme', search({ offset: 9 }))).toEqual({ jobs: [], total: 5 })
    expect(await store().search('acme', search({ where: { op: 'or', of: [] } }))).toEqual({ jobs: [], total: 0 })
  })

  it('a page of more than a hundred has each job once, in order', async () => {
    for (let number = 1; number <= 130; number += 1) await store().create(newJob(number), null)
    const { jobs, total } = await store().search('acme', search({ offset: 5, limit: 115 }))
    expect(jobs.map(({ id }) => id)).toEqual(Array.from({ length: 115 }, (_, index) => jobId(125 - index)))
    expect(total).toBe(130)
  })

  it('only jobs whose every part is one of the resources are found', async () => {
    await store().create(newJob(1, { request: newRequest('orders', 'customers') }), null)
    await store().create(newJob(2, { request: newRequest('orders', 'secrets') }), null)
    await store().create(newJob(3, { request: newRequest('secrets') }), null)
    expect(await numbers({})).toEqual([1])
    expect(await numbers({ resources: ['secrets'] })).toEqual([3])
    expect(await numbers({ resources: [] })).toEqual([])
  })

  it('conditions compare what a job is, leave NULL out and bind what they are given', async () => {
    const quoted = `100%_'; drop table jobs; --`
    await store().create(newJob(1, { reference: quoted, referenceOrigin: '' }), null)
    await store().create(newJob(2, { request: { ...newRequest('customers'), format: 'json' }, reference: 'Alpha\\x' }), null)
    await claimed(store(), 10)
    await completed(store(), 20, at(90))
    expect(await where({ op: 'eq', field: 'reference', value: quoted })).toEqual([1])
    expect(await where({ op: 'like', field: 'reference', pattern: '100\\%\\_%' })).toEqual([1])
    expect(await where({ op: 'like', field: 'reference', pattern: 'aLPHa\\\\_' })).toEqual([2])
    expect(await where({ op: 'not', of: { op: 'eq', field: 'reference', value: quoted } })).toEqual([2])
    expect(await where({ op: 'is_null', field: 'reference' })).toEqual([20, 10])
    expect(await where({ op: 'eq', field: 'referenceOrigin', value: '' })).toEqual([1])
    expect(await where({ op: 'eq', field: 'format', value: 'json' })).toEqual([2])
    expect(await where({ op: 'eq', field: 'resource', value: 'customers' })).toEqual([2])
    expect(await where({ op: 'in', field: 'status', values: ['in_progress', 'completed'] })).toEqual([20, 10])
    expect(await where({ op: 'in', field: 'status', values: [] })).toEqual([])
    expect(await where({ op: 'gteq', field: 'total', value: 120 })).toEqual([20, 10, 2, 1])
    expect(await where({ op: 'gt', field: 'processed', value: 0 })).toEqual([20])
    expect(await where({ op: 'lteq', field: 'createdAt', value: at(10) })).toEqual([10, 2, 1])
    expect(await where({ op: 'lt', field: 'completedAt', value: at(1_000) })).toEqual([20])
    expect(await where({ op: 'eq', field: 'shortId', value: '0000000002' })).toEqual([2])
    const either: JobCondition = {
      op: 'or',
      of: [
        { op: 'eq', field: 'shortId', value: '0000000002' },
        { op: 'is_null', field: 'startedAt' },
      ],
    }
    expect(await where({ op: 'and', of: [either, { op: 'not', of: { op: 'eq', field: 'format', value: 'json' } }] })).toEqual([1])
  })

  it('a document is looked for inside the metadata, as PostgreSQL looks for one', async () => {
    const kept = [{}, { a: { b: 1, c: [1, 'x'] }, d: null }, { a: 'b' }, { n: 1.5, t: `'"\\é` }]
    for (const [index, metadata] of kept.entries()) await store().create(newJob(index + 1, { metadata }), null)
    const contains = (json: unknown) => where({ op: 'json_contains', field: 'metadata', json: JSON.stringify(json) })
    expect(await contains({})).toEqual([4, 3, 2, 1])
    expect(await contains({ a: { b: 1 } })).toEqual([2])
    expect(await contains({ a: { c: ['x'] } })).toEqual([2])
    expect(await contains({ d: null })).toEqual([2])
    expect(await contains({ a: 'b' })).toEqual([3])
    expect(await contains({ n: 1.5, t: `'"\\é` })).toEqual([4])
    expect(await contains({ a: { b: '1' } })).toEqual([])
    expect(await contains(['a'])).toEqual([])
    expect(await where({ op: 'not', of: { op: 'json_contains', field: 'metadata', json: '{"a":"b"}' } })).toEqual([4, 2, 1])
    expect(await where({ op: 'eq', field: 'metadata', value: '{}' })).toEqual([1])
  })

  it('an order has NULLs last ascending and first descending, and ties newest first', async () => {
    for (const [number, reference] of [
      [1, 'b'],
      [2, null],
      [3, 'a'],
      [4, 'b'],
    ] as const) {
      await store().create(newJob(number, { reference }), null)
    }
    expect(await numbers({ order: [{ field: 'reference', descending: false }] })).toEqual([3, 4, 1, 2])
    expect(await numbers({ order: [{ field: 'reference', descending: true }] })).toEqual([2, 4, 1, 3])
    const both = [
      { field: 'reference', descending: false },
      { field: 'createdAt', descending: false },
    ] as const
    expect(await numbers({ order: both })).toEqual([3, 1, 4, 2])
  })

  it('the kinds of rights among the jobs are few, and a search finds those of some', async () => {
    const spec = (...resources: string[]) => ({ ...newJob(0).spec, access: { resources, scopes: [], rows: [] } })
    const specs = [spec('orders'), spec('orders', 'customers'), newJob(0).spec]
    for (const number of [1, 2, 3, 4, 5]) await store().create(newJob(number, { spec: found(specs[number % 3] ?? null) }), null)
    await store().create(newJob(6, { tenant: 'other', spec: spec('secrets') }), null)
    const kinds = await store().rights('acme', { after: '', limit: 10 })
    // Where no resources were kept, they are those of the parts.
    expect(kinds.map(({ rights }) => rights)).toEqual([...new Set(specs.map(rightsOf))].sort())
    for (const { rights, spec: one } of kinds) expect(rightsOf(one)).toBe(rights)
    const [first = '', second = ''] = kinds.map(({ rights }) => rights)
    expect(await store().rights('acme', { after: first, limit: 1 })).toEqual([kinds[1]])
    const wanted = rightsOf(spec('orders', 'customers'))
    expect(await numbers({ rights: [wanted] })).toEqual([4, 1])
    expect(await numbers({ rights: [first, second] })).toEqual([5, 4, 3, 2, 1])
    expect(await numbers({ rights: [] })).toEqual([])
  })

  it('a short id finds its job, for its own tenant only', async () => {
    const { job } = await store().create(newJob(1), null)
    expect(await store().getByShortId('acme', '0000000001')).toEqual(job)
    expect(await store().getByShortId('other', '0000000001')).toBeNull()
    expect(await store().getByShortId('acme', '0000000002')).toBeNull()
  })

  it('no more of a protocol are active than it asks for, and the others do not count', async () => {
    const mine = (number: number) => newJob(number, { protocol: 'p', maxActive: 2 })
    await store().create(newJob(1), null)
    await store().create(newJob(2, { protocol: 'p', tenant: 'other' }), null)
    await store().create(mine(3), null)
    await claimed(store(), 4, { protocol: 'p' })
    await expect(store().create(mine(5), null)).rejects.toMatchObject({ code: 'TOO_MANY_ACTIVE' })
    expect(await store().get('acme', jobId(5))).toBeNull()
    await store().interrupt('acme', jobId(3), at(9))
    const attempts = await Promise.allSettled([6, 7, 8].map((number) => store().create(mine(number), null)))
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await store().create(newJob(9, { maxActive: 2 }), null)).created).toBe(true)
  })
}
