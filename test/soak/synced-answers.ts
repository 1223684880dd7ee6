/**
 * Whether each 201 left only after its record was on the disk: kill -9 keeps the page cache and cannot tell, the system calls can.
 * Needs `strace` and the right to attach to a process.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Server, type Site, startServer } from '../rig.ts'

const REQUEST = /\bread\(\d+<[^>]*>, "POST \/exports/
const SYNCED = /\b(?:fsync|fdatasync)\(\d+<[^>]*freight\.db(?:-wal)?>\)\s*= 0/
const ANSWER = /\b(?:write|writev|sendto)\(.*"HTTP\/1\.1 201/

/** Answers, and those of them with a sync of the job store since their request; null where strace cannot be used. */
export async function syncedAnswers(
  site: Site,
  key: string,
  requests: number,
): Promise<{ answers: number; synced: number } | null> {
  const server = await startServer(site)
  try {
    const trace = join(site.folder, 'trace')
    const calls = 'trace=read,write,writev,sendto,fsync,fdatasync'
    const strace = spawn('strace', ['-f', '-y', '-s', '24', '-e', calls, '-o', trace, '-p', String(server.pid)], {
      stdio: 'pipe',
    })
    const attached = await Promise.race([
      once(strace, 'error').then(() => false),
      once(strace, 'exit').then(() => false),
      once(strace.stderr, 'data').then(([text]) => /attached/.test(String(text))),
    ])
    if (!attached) return null
    await posts(server, key, requests)
    strace.kill('SIGINT')
    await once(strace, 'exit')
    return judge(await readFile(trace, 'utf8'))
  } finally {
    await server.kill()
  }
}

/** One after the other, with time for the run of each, whose own syncs must not be taken for that of the next. */
async function posts(server: Server, key: string, requests: number): Promise<void> {
  for (let sent = 0; sent < requests; sent += 1) {
    await server.call(key, 'POST', '/exports', { resource: 'orders' })
    await setTimeout(500)
  }
}

function judge(trace: string): { answers: number; synced: number } {
  let answers = 0
  let synced = 0
  let isSynced = false
  for (const line of trace.split('\n')) {
    if (REQUEST.test(line)) isSynced = false
    else if (SYNCED.test(line)) isSynced = true
    else if (ANSWER.test(line)) {
      answers += 1
      if (isSynced) synced += 1
    }
  }
  return { answers, synced }
}
