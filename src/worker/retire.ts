/**
 * Ends a thread. It is asked to end itself first: a thread that is ended by force while it loads its database driver takes the
 * whole process down with it (better-sqlite3 13, Node 24: "FATAL ERROR: Error::New napi_get_last_error_info", tried).
 */
import type { Worker } from 'node:worker_threads'

/** What `retire` sends; the thread closes what it holds, then ends with `process.exit()`. */
export interface CloseThread {
  readonly type: 'close'
}

/** Resolves when the thread is gone; after `ms` it is ended by force. Never rejects. */
export async function retire(worker: Worker, ms: number): Promise<void> {
  // Node's number of a thread that has ended.
  if (worker.threadId === -1) return
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  // Nobody waits for its answers any more; without a listener an error would end the process.
  worker.on('error', () => {})
  worker.once('exit', () => resolve())
  worker.postMessage({ type: 'close' } satisfies CloseThread)
  const timer = setTimeout(resolve, ms)
  await gone
  clearTimeout(timer)
  await worker.terminate()
}
