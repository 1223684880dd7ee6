/** An export that brings down its server on every attempt is given up after five, and takes no other down with it. */
import { afterEach, expect, it } from 'vitest'
import { makeKey, type Site } from '../rig.ts'
import { runPoison } from './poison-run.ts'
import { makeWarehouse } from './warehouse.ts'

let site: Site
afterEach(() => site.remove())

it('an export whose server dies on each attempt fails after the fifth, later each time, and others complete', {
  timeout: 120_000,
}, async () => {
  site = await makeWarehouse()
  const { restsMs, ...report } = await runPoison({ site, key: await makeKey(site, 'acme'), others: 4 })
  expect(report).toEqual({
    attempts: 5,
    status: 'failed',
    error: { code: 'ATTEMPTS_EXHAUSTED', message: expect.stringContaining('WORKER_DIED') },
    stuck: [],
    historyFaults: [],
  })
  expect(restsMs).toHaveLength(4)
  // 1, 2, 4 and 8 s, up to two fifths more, and what a busy machine adds.
  for (const [n, restMs] of restsMs.entries()) {
    expect(restMs).toBeGreaterThanOrEqual(1_000 * 2 ** n)
    expect(restMs).toBeLessThan(1_400 * 2 ** n + 10_000)
  }
})
