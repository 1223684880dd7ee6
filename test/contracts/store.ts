/** What every engine of the store must do. A store is done when its own test calls this and it is green. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Notify } from '../../src/job/notice.ts'
import type { Store } from '../../src/store/store.ts'
import { at, completed, found, jobId, newJob, newRequest } from './sample-job.ts'
import { describeAccess } from './store-access.ts'
import { describeChanges } from './store-changes.ts'
import { describeExclusive } from './store-exclusive.ts'
import { describeKeys } from './store-keys.ts'
import { describeMoves } from './store-moves.ts'
import { describeNotices } from './store-notices.ts'
import { describeSearch } from './store-search.ts'
import { describeTemplates } from './store-templates.ts'
import { describeUpkeep } from './store-upkeep.ts'
import { describeVersions } from './store-versions.ts'

export interface StoreUnderTest {
  /** Empty and migrated. */
  readonly store: Store
  /** The same records over a connection of their own. Whoever opens it closes it. */
  another(): Promise<Store>
  /** Closes the store and removes what was made for it. */
  discard(): Promise<void>
}

/** `make`: the store that is made tells of each change what `notify` says. */
export function describeStore(name: string, make: (notify: Notify) => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let made: StoreUnderTest
    let store: Store
    let notify: Notify
    beforeEach(async () => {
      notify = () => []
      made = await make((...change) => notify(...change))
      store = made.store
    })
    afterEach(() => made.discard())

    describeRecords(
      () => store,
      () => made.another(),
    )
    describeLists(() => store)
    describeUpkeep(() => store)
    describeKeys(() => store)
    describeChanges(() => store)
    describeMoves(() => store)
    describeExclusive(() => store)
    describeAccess(() => store)
    describeSearch(() => store)
    describeVersions(() => store)
    describeTemplates(() => store)
    describeNotices(
      () => store,
      (wanted) => {
        notify = wanted
      },
      () => made.another(),
    )
  })
}

