/** The store's records of who may, who did and how much: part of every engine's contract. */
import { describe, expect, it } from 'vitest'
import type { AuditFilter, Store } from '../../src/store/store.ts'
import { at, claimed, completionOf, found, jobId, newJob } from './sample-job.ts'

const ALL: AuditFilter = { tenant: null, exportId: null, since: null, afterSeq: 0, limit: 100 }
const actor = { by: 'abcdefghijkl', from: '203.0.113.7' }
const NONE = { waiting: null, rowsPerDay: null, bytesPerDay: null }

export function describeAccess(store: () => Store): void {
  describe('the audit', () => {
    it("tells who did what to an export, in the order of doing, and none of Freight's own doing", async () => {
      const id = jobId(1)
      await store().create(newJob(1), null, { actor, limits: null })
      await store().interrupt('acme', id, at(2), actor)
      await store().start('acme', id, at(3), { actor, limits: null })
      const { run } = found(await store().claim(id, at(4)))
      await store().complete(id, run, completionOf({ id, run }, at(5), at(50)))
      await store().addEvent(id, 'linked', at(6), { file: 1 }, actor)
      const entries = await store().audit(ALL)
      expect(entries.map(({ action }) => action)).toEqual(['created', 'interrupted', 'restarted', 'linked'])
      expect(entries[3]).toEqual({
        seq: expect.any(Number),
        at: at(6),
        tenant: 'acme',
        action: 'linked',
        actor,
        exportId: id,
        data: { file: 1 },
      })
      const events = await store().events(id, 0)
      expect(events.find(({ type }) => type === 'linked')?.data).toEqual({ file: 1, by: actor.by, from: actor.from })
      expect(events.find(({ type }) => type === 'completed')?.data).toEqual({})
    })

    it('says nothing of what was refused or changed nothing', async () => {
      await store().create(newJob(1), null, { actor, limits: null })
      await store().cancel('acme', jobId(1), at(2), actor)
      await store().cancel('acme', jobId(1), at(3), actor)
      await expect(store().start('acme', jobId(1), at(4), { actor, limits: null })).rejects.toThrow()
      await store().cancel('other', jobId(1), at(5), actor)
      expect((await store().audit(ALL)).map(({ action }) => action)).toEqual(['created', 'cancelled'])
    })

    it('outlives the export, and tells who removed it', async () => {
      await store().create(newJob(1), null, { actor, limits: null })
      await store().cancel('acme', jobId(1), at(2), actor)
      await store().remove('acme', jobId(1), { by: 'other key', from: null }, at(3))
      expect(await store().events(jobId(1), 0)).toEqual([])
      const entries = await store().audit({ ...ALL, exportId: jobId(1) })
      expect(entries.map(({ action }) => action)).toEqual(['created', 'cancelled', 'removed'])
      expect(entries[2]).toMatchObject({ actor: { by: 'other key', from: null }, at: at(3) })
    })

    it('is found by tenant, export and time, page by page, and pruned by time', async () => {
      for (const [index, tenant] of ['acme', 'other', 'acme', 'acme'].entries()) {
        await store().create(newJob(index, { tenant, createdAt: at(index) }), null, { actor, limits: null })
      }
      const ids = async (filter: Partial<AuditFilter>) =>
        (await store().audit({ ...ALL, ...filter })).map((entry) => entry.exportId)
      expect(await ids({ tenant: 'acme' })).toEqual([jobId(0), jobId(2), jobId(3)])
      expect(await ids({ exportId: jobId(1) })).toEqual([jobId(1)])
      expect(await ids({ since: at(2) })).toEqual([jobId(2), jobId(3)])
      const [first] = await store().audit({ ...ALL, limit: 1 })
      expect(await ids({ afterSeq: first?.seq ?? 0 })).toEqual([jobId(1), jobId(2), jobId(3)])
      await store().pruneAudit(at(2))
      expect(await ids({})).toEqual([jobId(2), jobId(3)])
    })
  })

  describe('the limits of a tenant', () => {
    it('count what waits, of that tenant only, and let in what comes when there is room again', async () => {
      const terms = { actor: null, limits: { ...NONE, waiting: 2 } }
      await store().create(newJob(1), null, terms)
      await store().create(newJob(2), { key: 'k', fingerprint: 'f', expiresAt: at(100) }, terms)
      const refused = expect.objectContaining({ code: 'RATE_LIMITED', details: { retryAfterSeconds: 10 } })
      await expect(store().create(newJob(3), null, terms)).rejects.toEqual(refused)
      expect(await store().get('acme', jobId(3))).toBeNull()
      expect((await store().create(newJob(4, { tenant: 'other' }), null, terms)).created).toBe(true)
      // A repeated request is answered with its job, not refused.
      expect((await store().create(newJob(5), { key: 'k', fingerprint: 'f', expiresAt: at(100) }, terms)).job?.id).toBe(jobId(2))
      await store().interrupt('acme', jobId(1), at(3))
      expect((await store().create(newJob(6), null, terms)).created).toBe(true)
      await expect(store().start('acme', jobId(1), at(4), terms)).rejects.toEqual(refused)
    })

    it('let no simultaneous call slip past', async () => {
      const terms = { actor: null, limits: { ...NONE, waiting: 3 } }
      const tries = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => store().create(newJob(index), null, terms)))
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    })

    it('count the rows and bytes of a day once each run is completed, and start anew at midnight UTC', async () => {
      const job = await claimed(store(), 1)
      await store().complete(job.id, job.run, completionOf(job, at(5), at(50)))
      // A run that has lost its claim counts for nothing.
      await store().complete(job.id, job.run, completionOf(job, at(6), at(50)))
      expect(await store().usage('acme', at(6))).toEqual({ rows: 120, bytes: 12 })
      expect(await store().usage('other', at(6))).toEqual({ rows: 0, bytes: 0 })
      const limits = (differences: object) => ({ actor: null, limits: { ...NONE, ...differences } })
      const ask = (number: number, differences: object, createdAt = at(7)) =>
        store().create(newJob(number, { createdAt }), null, limits(differences))
      const refused = { code: 'RATE_LIMITED' }
      await expect(ask(2, { rowsPerDay: 120 })).rejects.toMatchObject(refused)
      await expect(ask(2, { bytesPerDay: 12 })).rejects.toMatchObject(refused)
      expect((await ask(2, { bytesPerDay: 13 })).created).toBe(true)
      const tomorrow = new Date(at(7).getTime() + 86_400_000)
      expect((await ask(3, { rowsPerDay: 120, bytesPerDay: 12 }, tomorrow)).created).toBe(true)
      const caught = await ask(4, { rowsPerDay: 100 }).catch((error) => error)
      const { retryAfterSeconds } = caught.details
      expect(new Date(at(7).getTime() + retryAfterSeconds * 1000).toISOString()).toMatch(/T00:00:00/)
    })

    it('count the rows that a job is known to have before it begins', async () => {
      const progress = { processed: 0, total: 50, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: at(1) }
      const terms = { actor: null, limits: { ...NONE, rowsPerDay: 49 } }
      await expect(store().create(newJob(1, { progress }), null, terms)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
      const estimate = { ...progress, totalIsEstimate: true }
      expect((await store().create(newJob(1, { progress: estimate }), null, terms)).created).toBe(true)
    })
  })

  it("Freight's own secrets are kept sealed as given, newest first, and an id that is taken keeps what it has", async () => {
    const secret = { id: 'a', purpose: 'signing', public: '{"kty":"EC"}', sealed: 's1.x', createdAt: at(1) }
    await store().keepSecret(secret)
    await store().keepSecret({ ...secret, sealed: 's1.other' })
    await store().keepSecret({ ...secret, id: 'b', createdAt: at(2) })
    await store().keepSecret({ ...secret, id: 'c', purpose: 'mask', public: null })
    expect((await store().secrets('signing')).map(({ id }) => id)).toEqual(['b', 'a'])
    expect((await store().secrets('signing'))[1]).toEqual(secret)
    await store().reseal('a', 's1.new')
    await store().dropSecret('b')
    expect(await store().secrets('signing')).toEqual([{ ...secret, sealed: 's1.new' }])
  })
}
