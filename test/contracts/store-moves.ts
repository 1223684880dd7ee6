/** The part of the store's contract about statuses: each verb, the fence, and random orders of all of them (`store-model.ts`). */
import { expect, it } from 'vitest'
import type { Job } from '../../src/job/job.ts'
import type { Store } from '../../src/store/store.ts'
import { at, claimed, completed, completionOf, eventTypes, fault, found, jobId, newJob } from './sample-job.ts'
import { followModel, raceVerbs } from './store-model.ts'

export function describeMoves(store: () => Store): void {
  describeRuns(store)
  describeCallers(store)

  it('2,000 random verbs, old runs among them, move jobs exactly as the table of transitions says', async () => {
    await followModel(store(), 2_000, 20_260_101)
  })

  it('verbs that race for the same jobs leave a lawful history of each', async () => {
    await raceVerbs(store(), 200, 4_711)
  })
}

function describeRuns(store: () => Store): void {
  it('a claim counts run and failure and begins anew, keeping a known total', async () => {
    const first = await claimed(store(), 1)
    expect(first).toMatchObject({ status: 'in_progress', run: 1, failures: 1, startedAt: at(2), updatedAt: at(2) })
    await store().setSession(first.id, 1, 'pid 7')
    await store().progress(first.id, 1, {
      processed: 50,
      total: 130,
      totalIsEstimate: false,
      rowsPerSecond: 10,
      reached: 0,
      at: at(3),
    })
    await store().retry(first.id, 1, fault, at(6), at(5))
    const second = found(await store().claim(first.id, at(7)))
    expect(second).toMatchObject({ run: 2, failures: 2, startedAt: at(7), availableAt: null, results: null, error: fault })
    expect(second.progress).toEqual({
      processed: 0,
      total: 130,
      totalIsEstimate: false,
      rowsPerSecond: null,
      reached: 0,
      at: at(7),
    })
    expect(await store().inProgress()).toEqual([{ job: second, session: null }])
  })

  it('only a pending job is claimed, and by one', async () => {
    await store().create(newJob(1), null)
    const claims = await Promise.all([1, 2, 3].map(() => store().claim(jobId(1), at(2))))
    expect(claims.filter((job) => job !== null)).toHaveLength(1)
    expect(await store().claim(jobId(9), at(2))).toBeNull()
  })

  it('progress never goes backwards within a run and is no event', async () => {
    const job = await claimed(store(), 1)
    const progress = { processed: 80, total: 100, totalIsEstimate: true, rowsPerSecond: 12.5, reached: 0, at: at(3) }
    expect(found(await store().progress(job.id, 1, progress)).progress).toEqual(progress)
    const late = await store().progress(job.id, 1, { ...progress, processed: 30, total: 90, totalIsEstimate: false, at: at(4) })
    expect(late?.progress).toEqual({
      processed: 80,
      total: 90,
      totalIsEstimate: false,
      rowsPerSecond: 12.5,
      reached: 0,
      at: at(4),
    })
    expect(late?.updatedAt).toEqual(at(4))
    expect(await eventTypes(store(), job.id)).toEqual(['created', 'started'])
  })

  it('completing stores the whole receipt and clears the fault of an earlier run', async () => {
    const job = await claimed(store(), 1)
    await store().retry(job.id, 1, fault, at(4), at(3))
    const again = found(await store().claim(job.id, at(5)))
    const completion = completionOf(again, at(6), at(60))
    const done = await store().complete(job.id, 2, completion)
    expect(done).toMatchObject({ ...completion, status: 'completed', error: null, run: 2, updatedAt: at(6) })
    expect(await store().get('acme', job.id)).toEqual(done)
    expect(await eventTypes(store(), job.id)).toEqual(['created', 'started', 'retried', 'started', 'completed'])
  })

  it('files of a run belong to its job while it goes on, and no longer once it ends in any way but completion', async () => {
    const { files } = completionOf({ id: jobId(1), run: 1 }, at(3), at(60))
    const ends: ((id: string) => Promise<Job | null>)[] = [
      (id) => store().fail(id, 1, fault, [], at(4)),
      (id) => store().retry(id, 1, fault, at(9), at(4)),
      (id) => store().giveBack(id, 1, at(4)),
      (id) => store().interrupt('acme', id, at(4)),
      (id) => store().cancel('acme', id, at(4)),
    ]
    for (const [index, end] of ends.entries()) {
      const job = await claimed(store(), index + 1)
      expect(found(await store().files(job.id, 1, files)).files).toEqual(files)
      expect(found(await store().files(job.id, 1, [...files, ...files])).files).toHaveLength(2)
      expect(found(await end(job.id)).files).toEqual([])
      expect(found(await store().get('acme', job.id)).files).toEqual([])
      expect(await eventTypes(store(), job.id)).toHaveLength(3)
    }
  })

  it('a failure is kept with its errors log, and the event names its code', async () => {
    const job = await claimed(store(), 1)
    const log = [{ resource: 'orders', row: 3, key: null, column: null, what: 'too large' }]
    const failed = await store().fail(job.id, 1, fault, log, at(5))
    expect(failed).toMatchObject({ status: 'failed', error: fault, errorsLog: log, failedAt: at(5), failures: 1 })
    const event = (await store().events(job.id, 0)).at(-1)
    expect(event).toMatchObject({ type: 'failed', run: 1, at: at(5), data: fault })
  })

  it('a retry waits until its time and keeps the failure; a run that is handed back does not count', async () => {
    const job = await claimed(store(), 1)
    const retried = found(await store().retry(job.id, 1, fault, at(30), at(3)))
    expect(retried).toMatchObject({ status: 'pending', failures: 1, availableAt: at(30), error: fault })
    expect(await store().pending()).toEqual([{ id: job.id, tenant: 'acme', availableAt: at(30), createdAt: at(1) }])
    await store().claim(job.id, at(31))
    expect(await store().giveBack(job.id, 2, at(32))).toMatchObject({ status: 'pending', run: 2, failures: 1, availableAt: null })
    expect(await eventTypes(store(), job.id)).toEqual(['created', 'started', 'retried', 'started', 'returned'])
  })

  it('waiting jobs and unfinished runs of every tenant are found at start, oldest first', async () => {
    await store().create(newJob(3), null)
    await store().create(newJob(1, { tenant: 'other' }), null)
    const running = await claimed(store(), 2)
    const withSession = await store().setSession(running.id, 1, 'pid 7')
    expect((await store().pending()).map((job) => job.id)).toEqual([1, 3].map(jobId))
    expect(await store().inProgress()).toEqual([{ job: withSession, session: 'pid 7' }])
  })

  it('every write of an old run, or to a job that is no longer in progress, changes nothing', async () => {
    const job = await claimed(store(), 1)
    await store().giveBack(job.id, 1, at(3))
    await expectFencedOut(store(), job, 1)
    await store().claim(job.id, at(4))
    await expectFencedOut(store(), job, 1)
    await expectFencedOut(store(), job, 3)
    await store().interrupt('acme', job.id, at(5))
    await expectFencedOut(store(), job, 2)
    expect(await store().setSession(jobId(9), 1, null)).toBeNull()
  })
}