function describeRecords(store: () => Store, another: () => Promise<Store>): void {
  it('a created job reads back as it was given, pending and untouched', async () => {
    const given = newJob(1, {
      request: { ...newRequest('orders'), options: { delimiter: ';', header: false } },
      progress: { processed: 0, total: 9_007_199_254_740_991, totalIsEstimate: true, rowsPerSecond: 0.1, reached: 0, at: at(1) },
      reference: 'rtl \u202e, emoji 🚚, "quotes"\nand a line',
      referenceOrigin: 'shop',
      metadata: JSON.parse('{"__proto__":{"a":1},"list":[1,null,"x"],"":""}') as Record<string, unknown>,
      protocol: 'v1-exports',
      protocolData: { status: null },
    })
    const { job, created } = await store().create(given, null)
    expect(created).toBe(true)
    expect(job).toEqual({
      ...given,
      status: 'pending',
      run: 0,
      failures: 0,
      availableAt: null,
      results: null,
      error: null,
      errorsLog: [],
      files: [],
      manifest: null,
      updatedAt: given.createdAt,
      startedAt: null,
      completedAt: null,
      failedAt: null,
      interruptedAt: null,
      cancelledAt: null,
      expiresAt: null,
      filesRemovedAt: null,
    })
    expect(await store().get('acme', given.id)).toEqual(job)
    expect(JSON.stringify(found(job).metadata)).toBe(JSON.stringify(given.metadata))
  })

  it("another tenant's job is answered exactly like an unknown one", async () => {
    await store().create(newJob(1), null)
    const id = jobId(1)
    expect(await store().get('other', id)).toBeNull()
    expect(await store().remove('other', id)).toBeNull()
    expect(await store().interrupt('other', id, at(2))).toBeNull()
    expect(await store().cancel('other', id, at(2))).toBeNull()
    expect(await store().start('other', id, at(2))).toBeNull()
    expect(await store().get('acme', jobId(2))).toBeNull()
    expect(found(await store().get('acme', id)).status).toBe('pending')
  })

  it('a short id is given only once', async () => {
    await store().create(newJob(1), null)
    await expect(store().create(newJob(2, { shortId: newJob(1).shortId }), null)).rejects.toThrow()
    expect(await store().get('acme', jobId(2))).toBeNull()
  })

  it('the same idempotency key gives the first job again, and nothing for another request', async () => {
    const record = { key: 'k', fingerprint: 'f', expiresAt: at(100) }
    await store().create(newJob(1), record)
    const again = await store().create(newJob(2), record)
    expect(again).toEqual({ job: await store().get('acme', jobId(1)), created: false })
    expect(await store().create(newJob(3), { ...record, fingerprint: 'g' })).toEqual({ job: null, created: false })
    expect(await store().get('acme', jobId(2))).toBeNull()
    expect(await store().get('acme', jobId(3))).toBeNull()
  })

  it('what an idempotency key would be answered with can be asked before', async () => {
    const record = { key: 'k', fingerprint: 'f', expiresAt: at(100) }
    expect(await store().recall('acme', record, at(1))).toBeNull()
    await store().create(newJob(1), record)
    expect(await store().recall('acme', record, at(99))).toEqual({ job: await store().get('acme', jobId(1)) })
    expect(await store().recall('acme', { ...record, fingerprint: 'g' }, at(99))).toEqual({ job: null })
    expect(await store().recall('other', record, at(99))).toBeNull()
    expect(await store().recall('acme', record, at(100))).toBeNull()
  })

  it('idempotency keys of two tenants do not meet', async () => {
    const record = { key: 'k', fingerprint: 'f', expiresAt: at(100) }
    await store().create(newJob(1), record)
    expect((await store().create(newJob(2, { tenant: 'other' }), record)).created).toBe(true)
  })

  it('an idempotency key may be used again once its time is up, or once its job is deleted', async () => {
    await store().create(newJob(1), { key: 'k', fingerprint: 'f', expiresAt: at(10) })
    expect((await store().create(newJob(9), { key: 'k', fingerprint: 'f', expiresAt: at(20) })).created).toBe(false)
    expect((await store().create(newJob(10), { key: 'k', fingerprint: 'g', expiresAt: at(20) })).created).toBe(true)
    await store().cancel('acme', jobId(10), at(11))
    await store().remove('acme', jobId(10))
    expect((await store().create(newJob(12), { key: 'k', fingerprint: 'h', expiresAt: at(20) })).created).toBe(true)
  })

  it('of ten simultaneous calls with one idempotency key, over two connections, one creates', async () => {
    const second = await another()
    const record = { key: 'k', fingerprint: 'f', expiresAt: at(100) }
    const calls = Array.from({ length: 10 }, (_, n) => (n % 2 ? store() : second).create(newJob(n + 1), record))
    const answers = await Promise.all(calls)
    await second.close()
    expect(answers.filter((answer) => answer.created)).toHaveLength(1)
    expect(new Set(answers.map((answer) => answer.job?.id)).size).toBe(1)
    expect((await store().pending()).length).toBe(1)
  })

  it('a job that rests is removed with its events; an active one is refused and stays', async () => {
    await store().create(newJob(1), null)
    await expect(store().remove('acme', jobId(1))).rejects.toMatchObject({
      code: 'EXPORT_ACTIVE',
      details: { status: 'pending' },
    })
    await store().claim(jobId(1), at(2))
    await expect(store().remove('acme', jobId(1))).rejects.toMatchObject({ code: 'EXPORT_ACTIVE' })
    const cancelled = await store().cancel('acme', jobId(1), at(3))
    expect(await store().remove('acme', jobId(1))).toEqual(cancelled)
    expect(await store().find(jobId(1))).toBeNull()
    expect(await store().events(jobId(1), 0)).toEqual([])
    const { jobs } = await store().list('acme', { resource: 'orders' }, { limit: 10, before: null, now: at(4) })
    expect(jobs).toEqual([])
  })

  it('events are read after a given one, in the order of writing, and number on over all jobs', async () => {
    await store().create(newJob(1), null)
    await store().create(newJob(2), null)
    await store().claim(jobId(1), at(3))
    await store().addEvent(jobId(1), 'linked', at(4), { file: 0 })
    await store().addEvent(jobId(99), 'linked', at(4), {})
    const all = await store().events(jobId(1), 0)
    expect(all.map(({ type, run, at, data }) => ({ type, run, at, data }))).toEqual([
      { type: 'created', run: 0, at: at(1), data: {} },
      { type: 'started', run: 1, at: at(3), data: {} },
      { type: 'linked', run: 1, at: at(4), data: { file: 0 } },
    ])
    expect(await store().events(jobId(1), all[1]?.seq ?? 0)).toEqual(all.slice(2))
    const other = await store().events(jobId(2), 0)
    expect(new Set([...all, ...other].map((event) => event.seq)).size).toBe(4)
    expect(await store().events(jobId(99), 0)).toEqual([])
  })
}

