import { expect, it } from 'vitest'
import type { Job, Progress } from '../job/job.ts'
import { percentage } from '../job/progress.ts'
import { ProgressKeeper } from './progress-keeper.ts'

function makeKeeper(stored: Progress[], total: number | null, alive: () => boolean = () => true) {
  const clock = { ms: 0 }
  const fenced: true[] = []
  const progress = { processed: 0, total, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: new Date(0) }
  // Only what the keeper reads of a job.
  const job = { id: 'a', run: 3, progress, spec: { parts: [{ resource: 'orders' }] } } as unknown as Job
  const store = {
    progress: async (_id: string, run: number, written: Progress) => {
      expect(run).toBe(3)
      stored.push(written)
      return alive() ? job : null
    },
  }
  const parts = { store, log: { warn: () => {} }, now: () => new Date(clock.ms) }
  return { clock, fenced, keeper: new ProgressKeeper(parts, job, () => fenced.push(true)) }
}

it('progress is stored at most twice a second, however often it is reported', async () => {
  const stored: Progress[] = []
  const { clock, keeper } = makeKeeper(stored, 1000)
  for (clock.ms = 1000; clock.ms < 3000; clock.ms += 100)
    keeper.report({ processed: clock.ms, total: null, totalIsEstimate: true })
  await keeper.settled()
  expect(stored.length).toBe(4)
})

it('what was counted at creation is an estimate for the run: passed it is no total any more, and the exact one replaces it', async () => {
  const stored: Progress[] = []
  const { clock, keeper } = makeKeeper(stored, 100)
  clock.ms = 1000
  keeper.report({ processed: 50, total: null, totalIsEstimate: true })
  clock.ms = 2000
  keeper.report({ processed: 150, total: null, totalIsEstimate: true })
  clock.ms = 3000
  keeper.report({ processed: 160, total: 400, totalIsEstimate: false })
  await keeper.settled()
  expect(stored.map(({ total, totalIsEstimate }) => [total, totalIsEstimate])).toEqual([
    [100, true],
    [null, true],
    [400, false],
  ])
})

it('a total that turns out larger than estimated takes no percentage back', async () => {
  const stored: Progress[] = []
  const { clock, keeper } = makeKeeper(stored, 100)
  clock.ms = 1000
  keeper.report({ processed: 40, total: null, totalIsEstimate: true })
  clock.ms = 2000
  keeper.report({ processed: 60, total: 200, totalIsEstimate: false })
  clock.ms = 3000
  keeper.report({ processed: 90, total: 200, totalIsEstimate: false })
  await keeper.settled()
  expect(stored.map((progress) => percentage(progress, 'in_progress'))).toEqual([40, 40, 45])
})

it('a write that changes nothing tells the run that the job is no longer its own', async () => {
  const { clock, keeper, fenced } = makeKeeper([], 100, () => false)
  clock.ms = 1000
  keeper.report({ processed: 1, total: null, totalIsEstimate: true })
  await keeper.settled()
  expect(fenced).toEqual([true])
})

it('the error of the estimate is judged at 10, 50 and 90 percent once the true end is known', async () => {
  const { clock, keeper } = makeKeeper([], 1000)
  for (clock.ms = 100; clock.ms <= 1000; clock.ms += 100)
    keeper.report({ processed: clock.ms, total: 1000, totalIsEstimate: false })
  const report = keeper.finish('completed', new Date(2000), 5)
  expect(Object.keys(report.etaErrors)).toEqual(['10', '50', '90'])
  expect(report.etaErrors[50]).toBeCloseTo(0.5, 1)
  expect(report).toMatchObject({ outcome: 'completed', rows: 1000, bytes: 5, seconds: 2 })
})
