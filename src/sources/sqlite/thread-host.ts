/** A reader in a worker thread: batches change hands without being copied, and shared memory stops a running statement. */
import { Worker } from 'node:worker_threads'
import { type Host, type HostListener, runnable } from './host.ts'
import { type FromHost, type HostOptions, READINGS, STOP, type ToHost } from './protocol.ts'

export interface ThreadData {
  readonly options: HostOptions
  readonly flags: Int32Array
}

/** A statement hears the flag within 1,024 rows; a thread that does not answer by then is ended the hard way. */
const FAREWELL_MS = 1_000
/**
 * Ending a thread while it loads its database driver can abort the whole process (better-sqlite3 13, Node 24), so one that has
 * said nothing yet is given time to get that far on a busy machine.
 */
const LOADING_MS = 30_000
/** No conversation uses it. */
const FAREWELL_ID = 0

export function startThread(options: HostOptions, listener: HostListener): Host {
  const flags = new Int32Array(new SharedArrayBuffer(8))
  const data: ThreadData = { options, flags }
  // The reader makes few objects; a small heap keeps its garbage from counting as memory of the export.
  const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 }
  const worker = new Worker(runnable('reader-thread'), { workerData: data, resourceLimits, stdin: false })
  let isEnding = false
  let hasSpoken = false
  let closed: (() => void) | null = null
  const died = (cause: Error): void => {
    if (isEnding) return
    isEnding = true
    listener.died(cause)
  }
  worker.on('message', (message: FromHost) => {
    hasSpoken = true
    if (!closed) listener.heard(message)
    else if (message.kind === 'answer' && message.id === FAREWELL_ID) closed()
  })
  worker.on('error', died)
  let hasEnded = false
  worker.on('exit', (code) => {
    hasEnded = true
    died(new Error(`the reader thread ended with exit code ${code}`))
  })
  return {
    post(message) {
      if (message.kind === 'read') Atomics.add(flags, READINGS, 1)
      worker.postMessage(message)
    },
    interrupt() {
      Atomics.store(flags, STOP, 1)
    },
    async end() {
      isEnding = true
      if (hasEnded) return
      Atomics.store(flags, STOP, 1)
      await farewell(worker, hasSpoken ? FAREWELL_MS : LOADING_MS, (done) => {
        closed = done
      })
      await worker.terminate()
    },
    hold: () => worker.ref(),
    release: () => worker.unref(),
  }
}

/** Lets the thread close its database itself: a copy that is half made is removed that way. */
async function farewell(worker: Worker, ms: number, onMessage: (done: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const last: ToHost = { kind: 'ask', id: FAREWELL_ID, question: { ask: 'close' } }
  worker.once('exit', resolve)
  onMessage(resolve)
  worker.postMessage(last)
  await promise
  clearTimeout(timer)
}
