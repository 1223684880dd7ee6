/**
 * Ends a thread. It is asked to end itself first: a thread that is ended by force while it, or a thread of its own, loads the database
 * driver takes the whole process down with it (better-sqlite3 13, Node 24: "FATAL ERROR: Error::New napi_get_last_error_info", tried).
 * So force is for a thread that is deaf; one that has heard goes by itself, however busy the machine is.
 */
import type { Worker } from 'node:worker_threads'

/** What `retire` sends; the thread closes what it holds, then ends with `process.exit()`. */
export interface CloseThread {
  readonly type: 'close'
}

/** What the thread says to that at once, before it closes anything. */
export interface ThreadClosing {
  readonly type: 'closing'
}

/** More than a driver that still loads is waited for (30 s in the thread of a reader). */
const LEAVE_MS = 35_000

/** Resolves when the thread is gone. One that has not said within `ms` that it closes is ended by force. Never rejects. */
export async function retire(worker: Worker, ms: number): Promise<void> {
  // Node's number of a thread that has ended.
  if (worker.threadId === -1) return
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  // Nobody waits for its answers any more; without a listener an error would end the process.
  worker.on('error', () => {})
  worker.once('exit', () => resolve())
  let timer = setTimeout(resolve, ms)
  worker.on('message', ({ type }: Partial<ThreadClosing>) => {
    if (type !== 'closing') return
    clearTimeout(timer)
    timer = setTimeout(resolve, LEAVE_MS)
  })
  worker.postMessage({ type: 'close' } satisfies CloseThread)
  await gone
  clearTimeout(timer)
  await worker.terminate()
}
