/** The sender on a real store, against real receivers that misbehave. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { at, jobId, newJob } from '../../test/contracts/sample-job.ts'
import { type Receiver, startReceiver, status } from '../../test/webhook-receiver.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import { type Patience, retryAfterMs, usualPatience } from './patience.ts'
import { type Sender, startSender } from './sender.ts'

const CANARY = 'canary-in-an-address'
const quick: Patience = {
  answerMs: 30_000,
  attempts: 11,
  delayMs: (failures) => failures * 20,
  longestMs: 60_000,
  restAfter: 1_000,
  restMs: 0,
  lookMs: 10,
  stopMs: 100,
}

let folder: string
let store: Store
/** By the webhook's name; each is told of everything. */
let receivers: Record<string, Receiver>
let senders: Sender[]
let logged: string[]
/** Added to the time. */
let later: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-webhooks-'))
  receivers = {}
  senders = []
  logged = []
  later = 0
  store = await openSqliteStore(join(folder, 'freight.db'), (job, change) =>
    Object.keys(receivers).map((webhook) => ({ webhook, topic: change, document: { job: job.id } })),
  )
  await store.migrate()
})
afterEach(async () => {
  for (const sender of senders) await sender.stop()
  await store.close()
  for (const receiver of Object.values(receivers)) await receiver.close()
  await rm(folder, { recursive: true })
  expect(logged.join('\n')).not.toContain(CANARY)
})

async function receiver(name = 'hook'): Promise<Receiver> {
  const made = await startReceiver()
  receivers[name] = made
  return made
}

async function send(differences: Partial<Patience> = {}): Promise<Sender> {
  const log =
    (level: string) =>
    (...said: unknown[]): void => {
      logged.push(`${level} ${said.map((each) => JSON.stringify(each)).join(' ')}`)
    }
  const sender = await startSender({
    store,
    webhooks: Object.entries(receivers).map(([name, { url }]) => ({
      name,
      url: `${url}/${CANARY}?key=${CANARY}`,
      message: async ({ topic, document }) => ({
        headers: { 'content-type': 'text/plain' },
        body: JSON.stringify([topic, document]),
      }),
    })),
    patience: { ...quick, ...differences },
    now: () => new Date(Date.now() + later),
    log: { debug: log('debug'), warn: log('warn'), error: log('error') },
  })
  senders.push(sender)
  return sender
}

const idsOf = ({ received }: Receiver) => received.map(({ headers }) => headers['webhook-id'])
const toldOf = ({ received }: Receiver) => received.map(({ body }) => JSON.parse(body.toString()) as [string, { job: string }])
const count = (of: Receiver) => expect.poll(() => of.received.length, { timeout: 30_000, interval: 5 })
/** Notices that are left, claimed or not. */
function left(webhook = 'hook'): unknown {
  const records = new Database(join(folder, 'freight.db'), { readonly: true })
  try {
    return records.prepare('select count(*) from notices where webhook = ?').pluck().get(webhook)
  } finally {
    records.close()
  }
}
const allTold = (webhook = 'hook') => expect.poll(() => left(webhook), { timeout: 30_000, interval: 20 }).toBe(0)

it('a notice that is refused three times is sent again under its id, later each time, until it is taken', async () => {
  const hook = await receiver()
  hook.answer = (each, response) => status(hook.received.length < 4 ? 500 : 204)(each, response)
  await store.create(newJob(1), null)
  await send()
  await count(hook).toBe(4)
  const [first] = idsOf(hook)
  expect(first).toMatch(/^[0-9a-f-]{36}$/)
  expect(new Set(idsOf(hook)).size).toBe(1)
  for (const [index, { at: when, headers, path }] of hook.received.entries()) {
    const before = hook.received[index - 1]?.at ?? 0
    expect(when - before).toBeGreaterThanOrEqual(quick.delayMs(index))
    expect(Math.abs(Number(headers['webhook-timestamp']) * 1000 - when)).toBeLessThan(20_000)
    expect(path).toBe(`/${CANARY}?key=${CANARY}`)
  }
  await allTold()
  expect(hook.received).toHaveLength(4)
})