function describeLists(store: () => Store): void {
  const ids = async (filter: Parameters<Store['list']>[1], now = at(1000)): Promise<string[]> => {
    const { jobs } = await store().list('acme', filter, { limit: 100, before: null, now })
    return jobs.map((job) => job.id)
  }

  it('pages go from the newest to the oldest without gap or overlap, also while jobs are added', async () => {
    for (let number = 1; number <= 7; number += 1) await store().create(newJob(number), null)
    await store().create(newJob(8, { tenant: 'other' }), null)
    const seen: string[] = []
    let before: string | null = null
    do {
      const page = await store().list('acme', {}, { limit: 3, before, now: at(1000) })
      seen.push(...page.jobs.map((job) => job.id))
      before = page.nextBefore
      await store().create(newJob(100 + seen.length), null)
    } while (before !== null)
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map(jobId))
  })

  it('a page that ends exactly with the last job says that nothing follows', async () => {
    for (const number of [1, 2]) await store().create(newJob(number), null)
    expect((await store().list('acme', {}, { limit: 2, before: null, now: at(9) })).nextBefore).toBeNull()
    expect((await store().list('acme', {}, { limit: 1, before: null, now: at(9) })).nextBefore).toBe(jobId(2))
    expect(await store().list('acme', {}, { limit: 2, before: jobId(1), now: at(9) })).toEqual({ jobs: [], nextBefore: null })
  })

  it('a completed job counts as completed before its files expire and as expired from that instant', async () => {
    await completed(store(), 1, at(50))
    await store().create(newJob(2), null)
    expect(await ids({ status: 'completed' }, at(49))).toEqual([jobId(1)])
    expect(await ids({ status: 'expired' }, at(49))).toEqual([])
    expect(await ids({ status: 'completed' }, at(50))).toEqual([])
    expect(await ids({ status: 'expired' }, at(50))).toEqual([jobId(1)])
    expect(await ids({ status: 'pending' })).toEqual([jobId(2)])
    expect(await ids({ status: 'failed' })).toEqual([])
  })

  it('a job is found by the resource of any of its parts, once', async () => {
    await store().create(newJob(1), null)
    await store().create(newJob(2, { request: newRequest('articles', 'topics', 'articles') }), null)
    await store().create(newJob(3, { request: newRequest('topics'), tenant: 'other' }), null)
    expect(await ids({ resource: 'orders' })).toEqual([jobId(1)])
    expect(await ids({ resource: 'topics' })).toEqual([jobId(2)])
    expect(await ids({ resource: 'articles' })).toEqual([jobId(2)])
    expect(await ids({ resource: 'order%' })).toEqual([])
  })

  it('filters narrow together', async () => {
    await store().create(newJob(1, { reference: 'a' }), null)
    await store().create(newJob(2, { reference: 'a' }), null)
    await store().create(newJob(3, { reference: 'A' }), null)
    await store().create(newJob(4, { reference: 'a', request: newRequest('skus') }), null)
    await store().cancel('acme', jobId(1), at(5))
    expect(await ids({ reference: 'a' })).toEqual([4, 2, 1].map(jobId))
    expect(await ids({ reference: 'a', resource: 'orders' })).toEqual([2, 1].map(jobId))
    expect(await ids({ reference: 'a', resource: 'orders', status: 'pending' })).toEqual([jobId(2)])
  })
}
