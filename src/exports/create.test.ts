import { afterEach, describe, expect, it } from 'vitest'
import { type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { FreightError } from '../job/errors.ts'
import { createExport } from './create.ts'
import { canonicalJson } from './idempotency.ts'

const NONE = { limit: 10, before: null, now: new Date(0) }

describe('creating an export', () => {
  let site: ExportsSite
  afterEach(() => site.close())
  const stored = async (tenant: string): Promise<number> => (await site.store.list(tenant, {}, NONE)).jobs.length

  it('stores a pending job of the caller, with its exact count, and puts it in the queue', async () => {
    site = await openExportsSite()
    const first = await createExport(site.context, site.caller, newExport('orders', { reference: 'r', metadata: { a: 1 } }))
    const second = await createExport(site.context, site.caller, newExport('orders'))
    expect(first).toMatchObject({
      tenant: 'acme',
      mode: 'live',
      createdBy: site.caller.id,
      status: 'pending',
      run: 0,
      reference: 'r',
      metadata: { a: 1 },
      progress: { processed: 0, total: 3, totalIsEstimate: false, rowsPerSecond: null },
      createdAt: site.clock.now,
    })
    expect(await site.store.get('acme', first.id)).toEqual(first)
    expect([first, second].map(({ id }) => site.context.queue.position(id))).toEqual([0, 1])
    expect(second.id > first.id).toBe(true)
    expect(first.shortId).toMatch(/^[0-9A-Za-z]{10}$/)
  })

  it('asks for the count within a second, and marks an estimate as one', async () => {
    const limits: number[] = []
    site = await openExportsSite({
      probe: {
        count: async (_spec, { ms }) => {
          limits.push(ms)
          return { rows: 1_000, exact: false }
        },
      },
    })
    const job = await createExport(site.context, site.caller, newExport('orders'))
    expect(job.progress).toMatchObject({ total: 1_000, totalIsEstimate: true })
    expect(limits).toEqual([1_000])
  })

  it('accepts an export whose source does not answer now: the run will find out', async () => {
    site = await openExportsSite({ probe: { count: () => Promise.reject(new FreightError('SOURCE_UNAVAILABLE', 'slow')) } })
    const job = await createExport(site.context, site.caller, newExport('orders'))
    expect(job.progress).toMatchObject({ total: null, totalIsEstimate: false })
  })

  it('refuses more rows than the resource allows only by an exact count, and then stores nothing', async () => {
    let count = { rows: 101, exact: true }
    site = await openExportsSite({ probe: { count: async () => count } })
    const idempotency = { key: 'k', body: {} }
    const refused = createExport(site.context, site.caller, newExport('messages', { idempotency }))
    await expect(refused).rejects.toMatchObject({ code: 'TOO_MANY_ROWS', message: expect.stringContaining('101') })
    expect(await stored('acme')).toBe(0)
    count = { rows: 100, exact: true }
    await createExport(site.context, site.caller, newExport('messages', { idempotency: { key: 'k', body: { other: true } } }))
    count = { rows: 101, exact: false }
    await createExport(site.context, site.caller, newExport('messages'))
    expect(await stored('acme')).toBe(2)
  })

  it('stores and counts nothing for what the catalog refuses', async () => {
    let counted = 0
    site = await openExportsSite({
      probe: {
        count: async () => {
          counted += 1
          return { rows: 1, exact: true }
        },
      },
    })
    const refused = createExport(site.context, site.caller, newExport('secrets'))
    await expect(refused).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' })
    expect([counted, await stored('acme')]).toEqual([0, 0])
  })

  it('accepts nothing while the server drains', async () => {
    site = await openExportsSite({ accepting: () => false })
    await expect(createExport(site.context, site.caller, newExport('orders'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(await stored('acme')).toBe(0)
  })

  it('gives one job to simultaneous requests with one key and one meaning', async () => {
    site = await openExportsSite()
    const bodies = Array.from({ length: 10 }, (_, n) => (n % 2 ? { a: 1, b: { c: [1], d: 2 } } : { b: { d: 2, c: [1] }, a: 1 }))
    const jobs = await Promise.all(
      bodies.map((body) => createExport(site.context, site.caller, newExport('orders', { idempotency: { key: 'k', body } }))),
    )
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1)
    expect(await stored('acme')).toBe(1)
    expect(site.context.queue.position(jobs[0]?.id ?? '')).toBe(0)
  })

  it('refuses a used key with another body, and keeps keys of tenants apart', async () => {
    site = await openExportsSite()
    const keyed = (body: unknown) => newExport('orders', { idempotency: { key: 'k', body } })
    const ours = await createExport(site.context, site.caller, keyed({ limit: 1 }))
    await expect(createExport(site.context, site.caller, keyed({ limit: '1' }))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    })
    const theirs = await createExport(site.context, site.stranger, keyed({ limit: 1 }))
    expect(theirs.id).not.toBe(ours.id)
    expect(theirs).toMatchObject({ tenant: 'globex', mode: 'test' })
  })

  it('answers a repeated request from memory, also when its resource is offered no more', async () => {
    site = await openExportsSite()
    const keyed = newExport('orders', { idempotency: { key: 'k', body: {} } })
    const first = await createExport(site.context, site.caller, keyed)
    const gone: Catalog = {
      resources: () => [],
      narrows: () => false,
      covers: () => true,
      permits: () => true,
      outdated: () => [],
      allows: () => true,
      check: () => {
        throw new FreightError('RESOURCE_UNKNOWN', 'gone')
      },
    }
    const later = { ...site.context, catalog: () => gone }
    expect((await createExport(later, site.caller, keyed)).id).toBe(first.id)
    await expect(createExport(later, site.caller, newExport('orders'))).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' })
  })

  it('remembers a key for 24 hours and no longer', async () => {
    site = await openExportsSite()
    const keyed = newExport('orders', { idempotency: { key: 'k', body: {} } })
    const first = await createExport(site.context, site.caller, keyed)
    site.clock.now = new Date(site.clock.now.getTime() + 86_400_000 - 1)
    expect((await createExport(site.context, site.caller, keyed)).id).toBe(first.id)
    site.clock.now = new Date(site.clock.now.getTime() + 1)
    expect((await createExport(site.context, site.caller, keyed)).id).not.toBe(first.id)
  })
})

describe('canonical JSON', () => {
  it.each([
    ['{"a":1,"b":2}', '{"b":2,"a":1}', true],
    ['{"a":1}', '{"a":1.0}', true],
    ['{"a":1}', '{"a":"1"}', false],
    ['{"a":[1,2]}', '{"a":[2,1]}', false],
    ['{"a":null}', '{}', false],
    ['{"__proto__":1}', '{}', false],
    ['{"a":{"b":1}}', '{"a":{"c":1}}', false],
  ])('%s and %s mean the same: %s', (one, other, same) => {
    expect(canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other))).toBe(same)
  })
})