it('receivers that do not answer, break off, drip, redirect or ask for patience are tried again, and lead nowhere', async () => {
  const [sink, hangs, drips, resets, redirects, busy] = [
    await startReceiver(),
    await receiver('hangs'),
    await receiver('drips'),
    await receiver('resets'),
    await receiver('redirects'),
    await receiver('busy'),
  ]
  hangs.answer = () => {}
  drips.answer = async ({ socket }) => {
    for (let sent = 0; !socket.destroyed; sent += 1) {
      socket.write(sent === 0 ? 'HTTP/1.1 200 OK\r\n' : `x-${sent}: y\r\n`)
      await setTimeout(20)
    }
  }
  resets.answer = ({ socket }) => socket.resetAndDestroy()
  const places = [301, 302, 303, 307, 308]
  redirects.answer = (each, response) =>
    status(places[redirects.received.length - 1] ?? 302, { location: sink.url })(each, response)
  busy.answer = status(429, { 'retry-after': '1' })
  await store.create(newJob(1), null)
  await send({ answerMs: 300, attempts: 10_000 })
  for (const each of [hangs, drips, resets, busy]) await count(each).toBeGreaterThan(1)
  await count(redirects).toBeGreaterThan(places.length)
  const [one, two] = busy.received
  expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
  for (const [name, each] of Object.entries(receivers)) {
    expect(left(name), name).toBe(1)
    expect(new Set(idsOf(each)).size, name).toBe(1)
    each.answer = status(200)
  }
  await store.recallNotices(new Date())
  for (const name of Object.keys(receivers)) await allTold(name)
  expect(sink.connections()).toBe(0)
  await sink.close()
})

it('of an answer only the head counts, however long or slow the rest is', async () => {
  const [long, slow] = [await receiver('long'), await receiver('slow')]
  let written = 0
  long.answer = async (_received, response) => {
    response.writeHead(200)
    const chunk = Buffer.alloc(65_536)
    for (let sent = 0; sent < 1_024 && !response.destroyed; sent += 1) {
      if (!response.write(chunk)) await setTimeout(5)
      written = response.socket?.bytesWritten ?? written
    }
    response.end()
  }
  slow.answer = async (_received, response) => {
    response.writeHead(200)
    while (!response.destroyed) {
      response.write('.')
      await setTimeout(20)
    }
  }
  await store.create(newJob(1), null)
  await send()
  for (const name of ['long', 'slow']) await allTold(name)
  expect([long.received.length, slow.received.length]).toEqual([1, 1])
  // What fits into the buffers of a connection that nobody reads.
  expect(written).toBeLessThan(32 * 1024 * 1024)
})

it('a receiver that is gone (410) is left alone until the next start, and the others are told', async () => {
  const [gone, other] = [await receiver('gone'), await receiver('other')]
  gone.answer = status(410)
  await store.create(newJob(1), null)
  const sender = await send()
  await count(gone).toBe(1)
  await allTold('other')
  for (const number of [2, 3]) await store.create(newJob(number), null)
  await count(other).toBe(3)
  expect(gone.received).toHaveLength(1)
  expect(logged.filter((line) => line.startsWith('error'))).toEqual([expect.stringContaining('webhook is gone')])
  await sender.stop()
  gone.answer = status(200)
  await send()
  await count(gone).toBe(3)
  expect(toldOf(gone).map(([, { job }]) => job)).toEqual([1, 2, 3].map(jobId))
})

