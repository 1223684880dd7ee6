/** The part of the store's contract about what webhooks are still to be told. */
import { expect, it } from 'vitest'
import type { Notice, Notify } from '../../src/job/notice.ts'
import type { Store } from '../../src/store/store.ts'
import { at, completionOf, fault, found, jobId, newJob } from './sample-job.ts'

const ID = jobId(1)
const due = (seconds: number, limit = 10) => ({ now: at(seconds), until: at(seconds + 30), limit })
const told = (notices: readonly Notice[]) => notices.map(({ jobId: job, topic, attempts }) => [job, topic, attempts])

/** Tells `hook` of every change, in the change's own word. */
const NOTIFY_ALL: Notify = (job, change, when) => [
  { webhook: 'hook', topic: change, document: { status: job.status, run: job.run, at: when.toISOString(), text: 'é"' } },
]

/** `notify` sets what the store tells from now on. */
export function describeNotices(store: () => Store, notify: (notify: Notify) => void, another: () => Promise<Store>): void {
  /** Of one job, in order; each is taken off. */
  const takeAll = async (seconds: number): Promise<Notice[]> => {
    const taken: Notice[] = []
    for (;;) {
      const [notice, second] = await store().claimNotices('hook', due(seconds))
      expect(second).toBeUndefined()
      if (!notice) return taken
      taken.push(notice)
      await store().removeNotice(notice.id)
    }
  }

  it('each change of a job is written down for whoever is told, with the change; what changes nothing is not', async () => {
    notify(NOTIFY_ALL)
    await store().create(newJob(1), null)
    await store()
      .create(newJob(1, { id: jobId(2), shortId: '0000000002', tenant: 'other' }), null)
      .then(() => store().cancel('acme', jobId(2), at(1)))
    await store().claim(ID, at(2))
    await store().retry(ID, 1, fault, at(3), at(3))
    await store().claim(ID, at(4))
    await store().giveBack(ID, 2, at(5))
    await store().interrupt('acme', ID, at(6))
    await store().interrupt('acme', ID, at(7))
    await store().start('acme', ID, at(8))
    await store().claim(ID, at(9))
    await store().claim(ID, at(9))
    await store().fail(ID, 2, fault, [], at(10))
    await store().fail(ID, 3, fault, [], at(10))
    await store().start('acme', ID, at(11))
    const job = found(await store().claim(ID, at(12)))
    await expect(store().remove('acme', ID, null, at(12))).rejects.toMatchObject({ code: 'EXPORT_ACTIVE' })
    await store().complete(ID, 4, completionOf(job, at(13), at(60)))
    await store().remove('acme', ID, null, at(14))
    await store().remove('acme', ID, null, at(14))

    const [first, other] = await store().claimNotices('hook', due(20))
    expect(other).toMatchObject({ jobId: jobId(2), tenant: 'other', topic: 'created' })
    expect(first).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      webhook: 'hook',
      topic: 'created',
      tenant: 'acme',
      jobId: ID,
      document: { status: 'pending', run: 0, at: at(1).toISOString(), text: 'é"' },
      attempts: 1,
      createdAt: at(1),
    })
    for (const notice of [first, other]) await store().removeNotice(notice?.id ?? '')
    expect((await takeAll(20)).map(({ topic, document }) => [topic, document.status, document.run])).toEqual([
      ['started', 'in_progress', 1],
      ['retried', 'pending', 1],
      ['started', 'in_progress', 2],
      ['returned', 'pending', 2],
      ['interrupted', 'interrupted', 2],
      ['restarted', 'pending', 2],
      ['started', 'in_progress', 3],
      ['failed', 'failed', 3],
      ['restarted', 'pending', 3],
      ['started', 'in_progress', 4],
      ['completed', 'completed', 4],
      ['removed', 'completed', 4],
    ])
  })

  it('a change that cannot be written down for whoever is told is not made', async () => {
    await store().create(newJob(1), null)
    notify(() => {
      throw new Error('no')
    })
    await expect(store().claim(ID, at(2))).rejects.toThrow('no')
    await expect(store().create(newJob(2), null)).rejects.toThrow('no')
    expect(await store().get('acme', ID)).toMatchObject({ status: 'pending', run: 0 })
    expect(await store().get('acme', jobId(2))).toBeNull()
    expect(await store().events(ID, 0)).toHaveLength(1)
  })

  it('a claimed notice is not due again before its time, and the next of its job is due after it', async () => {
    notify(NOTIFY_ALL)
    await store().create(newJob(1), null)
    await store().create(newJob(2), null)
    await store().claim(ID, at(3))
    expect(told(await store().claimNotices('hook', due(0)))).toEqual([])
    expect(told(await store().claimNotices('another', due(5)))).toEqual([])
    expect(told(await store().claimNotices('hook', due(5, 1)))).toEqual([[ID, 'created', 1]])
    expect(told(await store().claimNotices('hook', due(5)))).toEqual([[jobId(2), 'created', 1]])
    expect(told(await store().claimNotices('hook', due(34)))).toEqual([])
    const [again, two] = await store().claimNotices('hook', due(35))
    expect(told([again, two].flatMap((each) => each ?? []))).toEqual([
      [ID, 'created', 2],
      [jobId(2), 'created', 2],
    ])
    await store().postponeNotice(again?.id ?? '', at(100))
    await store().returnNotice(two?.id ?? '', at(36))
    expect(told(await store().claimNotices('hook', due(99)))).toEqual([[jobId(2), 'created', 2]])
    const [third] = await store().claimNotices('hook', due(100))
    expect(third).toMatchObject({ id: again?.id, topic: 'created', attempts: 3 })
    await store().recallNotices(at(101))
    expect(told(await store().claimNotices('hook', due(101)))).toEqual([
      [ID, 'created', 4],
      [jobId(2), 'created', 3],
    ])
    await store().removeNotice(again?.id ?? '')
    expect(told(await store().claimNotices('hook', due(101)))).toEqual([[ID, 'started', 1]])
  })

  it('of several who claim at once each notice goes to one', async () => {
    notify(NOTIFY_ALL)
    for (let number = 1; number <= 8; number += 1) await store().create(newJob(number), null)
    const other = await another()
    const claims = await Promise.all([store(), other, store(), other].map((each) => each.claimNotices('hook', due(20, 3))))
    await other.close()
    const ids = claims.flat().map(({ id }) => id)
    expect(ids).toHaveLength(8)
    expect(new Set(ids).size).toBe(8)
  })

  it('old notices are dropped, whoever they were for', async () => {
    notify((job, change, when) =>
      ['hook', 'gone'].flatMap((webhook) => NOTIFY_ALL(job, change, when).map((each) => ({ ...each, webhook }))),
    )
    for (const number of [1, 2, 3]) await store().create(newJob(number), null)
    expect(await store().pruneNotices(at(1))).toBe(0)
    expect(await store().pruneNotices(at(3))).toBe(4)
    expect(told(await store().claimNotices('gone', due(9)))).toEqual([[jobId(3), 'created', 1]])
  })
}
