/** The part of the store's contract about what changed in a job, and about changing what it is called. */
import { expect, it } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { at, claimed, completed, eventTypes, fault, found, jobId, newJob } from './sample-job.ts'

const actor = { by: 'key1', from: null }

export function describeVersions(store: () => Store): void {
  it('every change of status leaves a version with what was and what became', async () => {
    const job = await claimed(store(), 1, { reference: 'r' })
    await store().interrupt('acme', job.id, at(3))
    await store().start('acme', job.id, at(4))
    const versions = await store().versions(job.id)
    const events = await store().events(job.id, 0)
    expect(versions.map(({ event }) => event)).toEqual(events)
    expect(versions.map(({ changes }) => changes)).toEqual([
      {
        status: [null, 'pending'],
        resource: [null, 'orders'],
        format: [null, 'csv'],
        total: [null, 120],
        reference: [null, 'r'],
        metadata: [null, {}],
      },
      { status: ['pending', 'in_progress'], started_at: [null, at(2).toISOString()] },
      { status: ['in_progress', 'interrupted'], interrupted_at: [null, at(3).toISOString()] },
      {
        status: ['interrupted', 'pending'],
        started_at: [at(2).toISOString(), null],
        interrupted_at: [at(3).toISOString(), null],
      },
    ])
  })

  it('a failure leaves its error, and a refused move leaves nothing', async () => {
    const job = await claimed(store(), 1)
    await store().fail(job.id, 1, fault, [], at(3))
    await expect(store().interrupt('acme', job.id, at(4))).rejects.toMatchObject({ code: 'TRANSITION_ILLEGAL' })
    const versions = await store().versions(job.id)
    expect(versions.at(-1)?.changes).toEqual({
      status: ['in_progress', 'failed'],
      failed_at: [null, at(3).toISOString()],
      error: [null, fault],
    })
    expect(versions).toHaveLength(3)
  })

  it('progress is no version, and versions go with their job', async () => {
    const job = await completed(store(), 1, at(90))
    expect(await store().versions(job.id)).toHaveLength(3)
    await store().remove('acme', job.id)
    expect(await store().versions(job.id)).toEqual([])
  })

  it('what a job is called may change in any status, and says who changed it', async () => {
    const job = await completed(store(), 1, at(90), { reference: 'a', referenceOrigin: 'b', metadata: { c: 1 } })
    const amended = found(await store().amend('acme', job.id, { reference: 'z', metadata: { c: 1 } }, at(5), actor))
    expect(amended).toEqual({ ...job, reference: 'z', updatedAt: at(5) })
    expect(await store().get('acme', job.id)).toEqual(amended)
    const last = (await store().versions(job.id)).at(-1)
    expect(last).toMatchObject({
      event: { type: 'amended', at: at(5), data: { by: 'key1', from: null } },
      changes: { reference: ['a', 'z'] },
    })
    const cleared = { reference: null, referenceOrigin: null, metadata: {} }
    expect(await store().amend('acme', job.id, cleared, at(6), actor)).toMatchObject(cleared)
  })

  it('a change that changes nothing is no event, and another tenant changes nothing', async () => {
    const { job } = await store().create(newJob(1, { reference: 'a' }), null)
    expect(await store().amend('acme', jobId(1), { reference: 'a' }, at(2), actor)).toEqual(job)
    expect(await store().amend('acme', jobId(1), {}, at(2), actor)).toEqual(job)
    expect(await store().amend('other', jobId(1), { reference: 'z' }, at(2), actor)).toBeNull()
    expect(await store().amend('acme', jobId(2), { reference: 'z' }, at(2), actor)).toBeNull()
    expect(await store().get('acme', jobId(1))).toEqual(job)
    expect(await eventTypes(store(), jobId(1))).toEqual(['created'])
  })
}