it('of each job notices come in order, and neither another job nor another webhook waits for one that is not taken', async () => {
  const [hook, other] = [await receiver(), await receiver('other')]
  let isUp = false
  hook.answer = (each, response) => status(!isUp && each.body.includes(jobId(1)) ? 503 : 200)(each, response)
  for (const number of [1, 2]) await store.create(newJob(number), null)
  for (const number of [1, 2]) await store.claim(jobId(number), at(5))
  await send()
  await count(other).toBe(4)
  await expect
    .poll(() =>
      toldOf(hook)
        .filter(([, { job }]) => job === jobId(2))
        .map(([topic]) => topic),
    )
    .toEqual(['created', 'started'])
  expect(
    toldOf(hook)
      .filter(([, { job }]) => job === jobId(1))
      .every(([topic]) => topic === 'created'),
  ).toBe(true)
  isUp = true
  await store.recallNotices(new Date())
  await allTold()
  expect(toldOf(hook).at(-2)).toEqual(['created', { job: jobId(1) }])
  expect(toldOf(hook).at(-1)).toEqual(['started', { job: jobId(1) }])
})

it('a notice that is never taken is given up after its attempts, with a word in the log, and the next one of its job follows', async () => {
  const hook = await receiver()
  hook.answer = (each, response) => status(each.body.includes('created') ? 500 : 200)(each, response)
  await store.create(newJob(1), null)
  await store.claim(jobId(1), at(5))
  await send({ attempts: 3 })
  await allTold()
  expect(toldOf(hook).map(([topic]) => topic)).toEqual(['created', 'created', 'created', 'started'])
  expect(logged.filter((line) => line.startsWith('error'))).toEqual([
    expect.stringMatching(/"webhook":"hook".*"attempt":3.*HTTP 500.*given up/),
  ])
})

it('a receiver that failed many times in a row is tried once in a while, and as usual after it has taken one', async () => {
  const [hook, other] = [await receiver(), await receiver('other')]
  hook.answer = status(500)
  for (let number = 1; number <= 6; number += 1) await store.create(newJob(number), null)
  await send({ restAfter: 5, restMs: 3_600_000, delayMs: () => 0 })
  await count(hook).toBeGreaterThanOrEqual(5)
  await count(other).toBe(6)
  await store.create(newJob(7), null)
  await count(other).toBe(7)
  await setTimeout(200)
  // However much is due: only those that were on their way when it was noticed were tried to their end.
  expect(hook.received.length).toBeLessThanOrEqual(8)
  hook.answer = status(200)
  later = 3_700_000
  await allTold()
  expect(new Set(idsOf(hook)).size).toBe(7)
})

it('a stop breaks off what is under way without counting it, and the next start sends it under the same id', async () => {
  const hook = await receiver()
  hook.answer = () => {}
  await store.create(newJob(1), null)
  const sender = await send()
  await count(hook).toBe(1)
  await sender.stop()
  const now = new Date()
  expect(await store.claimNotices('hook', { now, until: now, limit: 9 })).toMatchObject([{ attempts: 1 }])
  hook.answer = status(200)
  await send()
  await count(hook).toBe(2)
  expect(new Set(idsOf(hook)).size).toBe(1)
})

it('attempts are spread over one and a half to two hours, and Retry-After is read as seconds or a date', () => {
  for (const random of [0, 1]) {
    const { attempts, delayMs } = usualPatience(() => random)
    const delays = Array.from({ length: attempts - 1 }, (_, index) => delayMs(index + 1))
    const hours = delays.reduce((sum, delay) => sum + delay, 0) / 3_600_000
    expect(hours).toBeGreaterThan(1.4)
    expect(hours).toBeLessThan(2)
    expect(delays[0]).toBeLessThan(7_001)
  }
  const now = new Date('2026-03-01T12:00:00Z')
  const cases = { 5: 5_000, 0: 0, 'Sun, 01 Mar 2026 12:00:30 GMT': 30_000, 'Sun, 01 Mar 2026 11:00:00 GMT': 0, soon: null }
  for (const [header, wanted] of Object.entries(cases)) expect(retryAfterMs(header, now), header).toBe(wanted)
  expect(retryAfterMs(null, now)).toBeNull()
})
