/** The thread that writes into the pipe that DuckDB reads. It waits as long as DuckDB does something else; nobody else has to. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { Filled, Written } from './messages.ts'

const port = parentPort
if (!port) throw new Error('feed-thread.ts is started by feed.ts only')
const { fd } = workerData as { readonly fd: number }

port.on('message', ({ bytes, length }: Filled) => {
  port.postMessage({ bytes, fault: write(bytes, length) } satisfies Written)
})

/** What went wrong, if anything. */
function write(bytes: Uint8Array, length: number): string | null {
  try {
    for (let from = 0; from < length; ) from += writeSync(fd, bytes, from, length - from)
    return null
  } catch (thrown) {
    return String(thrown)
  }
}
