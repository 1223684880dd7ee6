/**
 * A reader in a process of its own, for views: what a view sorts or counts inside cannot hear the tick, and only the end of its
 * process stops it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { FrameReader } from './frames.ts'
import { type Host, type HostListener, runnable } from './host.ts'
import type { HostOptions, ToHost } from './protocol.ts'

/** The descriptor of the pipe for frames; whatever else writes to standard output must not end up among them. */
export const FRAMES_FD = 3

export function startProcess(options: HostOptions, listener: HostListener): Host {
  const child = spawn(process.execPath, [fileURLToPath(runnable('reader-process'))], {
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    // Nothing of the service's own environment, which holds its secrets; only where compiled modules lie.
    env: { SQLITE_TMPDIR: options.tempDir, NODE_COMPILE_CACHE: getCompileCacheDir() },
    // A process group of its own: Ctrl-C and a service manager signal the whole group, and a draining server still needs this one.
    // It ends by itself when its standard input closes.
    detached: true,
  })
  let isEnding = false
  const died = (cause: Error): void => {
    if (isEnding) return
    isEnding = true
    listener.died(cause)
  }
  const frames = new FrameReader((message) => {
    if (!isEnding) listener.heard(message)
  })
  const pipe = child.stdio[FRAMES_FD] as Readable
  pipe.on('data', (chunk: Uint8Array) => frames.add(chunk))
  pipe.on('error', died)
  // A write to a process that has just died fails; its exit tells the same.
  child.stdin?.on('error', () => {})
  child.on('error', died)
  const gone = once(child, 'close').catch(() => {})
  child.on('close', (code, signal) => died(new Error(`the reader process ended (${signal ?? `exit code ${code}`})`)))
  const say = (line: HostOptions | ToHost): void => {
    child.stdin?.write(`${JSON.stringify(line)}\n`)
  }
  const kill = (): void => {
    isEnding = true
    // Reading only, and nothing on disk that has a name: there is nothing to clean up.
    child.kill('SIGKILL')
  }
  say(options)
  return {
    post: say,
    interrupt: kill,
    async end() {
      // Whoever waits for the end must live to see it.
      child.ref()
      kill()
      if (child.pid !== undefined) await gone
    },
    hold: () => child.ref(),
    release: () => child.unref(),
  }
}
