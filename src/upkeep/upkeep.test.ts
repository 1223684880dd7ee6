import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { at, claimed, completed, eventTypes, fault, found, jobId, newJob } from '../../test/contracts/sample-job.ts'
import { withDifferences } from '../../test/with-differences.ts'
import { createLocalStorage } from '../storage/local.ts'
import type { Storage } from '../storage/storage.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import type { UpkeepLog } from './log.ts'
import { runUpkeep, startUpkeep } from './upkeep.ts'

const NOW = at(100_000)
const MINUTES_AGO = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000)

let folder = ''
let store: Store
let storage: Storage
let logged: { level: string; message: string }[]
let log: UpkeepLog

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-upkeep-'))
  mkdirSync(join(folder, 'files'))
  store = await openSqliteStore(join(folder, 'freight.db'))
  await store.migrate()
  storage = createLocalStorage(join(folder, 'files'))
  logged = []
  const write = (level: string) => (_fields: unknown, message?: string) => {
    logged.push({ level, message: String(message) })
  }
  log = { info: write('info'), warn: write('warn'), error: write('error'), debug: write('debug') }
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

const round = (differences: Partial<Storage> = {}): Promise<void> =>
  runUpkeep(
    { store, storage: withDifferences(storage, differences), now: () => NOW, auditMs: 365 * 86_400_000, log },
    new AbortController().signal,
  )

async function put(key: string, modifiedAt: Date): Promise<void> {
  const path = join(folder, 'files', key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'id\n1\n')
  await utimes(path, modifiedAt, modifiedAt)
}

function keys(): string[] {
  const entries = readdirSync(join(folder, 'files'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'files').length + 1)).sort()
}

describe('expired files', () => {
  it('lose their bytes once their time has come, while the job stays and says so', async () => {
    await completed(store, 1, MINUTES_AGO(0))
    await completed(store, 2, new Date(NOW.getTime() + 1))
    await put(`${jobId(1)}/1/orders.csv`, MINUTES_AGO(1))
    await put(`${jobId(2)}/1/orders.csv`, MINUTES_AGO(1))
    await round()
    await round()
    expect(keys()).toEqual([`${jobId(2)}/1/orders.csv`])
    expect(found(await store.find(jobId(1)))).toMatchObject({ status: 'completed', filesRemovedAt: NOW })
    expect(await eventTypes(store, jobId(1))).toEqual(['created', 'started', 'completed', 'expired'])
    expect(found(await store.find(jobId(2))).filesRemovedAt).toBeNull()
  })

  it('that cannot be removed are logged and tried again, and do not hold up more than a hundred others', async () => {
    for (let number = 1; number <= 105; number += 1) await completed(store, number, at(number + 10))
    const resisting = new Set([1, 2, 3].map(jobId))
    await round({
      remove: async (key) => {
        if (resisting.has(key)) throw new Error('held')
        await storage.remove(key)
      },
    })
    expect((await store.expired(NOW, 1_000)).map((job) => job.id)).toEqual([...resisting])
    expect(logged.filter((entry) => entry.level === 'warn')).toHaveLength(3)
    await round()
    expect(await store.expired(NOW, 1_000)).toEqual([])
  })
})

