/** SIGTERM: nothing new is begun, what is under way ends in order or goes back to the queue, and the process leaves with 0. */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { childrenOf, hasOpen } from '../process-group.ts'
import { create, download, ended, events, makeKey, type Server, type Site, shown, startServer, until } from '../rig.ts'
import { LONG, makeWarehouse, SECOND } from './warehouse.ts'

let site: Site
afterEach(() => site.remove())

const inProgress = (server: Server, key: string, id: string) =>
  until(server, key, id, ({ status }) => status === 'in_progress', { everyMs: 5 })

/** How often a run of this job has counted as a fault; no answer tells it. */
function failuresOf(id: string): unknown {
  const records = new Sqlite(join(site.dataDir, 'freight.db'), { readonly: true })
  try {
    return records.prepare('select failures from jobs where id = ?').pluck().get(id)
  } finally {
    records.close()
  }
}

async function types(server: Server, key: string, id: string): Promise<string[]> {
  return (await events(server, key, id)).map(({ type }) => type)
}

it('a stopping server begins nothing new, lets running exports and open requests end, and leaves with 0', {
  timeout: 60_000,
}, async () => {
  site = await makeWarehouse({ items: 400_000 })
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  const whole = await create(first, key, { resource: 'items' })
  await ended(first, key, whole)
  const running = await Promise.all([create(first, key, SECOND), create(first, key, SECOND)])
  const waiting = await create(first, key, { resource: 'orders' })
  for (const id of running) await inProgress(first, key, id)

  const patient = first.call(key, 'POST', '/exports', { resource: 'orders' }, { prefer: 'wait=30' })
  const stream = await fetch(`${first.url}/exports/${waiting}/events`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${key}` },
  })
  const link = (await first.call(key, 'GET', `/exports/${whole}/file`)).headers.get('location') ?? ''
  const file = await fetch(link)
  const { body: list } = await first.call(key, 'GET', '/exports')
  expect(list.data).toHaveLength(5)

  const exited = first.stop()
  await expect.poll(async () => (await fetch(`${first.url}/readyz`)).status, { timeout: 10_000, interval: 10 }).toBe(503)
  const refused = await first.call(key, 'POST', '/exports', { resource: 'orders' })
  expect(refused).toMatchObject({ status: 503, body: { code: 'SHUTTING_DOWN' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  // Callers still see how their exports come along.
  expect((await shown(first, key, running[0])).status).toBe('in_progress')

  // Begun before the signal, and read only now.
  const [bytes, answer, told] = await Promise.all([file.arrayBuffer(), patient, stream.text()])
  expect(bytes.byteLength).toBe(list.data.at(-1).manifest.files[0].bytes)
  expect(answer).toMatchObject({ status: 201, body: { status: 'pending', attempt: 0 } })
  expect(told).toContain('event: created')
  expect(await exited).toBe(0)
  const exitedAt = Date.now()

  const next = await startServer(site)
  const ends: number[] = []
  for (const id of running) {
    const end = await shown(next, key, id)
    expect(end).toMatchObject({ status: 'completed', attempt: 1 })
    expect((await download(next, key, id))?.byteLength).toBeGreaterThan(1_000)
    ends.push(Date.parse(end.completed_at ?? ''))
  }
  // Nothing held it up any longer: neither the stream nor the waiting request, whose ends are minutes away.
  expect(exitedAt - Math.max(...ends)).toBeLessThan(20_000)
  for (const id of [waiting, answer.body.id]) {
    expect(await ended(next, key, id)).toMatchObject({ status: 'completed', attempt: 1 })
    expect(await types(next, key, id)).toEqual(['created', 'started', 'completed'])
  }
})

it('what runs longer than the grace goes back to the queue without a failure', { timeout: 60_000 }, async () => {
  site = await makeWarehouse({ drainSeconds: 0.5 })
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  const ids = await Promise.all([create(first, key, LONG), create(first, key, LONG)])
  for (const id of ids) await inProgress(first, key, id)
  const stopped = performance.now()
  expect(await first.stop()).toBe(0)
  expect(performance.now() - stopped).toBeLessThan(20_000)
  expect(ids.map(failuresOf)).toEqual([0, 0])

  const next = await startServer(site)
  for (const id of ids) {
    expect(await inProgress(next, key, id)).toMatchObject({ attempt: 2, error: null })
    expect(await types(next, key, id)).toEqual(['created', 'started', 'returned', 'started'])
  }
})

it('a second SIGTERM ends the server at once, and its exports are taken up again', { timeout: 60_000 }, async () => {
  site = await makeWarehouse()
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  const id = await create(first, key, LONG)
  await inProgress(first, key, id)
  const exited = first.stop()
  await expect.poll(async () => (await fetch(`${first.url}/readyz`)).status, { timeout: 10_000, interval: 10 }).toBe(503)
  const again = performance.now()
  await first.stop()
  expect(await exited).toBe(143)
  expect(performance.now() - again).toBeLessThan(10_000)

  const next = await startServer(site)
  expect(await inProgress(next, key, id)).toMatchObject({ attempt: 2 })
  expect(failuresOf(id)).toBe(2)
})

it('a signal to every process of a server lets a view be read to its end, as a service manager sends it', {
  timeout: 60_000,
}, async () => {
  site = await makeWarehouse()
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  const id = await create(first, key, SECOND)
  await inProgress(first, key, id)
  // Before that it is still being started, and a signal then costs the attempt.
  const isReading = () => childrenOf(first.pid).some((pid) => hasOpen(pid, join(site.folder, 'warehouse.db')))
  await expect.poll(isReading, { timeout: 10_000, interval: 5 }).toBe(true)
  for (const pid of [first.pid, ...childrenOf(first.pid)]) process.kill(pid, 'SIGTERM')
  expect(await first.exited).toBe(0)
  const next = await startServer(site)
  expect(await ended(next, key, id)).toMatchObject({ status: 'completed', attempt: 1 })
})
