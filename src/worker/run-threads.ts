/** Keeps run threads started ahead (loading one takes 150 ms), hands each out for one run and replaces it. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Config } from '../config/resolved.ts'
import { FreightError } from '../job/errors.ts'
import { type PartsConfig, partsConfig } from '../parts.ts'
import { retire } from './retire.ts'
import type { RunInput, RunOutcome, RunProgress, WrittenFile } from './run.ts'
import type { FromRunThread, RunThreadData, ToRunThread } from './run-messages.ts'
import { DESCRIPTORS } from './thread-descriptors.ts'

/** An aborted run ends by itself within this, or its thread is ended. */
const ABORT_GRACE_MS = 1_500
/** How long a thread may be deaf when its run is over; one that has said nothing yet is starting, perhaps on a machine that is very busy. */
const DEAF_MS = 5_000
const STARTING_MS = 30_000

interface RunHandlers {
  progress(progress: RunProgress): void
  /** A file of a split part is whole. */
  file(file: WrittenFile): void
  /** Awaited before the first row is read. */
  session(session: string): Promise<void>
  /** What belongs in the log and nowhere else. */
  detail(text: string): void
}

export interface RunThreads {
  /** Rejects with a FreightError; aborting rejects with ABORTED once nothing of the run goes on any more. */
  run(input: RunInput, handlers: RunHandlers, signal: AbortSignal): Promise<RunOutcome>
  close(): Promise<void>
}

export function createRunThreads(config: Config & PartsConfig): RunThreads {
  const data: RunThreadData = { config: threadConfig(config) }
  const file = new URL(`./run-thread${extname(import.meta.url)}`, import.meta.url)
  const idle: Worker[] = []
  const started = new WeakSet<Worker>()
  const retiring = new Set<Promise<void>>()
  let closed = false

  const start = (): Worker => {
    const worker = new Worker(file, { workerData: data, name: 'freight-run', ...DESCRIPTORS })
    return worker.once('message', () => started.add(worker))
  }
  const refill = (): void => {
    while (!closed && idle.length < config.concurrency) {
      const worker = start()
      // A thread that dies while idle is dropped; the next run starts its own and meets the reason itself.
      const drop = (): void => {
        const at = idle.indexOf(worker)
        if (at >= 0) idle.splice(at, 1)
      }
      worker.once('error', drop)
      worker.once('exit', drop)
      idle.push(worker)
    }
  }
  const end = (worker: Worker): void => {
    const ending = retire(worker, started.has(worker) ? DEAF_MS : STARTING_MS).finally(() => retiring.delete(ending))
    retiring.add(ending)
  }
  refill()

  return {
    async run(input, handlers, signal) {
      const worker = idle.shift() ?? start()
      try {
        return await converse(worker, input, handlers, signal)
      } finally {
        end(worker)
        refill()
      }
    },
    async close() {
      closed = true
      for (const worker of idle.splice(0)) end(worker)
      await Promise.all(retiring)
    },
  }
}

function threadConfig(config: Config & PartsConfig): RunThreadData['config'] {
  const { delivery, secret, secretPrevious } = config
  return { ...partsConfig(config), delivery, secret, secretPrevious }
}

/** One run, from the order to the answer. Every way it can end goes through `settle`, once. */
function converse(worker: Worker, input: RunInput, handlers: RunHandlers, signal: AbortSignal): Promise<RunOutcome> {
  const send = (message: ToRunThread): void => worker.postMessage(message)
  const { promise, resolve, reject } = Promise.withResolvers<RunOutcome>()
  const ended = new AbortController()
  const fail = (error: unknown): void => {
    ended.abort()
    reject(error)
  }
  const stopped = (): void => fail(new FreightError('ABORTED', 'The run was stopped.'))
  const died = (cause: unknown): void =>
    fail(new FreightError('WORKER_DIED', 'The thread of this run ended unexpectedly.', { cause }))
  // The thread's own watchdog cannot fire when its event loop stands still.
  const silenceMs = input.noProgressMs * 1.5
  const silence = setTimeout(() => {
    fail(new FreightError('NO_PROGRESS', `The run's thread gave no sign for ${Math.round(silenceMs / 1000)} s; it was ended.`))
  }, silenceMs)
  const onMessage = (message: FromRunThread): void => {
    silence.refresh()
    if (message.type === 'progress') handlers.progress(message.progress)
    else if (message.type === 'file') handlers.file(message.file)
    else if (message.type === 'session') handlers.session(message.session).then(() => send({ type: 'session-stored' }), fail)
    else if (message.type === 'done') {
      ended.abort()
      resolve(message.outcome)
    } else if (message.type === 'failed') {
      if (message.detail) handlers.detail(message.detail)
      const details = message.entry ? { entry: message.entry } : {}
      fail(new FreightError(message.error.code, message.error.message, { details }))
    }
  }
  let grace: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    send({ type: 'abort' })
    grace = setTimeout(stopped, ABORT_GRACE_MS)
  }
  ended.signal.addEventListener('abort', () => {
    clearTimeout(silence)
    clearTimeout(grace)
    worker.off('message', onMessage).off('error', died).off('exit', died)
    signal.removeEventListener('abort', onAbort)
  })
  worker.on('message', onMessage).once('error', died).once('exit', died)
  signal.addEventListener('abort', onAbort, { once: true })
  send({ type: 'run', input })
  if (signal.aborted) onAbort()
  return promise
}
