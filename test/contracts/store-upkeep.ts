/** The part of the store's contract about what upkeep and the metrics ask for. */
import { expect, it } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { at, claimed, completed, eventTypes, found, jobId, newJob } from './sample-job.ts'

export function describeUpkeep(store: () => Store): void {
  it('expired files are offered for removal once, the longest expired first, and removed files leave an event', async () => {
    await completed(store(), 1, at(60))
    await completed(store(), 2, at(50))
    await completed(store(), 3, at(70))
    expect((await store().expired(at(60), 10)).map((job) => job.id)).toEqual([2, 1].map(jobId))
    expect((await store().expired(at(60), 1)).map((job) => job.id)).toEqual([jobId(2)])
    await store().filesRemoved(jobId(2), at(61))
    await store().filesRemoved(jobId(2), at(62))
    expect((await store().expired(at(60), 10)).map((job) => job.id)).toEqual([jobId(1)])
    const job = found(await store().find(jobId(2)))
    expect(job).toMatchObject({ status: 'completed', filesRemovedAt: at(61), updatedAt: at(61) })
    expect(job.files).toHaveLength(1)
    expect(await eventTypes(store(), jobId(2))).toEqual(['created', 'started', 'completed', 'expired'])
  })

  it('files of a job that is not completed are not noted as removed', async () => {
    await store().create(newJob(1), null)
    await store().filesRemoved(jobId(1), at(2))
    expect(found(await store().find(jobId(1))).filesRemovedAt).toBeNull()
    expect(await eventTypes(store(), jobId(1))).toEqual(['created'])
  })

  it('many ids are looked up at once, of every tenant', async () => {
    await completed(store(), 1, at(60))
    await claimed(store(), 2, { tenant: 'other' })
    const known = await store().known(Array.from({ length: 1_200 }, (_, n) => jobId(1_200 - n)))
    expect([...known].sort()).toEqual([
      [jobId(1), { status: 'completed', run: 1, filesRemovedAt: null }],
      [jobId(2), { status: 'in_progress', run: 1, filesRemovedAt: null }],
    ])
    expect((await store().known([])).size).toBe(0)
  })

  it('pruning forgets idempotency keys whose time is up and no others', async () => {
    await store().create(newJob(1), { key: 'old', fingerprint: 'f', expiresAt: at(10) })
    await store().create(newJob(2), { key: 'young', fingerprint: 'f', expiresAt: at(11) })
    await store().pruneIdempotency(at(10))
    // Asked at an earlier time, at which both would still count.
    expect((await store().create(newJob(3), { key: 'old', fingerprint: 'f', expiresAt: at(99) })).created).toBe(true)
    expect((await store().create(newJob(4), { key: 'young', fingerprint: 'f', expiresAt: at(99) })).created).toBe(false)
  })

  it('jobs are counted by status, zeros included, and the longest wait counts from when a job became pending', async () => {
    expect(await store().oldestPendingAt()).toBeNull()
    await store().create(newJob(1), null)
    await store().create(newJob(2), null)
    await store().create(newJob(3), null)
    await store().interrupt('acme', jobId(1), at(10))
    await store().start('acme', jobId(1), at(20))
    await claimed(store(), 4)
    expect(await store().countByStatus()).toEqual({
      pending: 3,
      in_progress: 1,
      interrupted: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
    })
    expect(await store().oldestPendingAt()).toEqual(at(2))
    await store().cancel('acme', jobId(2), at(30))
    await store().cancel('acme', jobId(3), at(30))
    expect(await store().oldestPendingAt()).toEqual(at(20))
  })
}
