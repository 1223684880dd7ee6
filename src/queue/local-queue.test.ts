import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeQueue } from '../../test/contracts/queue.ts'
import { cpuMs } from '../../test/cpu-time.ts'
import { createLocalQueue } from './local-queue.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  // A queue that nobody waits for must not keep the process alive.
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describeQueue('the local queue', () => ({
  queue: createLocalQueue({ slots: 2, now: () => Date.now() }),
  now: () => Date.now(),
  advance: (ms) => {
    vi.advanceTimersByTime(ms)
  },
}))

describe('the local queue', () => {
  it('waits for a time beyond what a timer can hold', async () => {
    const queue = createLocalQueue({ slots: 1, now: () => Date.now() })
    const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000)
    queue.add({ id: 'far', tenant: 'a', availableAt: inDays(40) })
    const taken = queue.take(new AbortController().signal)
    let given = false
    void taken.then(() => {
      given = true
    })
    await vi.advanceTimersByTimeAsync(39 * 86_400_000)
    expect(given).toBe(false)
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect((await taken)?.jobId).toBe('far')
  })

  it('keeps no timer for a delayed job once nobody waits for it', async () => {
    const queue = createLocalQueue({ slots: 1, now: () => Date.now() })
    queue.add({ id: 'late', tenant: 'a', availableAt: new Date(Date.now() + 5_000) })
    expect(vi.getTimerCount()).toBe(0)
    const stop = new AbortController()
    const taken = queue.take(stop.signal)
    expect(vi.getTimerCount()).toBe(1)
    stop.abort()
    expect(await taken).toBeNull()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('tells positions among ten thousand waiting jobs in well under a millisecond each', () => {
    const queue = createLocalQueue({ slots: 1, now: () => Date.now() })
    for (let n = 0; n < 10_000; n += 1) queue.add({ id: `j${n}`, tenant: `t${n % 100}`, availableAt: null })
    const started = cpuMs()
    for (let n = 0; n < 1_000; n += 1) expect(queue.position(`j${n * 10}`)).toBe(n * 10)
    expect(cpuMs() - started).toBeLessThan(1_000)
  })
})

describe('a tenant that may run only so many at once', () => {
  it('leaves the other slots to others, and goes on when one of its own has ended', async () => {
    const queue = createLocalQueue({ slots: 3, now: () => Date.now(), running: (tenant) => (tenant === 'a' ? 1 : null) })
    for (const id of ['a1', 'a2', 'a3']) queue.add({ id, tenant: 'a', availableAt: null })
    for (const id of ['b1', 'b2']) queue.add({ id, tenant: 'b', availableAt: null })
    const { signal } = new AbortController()
    const claims = await Promise.all([queue.take(signal), queue.take(signal), queue.take(signal)])
    expect(claims.map((claim) => claim?.jobId)).toEqual(['a1', 'b1', 'b2'])
    claims[1]?.release()
    let given: string | null = null
    const next = queue.take(signal).then((claim) => {
      given = claim?.jobId ?? null
    })
    await Promise.resolve()
    expect(given).toBeNull()
    claims[0]?.release()
    claims[0]?.release()
    await next
    expect(given).toBe('a2')
    queue.add({ id: 'b3', tenant: 'b', availableAt: null })
    expect((await queue.take(signal))?.jobId).toBe('b3')
  })
})
