/** The thread in which a reader runs. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import type { FromHost, ToHost } from './protocol.ts'
import { Reader } from './reader.ts'
import type { ThreadData } from './thread-host.ts'

if (isMainThread || !parentPort) throw new Error('reader-thread is started by its source only')
const port = parentPort
const { options, flags } = workerData as ThreadData

const reader = new Reader(options, flags, (message: FromHost) => {
  if (message.kind === 'batch') port.postMessage(message, [message.bytes.buffer])
  else port.postMessage(message)
})
port.on('message', (message: ToHost) => reader.hear(message))
