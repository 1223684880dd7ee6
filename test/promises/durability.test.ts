/** An acknowledged export is never lost, and one Idempotency-Key is one export: also when the server is killed in between. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { makeKey, type Site, startServer } from '../rig.ts'
import { KEYED, keyRounds, postWithKey } from './key-rounds.ts'
import { killRounds } from './kill-rounds.ts'
import { makeWarehouse } from './warehouse.ts'

let site: Site
let key: string
beforeEach(async () => {
  site = await makeWarehouse()
  key = await makeKey(site, 'acme')
})
afterEach(() => site.remove())

it('every acknowledged export outlives a kill at any instant and completes by itself', { timeout: 120_000 }, async () => {
  const seed = randomUUID()
  const random = createRandom(seed)
  const report = await killRounds({ site, key, random, rounds: 4, postsPerClient: 3 })
  expect({ seed, ...report }).toEqual({
    seed,
    kills: expect.any(Array),
    acknowledged: expect.any(Number),
    lost: [],
    stuck: [],
    damaged: [],
    historyFaults: [],
    looks: expect.any(Number),
    integrity: 'ok',
  })
  // Else nothing was tried.
  expect(report.acknowledged).toBeGreaterThan(0)
  expect(report.looks).toBeGreaterThan(50)
})

it('simultaneous requests with one Idempotency-Key are one export, whoever comes first', { timeout: 60_000 }, async () => {
  const server = await startServer(site)
  const keys = Array.from({ length: 20 }, (_, n) => `order-${n}`)
  const answers = await Promise.all(keys.flatMap((name) => Array.from({ length: 10 }, () => postWithKey(server, key, name))))
  expect(answers.map(({ status }) => status)).toEqual(new Array(200).fill(201))
  const ids = keys.map((_, n) => new Set(answers.slice(n * 10, n * 10 + 10).map((answer) => answer.body.id)))
  expect(ids.map((same) => same.size)).toEqual(new Array(20).fill(1))
  const all = await server.call(key, 'GET', '/exports?limit=100')
  expect(all.body.data.map(({ id }: { id: string }) => id).sort()).toEqual(ids.flatMap((same) => [...same]).sort())
})

it('a request that is repeated after a kill gives the export that there is, or the first', { timeout: 60_000 }, async () => {
  const seed = randomUUID()
  const report = await keyRounds({ site, key, random: createRandom(seed), rounds: 2, keysPerRound: 12 })
  expect({ seed, ...report }).toEqual({ seed, keys: 24, acknowledged: expect.any(Number), changed: [], exports: 24 })
})

it("a key means one body, however its members are ordered, and one tenant's only", { timeout: 60_000 }, async () => {
  const stranger = await makeKey(site, 'globex')
  const server = await startServer(site)
  const { id } = (await postWithKey(server, key, 'monday')).body
  const reordered = '{"metadata":{"b":[true,null],"a":1.0},"format":"json","resource":"orders"}'
  expect(await postWithKey(server, key, 'monday', reordered)).toMatchObject({ status: 201, body: { id } })
  for (const other of [
    { ...KEYED, format: 'csv' },
    { ...KEYED, metadata: { a: '1', b: [true, null] } },
    { ...KEYED, limit: 5 },
  ]) {
    const refused = await postWithKey(server, key, 'monday', other)
    expect(refused).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } })
  }
  const theirs = await postWithKey(server, stranger, 'monday')
  expect(theirs).toMatchObject({ status: 201, body: { tenant: 'globex' } })
  expect(theirs.body.id).not.toBe(id)
  expect((await server.call(stranger, 'GET', `/exports/${id}`)).status).toBe(404)
})
