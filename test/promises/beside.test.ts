/** What works beside a running server, and what is refused; and whose turn it is while it runs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { create, ended, makeKey, type Server, type Site, shown, startServer, until } from '../rig.ts'
import { TIMED } from '../timed.ts'
import { LONG, makeWarehouse, ORDERS, SECOND } from './warehouse.ts'

let site: Site
let server: Server
let key: string
let other: string
beforeAll(async () => {
  site = await makeWarehouse()
  ;[key, other] = await Promise.all([makeKey(site, 'acme'), makeKey(site, 'globex')])
  server = await startServer(site)
})
afterAll(() => site.remove())

it('a second server on the same data folder is refused in one line and disturbs nothing', async () => {
  const id = await create(server, key, SECOND)
  await until(server, key, id, ({ status }) => status === 'in_progress', { everyMs: 5 })
  const { code, stdout, stderr } = await site.command(['serve'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines).toEqual([expect.stringMatching(/^error: .*\bprocess \d+\b.*FREIGHT_DATA.*\(ALREADY_RUNNING\)$/)])
  expect(lines[0]).toContain(String(server.pid))
  expect(await ended(server, key, id)).toMatchObject({ status: 'completed', attempt: 1 })
})

it('a new key works within a second, and one that is revoked stops within a second', TIMED, async () => {
  const made = await site.command(['keys', 'create', '--tenant', 'acme', '--name', 'new'])
  const secret = made.stdout.trim()
  expect((await server.call(secret, 'GET', '/exports')).status).toBe(200)
  const list = await site.command(['keys', 'list', '--tenant', 'acme'])
  expect(list).toMatchObject({ code: 0, stderr: '' })
  const id = secret.split('_')[2] ?? ''
  expect(list.stdout).toContain(id)
  expect(list.stdout).not.toContain(secret)
  expect(await site.command(['keys', 'revoke', id])).toMatchObject({ code: 0 })
  await expect.poll(async () => (await server.call(secret, 'GET', '/exports')).status, { timeout: 1_000, interval: 20 }).toBe(401)
  expect((await server.call(key, 'GET', '/exports')).status).toBe(200)
})

it('a one-off export and a look at the migrations work beside a server that exports', async () => {
  const id = await create(server, key, LONG)
  await until(server, key, id, ({ status }) => status === 'in_progress', { everyMs: 5 })
  const [exported, migrations] = await Promise.all([
    site.command(['export', '--resource', 'orders', '--output', 'orders.csv']),
    site.command(['migrate', '--status']),
  ])
  expect(exported).toMatchObject({ code: 0 })
  // On the command line no tenant narrows the rows.
  expect((await readFile(join(site.folder, 'orders.csv'), 'utf8')).split('\n')).toHaveLength(2 * ORDERS + 2)
  expect(migrations).toMatchObject({ code: 0, stderr: '' })
  expect(migrations.stdout).not.toContain('not applied')
  expect(await server.call(key, 'POST', `/exports/${id}/cancel`)).toMatchObject({ status: 200 })
})

it('the one export of a tenant does not wait for the thirty of another', { timeout: 60_000 }, async () => {
  // Both slots are taken while all are asked for.
  const busy = await Promise.all([create(server, key, LONG), create(server, key, LONG)])
  for (const id of busy) await until(server, key, id, ({ status }) => status === 'in_progress', { everyMs: 5 })
  const theirs: string[] = []
  for (let n = 0; n < 30; n += 1) theirs.push(await create(server, key, { resource: 'orders' }))
  const own = await create(server, other, { resource: 'orders' })

  const position = async (as: string, id: string): Promise<number | null> => (await shown(server, as, id)).queue_position
  expect(await position(other, own)).toBeLessThanOrEqual(1)
  const positions = [await position(key, theirs.at(-1) ?? '')]
  expect(positions).toEqual([30])
  for (const id of busy) await server.call(key, 'POST', `/exports/${id}/cancel`)
  const done = await ended(server, other, own)
  expect(done.status).toBe('completed')
  while (positions.at(-1) !== null) {
    positions.push(await position(key, theirs.at(-1) ?? ''))
    await setTimeout(20)
  }
  const told = positions.filter((at) => at !== null)
  expect(told).toEqual(told.toSorted((a, b) => b - a))
  expect(new Set(told).size).toBeGreaterThan(5)
  const ends = await Promise.all(theirs.map((id) => ended(server, key, id)))
  const before = ends.filter(({ completed_at: at }) => at < done.completed_at)
  // Two run at once, and one may have had its turn before.
  expect(before.length).toBeLessThanOrEqual(3)
})

it('a server with nothing to do is down soon', async () => {
  const stopped = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - stopped).toBeLessThan(15_000)
})
