/**
 * What the process of a reader of views does: a pump between its pipes and a reader thread. The pump stays awake while the thread is
 * inside a statement, so it sees when the source's process is gone, and ends with it.
 */
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { frame } from './frames.ts'
import type { Host } from './host.ts'
import { FRAMES_FD } from './process-host.ts'
import type { HostOptions, ToHost } from './protocol.ts'
import { startThread } from './thread-host.ts'

const pipe = new Socket({ fd: FRAMES_FD, readable: false })
// process.exit would wait for the thread's statement.
const leave = (): void => {
  process.kill(process.pid, 'SIGKILL')
}
pipe.on('error', leave)

let host: Host | null = null
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (host) {
    host.post(JSON.parse(line) as ToHost)
    return
  }
  host = startThread(JSON.parse(line) as HostOptions, {
    heard(message) {
      pipe.cork()
      for (const piece of frame(message)) pipe.write(piece)
      pipe.uncork()
    },
    died: leave,
  })
})
lines.on('close', leave)
