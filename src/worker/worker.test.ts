/** What a worker does with claims and ends that do not go smoothly, on a real store, queue and storage; only the runs are made up. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventTypes, jobId, newJob } from '../../test/contracts/sample-job.ts'
import { resolveConfig } from '../config.ts'
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import { isActive } from '../job/transitions.ts'
import { createLocalQueue } from '../queue/local-queue.ts'
import type { Queue } from '../queue/queue.ts'
import { createLocalStorage } from '../storage/local.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { RunStore, Store } from '../store/store.ts'
import type { RunThreads } from './run-threads.ts'
import { createWorker, type ExportWorker } from './worker.ts'

const ID = jobId(1)
const TENANT = newJob(1).tenant
const now = (): Date => new Date()
const busy = (): never => {
  throw new FreightError('STORE_BUSY', 'held by another process')
}

let folder: string
let store: Store
let queue: Queue
let worker: ExportWorker | null
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-worker-'))
  store = await openSqliteStore(join(folder, 'freight.db'))
  await store.migrate()
  await store.create(newJob(1), null)
  queue = createLocalQueue({ slots: 1, now: () => Date.now() })
  worker = null
})
afterEach(async () => {
  await worker?.drain()
  await store.close()
  await rm(folder, { recursive: true })
})

/** The store as a run sees it, with some of its writes going another way first. */
function runStore(other: Partial<RunStore>): RunStore {
  return {
    claim: (...args) => store.claim(...args),
    setSession: (...args) => store.setSession(...args),
    progress: (...args) => store.progress(...args),
    files: (...args) => store.files(...args),
    complete: (...args) => store.complete(...args),
    fail: (...args) => store.fail(...args),
    retry: (...args) => store.retry(...args),
    giveBack: (...args) => store.giveBack(...args),
    pending: () => store.pending(),
    inProgress: () => store.inProgress(),
    ...other,
  }
}

async function work(runs: RunThreads['run'], other: Partial<RunStore> = {}): Promise<void> {
  const config = resolveConfig({ source: 'sqlite:team.db', resources: { orders: { tenant: 'shared' } } }, folder, {})
  worker = createWorker({
    config: { ...config, drainMs: 20 },
    store: runStore(other),
    queue,
    storage: createLocalStorage(join(folder, 'files')),
    threads: { run: runs, close: async () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    now,
    random: () => 0,
    observe: () => {},
    endSession: async () => {},
    refusal: async () => null,
  })
  await worker.start()
}

async function until(wanted: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = await store.get(TENANT, ID)
    if (job && wanted(job)) return job
    await store.changed(ID, 50, new AbortController().signal)
  }
}

const ended = (): Promise<Job> => until(({ status }) => !isActive(status))

/** A run that lasts until it is stopped. */
const untilStopped: RunThreads['run'] = (_input, _handlers, signal) =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(new FreightError('ABORTED', 'The run was stopped.'))
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
/** A run whose source has changed: it fails for good. */
const failing: RunThreads['run'] = async () => {
  throw new FreightError('SOURCE_CHANGED', 'gone')
}

it('a claim that the store refuses for the moment is made when it can be', async () => {
  let refusals = 1
  await work(failing, {
    claim: async (...args) => {
      refusals -= 1
      return refusals >= 0 ? busy() : store.claim(...args)
    },
  })
  expect(await ended()).toMatchObject({ status: 'failed', run: 1 })
})

it('the end of a run is recorded once the store can be written, also after it was full', async () => {
  let refusals = 1
  await work(failing, {
    fail: async (...args) => {
      refusals -= 1
      if (refusals >= 0) throw new FreightError('STORAGE_FULL', 'no space')
      return store.fail(...args)
    },
  })
  expect(await ended()).toMatchObject({ status: 'failed', run: 1 })
})

it('an export that is interrupted and started again while it is being claimed runs all the same', async () => {
  let claims = 0
  await work((...run) => (claims > 1 ? failing(...run) : untilStopped(...run)), {
    claim: async (...args) => {
      claims += 1
      if (claims === 1) {
        await store.interrupt(TENANT, ID, now())
        queue.drop(ID)
        await store.start(TENANT, ID, now())
        queue.add({ id: ID, tenant: TENANT, availableAt: null })
      }
      return store.claim(...args)
    },
  })
  expect(await until(({ status }) => status === 'failed')).toMatchObject({ run: 2, failures: 1 })
})

it('an interrupted run leaves the job as its caller has put it', async () => {
  await work(async (...run) => {
    await store.interrupt(TENANT, ID, now())
    queue.drop(ID)
    return untilStopped(...run)
  })
  expect(await ended()).toMatchObject({ status: 'interrupted', run: 1 })
  await worker?.drain()
  expect(await eventTypes(store, ID)).toEqual(['created', 'started', 'interrupted'])
})

it('a run that a drain ends goes back without a failure, and a claim that cannot be made then is left', async () => {
  await work(untilStopped)
  await until(({ status }) => status === 'in_progress')
  await worker?.drain()
  expect(await store.get(TENANT, ID)).toMatchObject({ status: 'pending', run: 1, failures: 0 })
  expect(await eventTypes(store, ID)).toEqual(['created', 'started', 'returned'])
  queue = createLocalQueue({ slots: 1, now: () => Date.now() })
  await work(untilStopped, { claim: async () => busy() })
  await worker?.drain()
  expect(await store.get(TENANT, ID)).toMatchObject({ status: 'pending', run: 1 })
})