describe('orphans', () => {
  it('are the files of unknown jobs and of dead runs, after ten minutes', async () => {
    const retried = await claimed(store, 1)
    await store.retry(retried.id, 1, fault, at(3), at(3))
    await store.claim(retried.id, at(4))
    await completed(store, 2, at(200_000))
    const failed = await claimed(store, 3)
    await store.fail(failed.id, 1, fault, [], at(5))
    const interrupted = await claimed(store, 4)
    await store.interrupt('acme', interrupted.id, at(5))
    for (const number of [1, 2, 3, 4, 9]) {
      await put(`${jobId(number)}/1/old.csv`, MINUTES_AGO(10))
      await put(`${jobId(number)}/1/young.csv`, MINUTES_AGO(9))
    }
    await put(`${jobId(1)}/2/running.csv`, MINUTES_AGO(600))
    await put(`${jobId(9)}/1/.writing-0123456789ab-unfinished.csv`, MINUTES_AGO(10))
    await round()
    expect(keys()).toEqual(
      [
        `${jobId(1)}/1/young.csv`,
        `${jobId(1)}/2/running.csv`,
        `${jobId(2)}/1/old.csv`,
        `${jobId(2)}/1/young.csv`,
        `${jobId(3)}/1/young.csv`,
        `${jobId(4)}/1/young.csv`,
        `${jobId(9)}/1/young.csv`,
      ].sort(),
    )
  })

  it('include unfinished writes of dead runs, but nothing of the run that is writing now', async () => {
    const job = await claimed(store, 1)
    await store.giveBack(job.id, 1, at(3))
    await store.claim(job.id, at(4))
    await put(`${job.id}/1/.writing-0123456789ab-orders.csv`, MINUTES_AGO(11))
    await put(`${job.id}/2/.writing-0123456789ab-orders.csv`, MINUTES_AGO(11))
    await round()
    expect(keys()).toEqual([`${job.id}/2/.writing-0123456789ab-orders.csv`])
  })

  it('of a completed job never include what its own run wrote, whole or not', async () => {
    const job = await completed(store, 1, at(200_000))
    await put(`${job.id}/1/orders.csv`, MINUTES_AGO(60))
    await put(`${job.id}/1/.writing-0123456789ab-orders.csv`, MINUTES_AGO(60))
    await round()
    expect(keys()).toHaveLength(2)
  })

  it('are removed when they came back after their job had expired', async () => {
    await completed(store, 1, at(50))
    await round()
    await put(`${jobId(1)}/1/orders.csv`, MINUTES_AGO(60))
    await round()
    expect(keys()).toEqual([])
  })

  it('of a run that a restored backup does not know yet are kept while the job may still run', async () => {
    await store.create(newJob(1), null)
    await store.create(newJob(2), null)
    await store.cancel('acme', jobId(2), at(3))
    await put(`${jobId(1)}/1/orders.csv`, MINUTES_AGO(60))
    await put(`${jobId(2)}/1/orders.csv`, MINUTES_AGO(60))
    await round()
    expect(keys()).toEqual([`${jobId(1)}/1/orders.csv`])
  })

  it('are never what does not look like a file of Freight', async () => {
    const strangers = [
      'notes.txt',
      'backup/1/orders.csv',
      `${jobId(9)}/orders.csv`,
      `${jobId(9)}/0/orders.csv`,
      `${jobId(9)}/1/deep/orders.csv`,
      `${jobId(9).toUpperCase().replace('7000', 'A000')}/1/orders.csv`,
    ]
    for (const key of strangers) await put(key, MINUTES_AGO(60))
    await round()
    expect(keys()).toEqual([...strangers].sort())
  })
})

describe('a round of upkeep', () => {
  it('goes on with the other steps when one fails, and logs which', async () => {
    await store.create(newJob(1), { key: 'k', fingerprint: 'f', expiresAt: at(10) })
    await completed(store, 2, at(50))
    await round({
      list: () => {
        throw new Error('unreachable')
      },
    })
    expect(logged.filter((entry) => entry.level === 'error')).toHaveLength(1)
    expect(found(await store.find(jobId(2))).filesRemovedAt).toEqual(NOW)
    expect((await store.create(newJob(3), { key: 'k', fingerprint: 'f', expiresAt: at(99) })).created).toBe(true)
  })

  it('runs at start and every minute after the last has ended, until stopped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let rounds = 0
    let finish = (): void => {}
    const slow: Store = Object.assign(Object.create(store) as Store, {
      pruneIdempotency: () => {
        rounds += 1
        return new Promise<void>((resolve) => {
          finish = resolve
        })
      },
    })
    const upkeep = startUpkeep({ store: slow, storage, now: () => NOW, auditMs: 365 * 86_400_000, log })
    await until(() => rounds === 1)
    await vi.advanceTimersByTimeAsync(120_000)
    expect(rounds).toBe(1)
    finish()
    await until(() => vi.getTimerCount() === 1)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    await until(() => rounds === 2)
    const stopped = upkeep.stop()
    finish()
    await stopped
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it('stops in the middle when asked to', async () => {
    for (let number = 1; number <= 20; number += 1) await completed(store, number, at(50))
    const removed: string[] = []
    const upkeep = startUpkeep({
      store,
      auditMs: 365 * 86_400_000,
      storage: withDifferences(storage, {
        remove: async (key) => {
          removed.push(key)
          if (removed.length === 3) void upkeep.stop()
        },
      }),
      now: () => NOW,
      log,
    })
    await until(() => removed.length === 3)
    await upkeep.stop()
    expect(removed).toHaveLength(3)
  })
})

/** `vi.waitUntil` would let the faked time pass. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
