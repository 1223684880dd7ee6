/**
 * What a status read costs through each wire protocol, beside the same read through Freight's own API: medians of interleaved reads
 * of one completed job.
 * Usage: node bench/protocols.ts [ROUNDS]
 */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { benchFolder, machine } from './machine.ts'
import { median } from './measure.ts'
import { makeOrders } from './orders.ts'

/** By name: where a protocol shows the job. */
const WIRES: Readonly<Record<string, (ids: Ids) => string>> = {
  'own API': ({ id }) => `/exports/${id}`,
  'api-exports': ({ shortId }) => `/api/exports/${shortId}`,
  'content-export': ({ id }) => `/content/export/${id.toUpperCase()}/status`,
  'clients-export': ({ id }) => `/tenants/bench/clients/export/csv/${id}`,
  'v1-exports': ({ id }) => `/v1/exports/${id}`,
}

interface Ids {
  readonly id: string
  readonly shortId: string
}
const GOAL = 1.3
const WARM_UP = 200

const rounds = Number(process.argv[2] ?? 2_000)
const folder = benchFolder()
const database = join(folder, 'orders-1000.db')
mkdirSync(folder, { recursive: true })
makeOrders(database, 1_000)
const dataDir = join(folder, 'data')
rmSync(dataDir, { recursive: true, force: true })
const server = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), dataDir, database], {
  stdio: ['ignore', 'pipe', 'inherit'],
})

async function read(url: string, key: string): Promise<Record<string, unknown>> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}`, accept: '*/*', 'accept-language': 'en-US' } })
  const body = (await answer.json()) as Record<string, unknown>
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${JSON.stringify(body)}`)
  return body
}

async function completedJob(url: string, key: string): Promise<Ids> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}/exports`, { method: 'POST', headers, body: '{"resource":"orders"}' })
  const { id } = (await answer.json()) as { id: string }
  while ((await read(`${url}/exports/${id}`, key)).status !== 'completed') await setTimeout(20)
  const { data } = (await read(`${url}/api/exports`, key)) as { data: { id: string }[] }
  return { id, shortId: data[0]?.id ?? '' }
}

async function measureReads(url: string, key: string): Promise<Map<string, number[]>> {
  const ids = await completedJob(url, key)
  const times = new Map(Object.keys(WIRES).map((name): [string, number[]] => [name, []]))
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const [name, address] of Object.entries(WIRES)) {
      const started = performance.now()
      await read(url + address(ids), key)
      if (round >= 0) times.get(name)?.push(performance.now() - started)
    }
  }
  return times
}

try {
  for await (const line of createInterface({ input: server.stdout })) {
    const { url, key } = JSON.parse(line) as { url: string; key: string }
    const times = await measureReads(url, key)
    const own = median(times.get('own API') ?? [])
    console.log(
      `${machine()}; ${rounds} interleaved status reads of one job\n\n| through | p50 | against the own API | goal |\n|---|---|---|---|`,
    )
    for (const [name, each] of times) {
      console.log(`| ${name} | ${median(each).toFixed(3)} ms | ${(median(each) / own).toFixed(2)} | <= ${GOAL} |`)
    }
    break
  }
} finally {
  server.kill('SIGTERM')
}
