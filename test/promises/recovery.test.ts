/** What is left and what is shown when the server dies at the end of a run, or dies alone, or finds its records held. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { childrenOf, isAlive } from '../process-group.ts'
import { create, ended, makeKey, type Site, shown, startServer, until } from '../rig.ts'
import { killedAtTheEnd } from './kill-at-the-end.ts'
import { LONG, makeWarehouse, SECOND } from './warehouse.ts'

let site: Site
afterEach(() => site.remove())

it('a file that can be downloaded is whole, and a kill near the end of a run leaves none unfinished', {
  timeout: 120_000,
}, async () => {
  site = await makeWarehouse({ items: 400_000 })
  const key = await makeKey(site, 'acme')
  const seed = randomUUID()
  const report = await killedAtTheEnd({ site, key, random: createRandom(seed), rounds: 3 })
  expect({ seed, ...report }).toEqual({
    seed,
    rounds: 3,
    asked: expect.any(Number),
    fetched: expect.any(Number),
    damaged: [],
    leftBehind: [],
    notCompleted: [],
    historyFaults: [],
  })
  // Else nothing was tried.
  expect(report.asked).toBeGreaterThan(20)
  expect(report.fetched).toBeGreaterThan(3)
})

it('the process that reads a view ends with a server that dies alone, and the next server reads on', {
  timeout: 60_000,
}, async () => {
  site = await makeWarehouse()
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  const id = await create(first, key, LONG)
  await expect.poll(() => childrenOf(first.pid).length, { timeout: 20_000, interval: 5 }).toBe(1)
  const [reader = 0] = childrenOf(first.pid)
  process.kill(first.pid, 'SIGKILL')
  await first.exited
  const next = await startServer(site)
  await expect.poll(() => isAlive(reader), { timeout: 10_000 }).toBe(false)
  await until(next, key, id, ({ status, attempt }) => status === 'in_progress' && attempt === 2)
})

it('records that another process holds delay an export and lose none', { timeout: 60_000 }, async () => {
  site = await makeWarehouse()
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  const id = await create(first, key, SECOND)
  await until(first, key, id, ({ status }) => status === 'in_progress')
  await first.kill()
  // It is claimed again after a second: by then nothing can be written, for longer than a write waits.
  const next = await startServer(site)
  const records = new Sqlite(join(site.dataDir, 'freight.db'), { timeout: 5_000 })
  try {
    records.exec('begin immediate')
    await setTimeout(1_000)
    const refused = await next.call(key, 'POST', '/exports', { resource: 'orders' })
    expect(refused).toMatchObject({ status: 503, body: { code: 'STORE_BUSY' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await shown(next, key, id)).toMatchObject({ status: 'pending' })
    await setTimeout(1_500)
    records.exec('rollback')
  } finally {
    records.close()
  }
  expect(await ended(next, key, id)).toMatchObject({ status: 'completed', attempt: 2 })
})
