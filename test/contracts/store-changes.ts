/** The part of the store's contract about waiting for a job to change. */
import { expect, it } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { at, jobId, newJob } from './sample-job.ts'

export function describeChanges(store: () => Store): void {
  const LONG_MS = 60_000

  it('whoever waits for a job is woken by each kind of write to it, and not by a write to another', async () => {
    const never = new AbortController()
    await store().create(newJob(1), null)
    await store().create(newJob(2), null)
    const other = store().changed(jobId(2), LONG_MS, never.signal)
    const progress = { processed: 1, total: null, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: at(3) }
    const writes = [
      () => store().claim(jobId(1), at(2)),
      () => store().progress(jobId(1), 1, progress),
      () => store().addEvent(jobId(1), 'linked', at(4), {}),
      () => store().interrupt('acme', jobId(1), at(5)),
      () => store().remove('acme', jobId(1)),
    ]
    for (const write of writes) {
      const woken = Promise.all([
        store().changed(jobId(1), LONG_MS, never.signal),
        store().changed(jobId(1), LONG_MS, never.signal),
      ])
      await write()
      await woken
    }
    const first = await Promise.race([other.then(() => 'woken'), Promise.resolve('asleep')])
    expect(first).toBe('asleep')
    never.abort()
    await other
  })

  it('waiting ends at its time, when it is aborted, and when the store closes', async () => {
    await store().changed(jobId(1), 5, new AbortController().signal)
    await store().changed(jobId(1), LONG_MS, AbortSignal.abort())
    const stop = new AbortController()
    const waiting = store().changed(jobId(1), LONG_MS, stop.signal)
    stop.abort()
    await waiting
    const last = store().changed(jobId(1), LONG_MS, new AbortController().signal)
    await store().close()
    await last
  })
}