async function expectFencedOut(store: Store, job: Job, run: number): Promise<void> {
  const before = await store.find(job.id)
  const events = await store.events(job.id, 0)
  const progress = { processed: 99, total: 99, totalIsEstimate: false, rowsPerSecond: 1, reached: 0, at: at(90) }
  expect(await store.progress(job.id, run, progress)).toBeNull()
  expect(await store.setSession(job.id, run, 'late')).toBeNull()
  expect(await store.files(job.id, run, completionOf(job, at(90), at(99)).files)).toBeNull()
  expect(await store.complete(job.id, run, completionOf(job, at(90), at(99)))).toBeNull()
  expect(await store.fail(job.id, run, fault, [], at(90))).toBeNull()
  expect(await store.retry(job.id, run, fault, at(91), at(90))).toBeNull()
  expect(await store.giveBack(job.id, run, at(90))).toBeNull()
  expect(await store.find(job.id)).toEqual(before)
  expect(await store.events(job.id, 0)).toEqual(events)
}

function describeCallers(store: () => Store): void {
  it('interrupt and start bring a job back to the queue as new, its run number kept', async () => {
    const job = await claimed(store(), 1)
    await store().progress(job.id, 1, {
      processed: 70,
      total: 100,
      totalIsEstimate: false,
      rowsPerSecond: 9,
      reached: 0,
      at: at(3),
    })
    expect(await store().interrupt('acme', job.id, at(4))).toMatchObject({ status: 'interrupted', interruptedAt: at(4) })
    const restarted = found(await store().start('acme', job.id, at(5)))
    expect(restarted).toMatchObject({
      status: 'pending',
      run: 1,
      failures: 0,
      startedAt: null,
      interruptedAt: null,
      availableAt: null,
    })
    expect(restarted.progress).toEqual({
      processed: 0,
      total: 100,
      totalIsEstimate: true,
      rowsPerSecond: null,
      reached: 0,
      at: at(5),
    })
    expect(await eventTypes(store(), job.id)).toEqual(['created', 'started', 'interrupted', 'restarted'])
  })

  it('a failed job starts again without its failures, error and errors log', async () => {
    const job = await claimed(store(), 1)
    const log = [{ resource: 'orders', row: 3, key: null, column: null, what: 'too large' }]
    await store().fail(job.id, 1, fault, log, at(3))
    expect(await store().start('acme', job.id, at(4))).toMatchObject({
      status: 'pending',
      failures: 0,
      error: null,
      errorsLog: [],
      failedAt: null,
      results: null,
    })
  })

  it('interrupting an interrupted job and cancelling a cancelled one change nothing and are no event', async () => {
    await store().create(newJob(1), null)
    const interrupted = await store().interrupt('acme', jobId(1), at(2))
    expect(await store().interrupt('acme', jobId(1), at(3))).toEqual(interrupted)
    const cancelled = await store().cancel('acme', jobId(1), at(4))
    expect(cancelled).toMatchObject({ status: 'cancelled', cancelledAt: at(4) })
    expect(await store().cancel('acme', jobId(1), at(5))).toEqual(cancelled)
    expect(await eventTypes(store(), jobId(1))).toEqual(['created', 'interrupted', 'cancelled'])
  })

  it('a move that does not fit is refused with the status that stands in the way, and changes nothing', async () => {
    const done = await completed(store(), 1, at(60))
    for (const verb of ['interrupt', 'cancel', 'start'] as const) {
      await expect(store()[verb]('acme', done.id, at(9))).rejects.toMatchObject({
        code: 'TRANSITION_ILLEGAL',
        details: { status: 'completed' },
      })
    }
    await store().create(newJob(2), null)
    await expect(store().start('acme', jobId(2), at(9))).rejects.toMatchObject({ code: 'TRANSITION_ILLEGAL' })
    expect(await store().find(done.id)).toEqual(done)
    expect(await eventTypes(store(), done.id)).toEqual(['created', 'started', 'completed'])
    expect(await eventTypes(store(), jobId(2))).toEqual(['created'])
  })
}
