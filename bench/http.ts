/**
 * What the service adds to a run: a job through the HTTP API beside the one-shot command, a small job from POST to completed,
 * and the latency of status reads while two exports run.
 * Usage: node bench/http.ts [ROWS] [PAIRS]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { benchFolder, machine } from './machine.ts'
import { interleaved, type Measured, measure, median, percentile } from './measure.ts'
import { makeOrders } from './orders.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const pairs = Number(process.argv[3] ?? 5)
const folder = benchFolder()
const database = join(folder, `orders-${rows}.db`)
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
mkdirSync(folder, { recursive: true })
makeOrders(database, rows)

interface Server {
  readonly url: string
  readonly key: string
  readonly process: ChildProcess
}

async function startServer(): Promise<Server> {
  const dataDir = join(folder, 'data')
  rmSync(dataDir, { recursive: true, force: true })
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), dataDir, database], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (!child.stdout) throw new Error('the server has no stdout')
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), process: child }
  throw new Error('the server did not start')
}

interface Export {
  readonly id: string
  readonly status: string
}

async function call(server: Server, method: string, path: string, body?: object): Promise<Export> {
  const headers: Record<string, string> = { authorization: `Bearer ${server.key}` }
  if (body) headers['content-type'] = 'application/json'
  const response = await fetch(server.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  const answer = response.status === 204 ? {} : await response.json()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer as Export
}

async function completed(server: Server, created: Export, everyMs: number): Promise<Export> {
  let job = created
  while (job.status === 'pending' || job.status === 'in_progress') {
    await setTimeout(everyMs)
    job = await call(server, 'GET', `/exports/${created.id}`)
  }
  if (job.status !== 'completed') throw new Error(JSON.stringify(job))
  return job
}

async function throughApi(server: Server): Promise<Measured> {
  const started = performance.now()
  const job = await call(server, 'POST', '/exports', { resource: 'orders', format: 'csv' })
  await completed(server, job, 20)
  const wallSeconds = (performance.now() - started) / 1000
  await call(server, 'DELETE', `/exports/${job.id}`)
  return { wallSeconds, peakMib: 0, treePeakMib: 0 }
}

function oneShot(): Promise<Measured> {
  const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--format', 'csv']
  return measure({
    name: 'freight',
    file: process.execPath,
    args: [...args, '--force', '--output', join(folder, 'one-shot.csv')],
  })
}

/** Milliseconds from POST to completed, as a client sees it that asks every 5 ms. */
async function smallJobs(server: Server, count: number): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const started = performance.now()
    await completed(server, await call(server, 'POST', '/exports', { resource: 'orders', format: 'csv', limit: 1000 }), 5)
    times.push(performance.now() - started)
    await setTimeout(250)
  }
  return times
}

async function statusReads(server: Server, id: string, forMs: number): Promise<number[]> {
  const times: number[] = []
  const until = performance.now() + forMs
  while (performance.now() < until) {
    const started = performance.now()
    await call(server, 'GET', `/exports/${id}`)
    times.push(performance.now() - started)
    await setTimeout(10)
  }
  return times
}

console.log(`${machine()}; ${rows} rows of 13 columns\n\n| what | measured | goal |\n|---|---|---|`)
const server = await startServer()
try {
  const { ratio, ours, theirs } = await interleaved(() => throughApi(server), oneShot, pairs)
  const wall = (runs: Measured[]): string => `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`
  console.log(`| job through the API / one-shot command, CSV | ${wall(ours)} / ${wall(theirs)} = ${ratio.toFixed(2)} | <= 1.15 |`)
  const small = await smallJobs(server, 21)
  console.log(
    `| 1,000-row job, POST to completed | median ${median(small).toFixed(0)} ms, p95 ${percentile(small, 0.95).toFixed(0)} ms | <= 100 ms |`,
  )

  const watched = await call(server, 'POST', '/exports', { resource: 'orders', format: 'csv', limit: 10 })
  await completed(server, watched, 20)
  const idle = await statusReads(server, watched.id, 5_000)
  const running = [1, 2].map(() => call(server, 'POST', '/exports', { resource: 'orders', format: 'csv' }))
  await Promise.all(running)
  const busy = await statusReads(server, watched.id, 3_000)
  const p99 = (times: number[]): string => `p99 ${percentile(times, 0.99).toFixed(1)} ms`
  const goal = Math.max(2 * percentile(idle, 0.99), 20).toFixed(1)
  console.log(`| status read while two exports run / idle | ${p99(busy)} / ${p99(idle)} | <= ${goal} ms |`)
} finally {
  server.process.kill('SIGTERM')
}
