/** What every queue must do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Claim, Queue } from '../../src/queue/queue.ts'

export interface QueueUnderTest {
  readonly queue: Queue
  /** Lets time pass, for the queue and its timers alike. */
  advance(ms: number): void
  readonly now: () => number
}

/** `make` gives an empty queue with two slots. */
export function describeQueue(name: string, make: () => QueueUnderTest): void {
  describe(`${name} keeps the contract of a queue`, () => {
    let queue: Queue
    let made: QueueUnderTest
    const stop: AbortController[] = []
    beforeEach(() => {
      made = make()
      queue = made.queue
    })
    // Nobody is left waiting: a forgotten taker would keep its timer.
    afterEach(() => {
      for (const controller of stop.splice(0)) controller.abort()
    })

    const add = (id: string, tenant = 'acme', delayMs: number | null = null): void => {
      queue.add({ id, tenant, availableAt: delayMs === null ? null : new Date(made.now() + delayMs) })
    }
    /** A taker that is aborted with the test. */
    const take = (): Promise<Claim | null> => {
      const controller = new AbortController()
      stop.push(controller)
      return queue.take(controller.signal)
    }
    /** Takes the next job at once, or tells that there is none to take. */
    const takeNow = async (): Promise<Claim | null> => {
      const controller = new AbortController()
      const taken = queue.take(controller.signal)
      controller.abort()
      return taken
    }
    const takeAll = async (): Promise<string[]> => {
      const ids: string[] = []
      for (let claim = await takeNow(); claim; claim = await takeNow()) {
        ids.push(claim.jobId)
        claim.release()
      }
      return ids
    }

    it('jobs of one tenant are taken oldest first', async () => {
      for (const id of ['a', 'c', 'b']) add(id)
      expect(await takeAll()).toEqual(['a', 'c', 'b'])
    })

    it('tenants take turns, however many jobs one of them has', async () => {
      for (const id of ['a1', 'a2', 'a3', 'a4']) add(id, 'a')
      for (const id of ['b1', 'b2']) add(id, 'b')
      add('c1', 'c')
      expect(await takeAll()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
    })

    it('after 500 jobs of one tenant the one job of another is taken as the second at the latest', async () => {
      for (let n = 1; n <= 500; n += 1) add(`a${n}`, 'a')
      const running = [await takeNow(), await takeNow()]
      add('b1', 'b')
      expect(queue.position('b1')).toBe(0)
      for (const claim of running) claim?.release()
      expect((await takeAll()).slice(0, 2)).toContain('b1')
    })

    it('a tenant that adds one job at a time gets no more than its turn', async () => {
      for (const id of ['a1', 'a2', 'a3']) add(id, 'a')
      add('b1', 'b')
      const taken: string[] = []
      for (let n = 2; n <= 4; n += 1) {
        for (const claim of [await takeNow(), await takeNow()]) {
          taken.push(claim?.jobId ?? '')
          claim?.release()
        }
        add(`b${n}`, 'b')
      }
      expect(taken).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
    })

    it('no more jobs run than there are slots, and a released slot is used at once', async () => {
      for (const id of ['a', 'b', 'c']) add(id)
      const first = await takeNow()
      await takeNow()
      expect(await takeNow()).toBeNull()
      const waiting = take()
      first?.release()
      first?.release()
      expect((await waiting)?.jobId).toBe('c')
      expect(await takeNow()).toBeNull()
    })

    it('takers that wait are served in the order in which they came, when jobs come', async () => {
      const first = take()
      const second = take()
      add('a')
      add('b')
      expect([(await first)?.jobId, (await second)?.jobId]).toEqual(['a', 'b'])
    })

    it('an aborted taker gets null and takes no job away', async () => {
      const controller = new AbortController()
      const taken = queue.take(controller.signal)
      controller.abort()
      expect(await taken).toBeNull()
      expect(await queue.take(AbortSignal.abort())).toBeNull()
      add('a')
      expect(await takeAll()).toEqual(['a'])
    })

    it('a delayed job blocks no other and is taken when its time has come', async () => {
      add('late', 'a', 5_000)
      add('now', 'a')
      expect(await takeAll()).toEqual(['now'])
      const waiting = take()
      made.advance(4_999)
      expect(queue.position('late')).toBe(0)
      made.advance(1)
      expect((await waiting)?.jobId).toBe('late')
    })

    it('adding a waiting job again moves its time and keeps its place', async () => {
      add('a')
      add('b')
      add('a', 'acme', 5_000)
      expect(await takeAll()).toEqual(['b'])
      add('c')
      add('a')
      expect(await takeAll()).toEqual(['a', 'c'])
    })

    it('a job that is added while it runs is taken again only after its release', async () => {
      add('a')
      const claim = await takeNow()
      add('a')
      expect(await takeNow()).toBeNull()
      expect(queue.position('a')).toBe(0)
      claim?.release()
      expect(await takeAll()).toEqual(['a'])
    })

    it('dropping removes a waiting job, aborts a running one, and does not care for an unknown one', async () => {
      add('a')
      add('b')
      const claim = await takeNow()
      add('a')
      queue.drop('a')
      queue.drop('b')
      queue.drop('unknown')
      expect(claim?.signal.aborted).toBe(true)
      claim?.release()
      expect(await takeAll()).toEqual([])
      expect(queue.position('b')).toBeNull()
    })

    it('a job dropped in one run is not aborted in its next', async () => {
      add('a')
      const first = await takeNow()
      queue.drop('a')
      add('a')
      first?.release()
      const second = await takeNow()
      first?.release()
      expect(second?.signal.aborted).toBe(false)
      queue.drop('a')
      expect(second?.signal.aborted).toBe(true)
    })

    it('a position is the number of jobs that are then really taken before it', async () => {
      for (const id of ['a1', 'a2', 'a3', 'a4', 'a5']) add(id, 'a')
      for (const id of ['b1', 'b2']) add(id, 'b')
      for (const id of ['c1', 'c2', 'c3']) add(id, 'c')
      ;(await takeNow())?.release()
      const ids = ['a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1', 'c2', 'c3']
      const positions = new Map(ids.map((id) => [id, queue.position(id)]))
      const taken = await takeAll()
      expect([...positions].sort(([, a], [, b]) => Number(a) - Number(b)).map(([id]) => id)).toEqual(taken)
      expect([...positions.values()].sort((a, b) => Number(a) - Number(b))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    })

    it('a job that runs, or is unknown, has no position; a delayed one comes after all others', async () => {
      add('a', 'acme', 2_000)
      add('b', 'acme', 1_000)
      add('c')
      add('d')
      await takeNow()
      expect(['a', 'b', 'c', 'd', 'x'].map((id) => queue.position(id))).toEqual([2, 1, null, 0, null])
    })
  })
}
