/** Rounds of: clients post exports, the whole server is killed at some instant, another takes over on the same folder. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import type { Random } from '../../src/cli/demo/random.ts'
import { download, ended, type Server, type Site, shown, startServer } from '../rig.ts'
import { ORDERS } from './warehouse.ts'
import { Watch } from './watch.ts'

const CLIENTS = 4
/** Exports that have not come to an end so long after the last kill are stuck. */
const ALL_END_MS = 60_000

/** What an acknowledged export will be in the end; `unknown` when the answer to its interrupt or cancel never came. */
type Expected = 'completed' | 'interrupted' | 'cancelled' | 'unknown'
const RESTING: ReadonlySet<string> = new Set(['completed', 'interrupted', 'cancelled'])

export interface KillRounds {
  readonly site: Site
  readonly key: string
  readonly random: Random
  readonly rounds: number
  /** Exports that each of the four clients asks for in a round, at most. */
  readonly postsPerClient: number
}

export interface KillReport {
  /** The instant of each kill. */
  readonly kills: readonly string[]
  /** Exports whose 201 reached a client. */
  readonly acknowledged: number
  /** Of those: not known to a later server. */
  readonly lost: readonly string[]
  /** Acknowledged, and in the end neither completed by itself nor as it was stopped. */
  readonly stuck: readonly string[]
  /** Completed, asked for by anyone in these rounds, and without the whole file. */
  readonly damaged: readonly string[]
  readonly historyFaults: readonly string[]
  readonly looks: number
  /** What SQLite says of the job store after all that. */
  readonly integrity: string
}

export async function killRounds(options: KillRounds): Promise<KillReport> {
  const { site, key, random, rounds } = options
  const kills: string[] = []
  const acknowledged = new Map<string, Expected>()
  const lost: string[] = []
  let server = await startServer(site)
  const watch = new Watch(server, key)
  for (let number = 1; number <= rounds; number += 1) {
    // By answers and not by time alone: a kill then falls as often before the first as among them, on a slow machine too.
    const [answers, ms] = [random.between(0, CLIENTS * options.postsPerClient), random.between(0, 40)]
    kills.push(`${ms} ms after ${answers} answers`)
    const posting = new Posting(server, options, number)
    await posting.answers(answers)
    await setTimeout(ms)
    await server.kill()
    const ids = await posting.acknowledged()
    server = await startServer(site)
    watch.follow(server)
    for (const [id, expected] of ids) acknowledged.set(id, expected)
    lost.push(...(await unknownOf(server, key, ids.keys())))
  }
  const stuck = await notAsExpected(server, key, acknowledged)
  // An earlier round's too: nothing may vanish later.
  lost.push(...(await unknownOf(server, key, acknowledged.keys())))
  const damaged = await damagedFiles(server, key)
  const historyFaults = await watch.end()
  await server.stop()
  const integrity = integrityOf(site)
  return { kills, acknowledged: acknowledged.size, lost, stuck, damaged, historyFaults, looks: watch.looks, integrity }
}

/** Clients that post one export after the other, and stop some of them again. */
class Posting {
  readonly #options: KillRounds
  readonly #server: Server
  readonly #ids = new Map<string, Expected>()
  readonly #done: Promise<unknown>
  #isOver = false

  constructor(server: Server, options: KillRounds, round: number) {
    this.#server = server
    this.#options = options
    // A client whose server is killed has no answer, and posts no more.
    this.#done = Promise.allSettled(Array.from({ length: CLIENTS }, (_, name) => this.#client(`${round}-${name}`))).then(() => {
      this.#isOver = true
    })
  }

  /** Resolves when so many have been acknowledged, or no more will be. */
  async answers(count: number): Promise<void> {
    while (this.#ids.size < count && !this.#isOver) await setTimeout(1)
  }

  async acknowledged(): Promise<ReadonlyMap<string, Expected>> {
    await this.#done
    return this.#ids
  }

  async #client(name: string): Promise<void> {
    const { key, random, postsPerClient } = this.#options
    for (let post = 1; post <= postsPerClient; post += 1) {
      const body = { resource: 'orders', reference: `${name}-${post}` }
      const answer = await this.#server.call(key, 'POST', '/exports', body)
      if (answer.status !== 201) continue
      this.#ids.set(answer.body.id, 'completed')
      if (random.chance(0.25)) await this.#stop(answer.body.id, random.pick(['interrupt', 'cancel']))
    }
  }

  async #stop(id: string, verb: string): Promise<void> {
    this.#ids.set(id, 'unknown')
    const { status, body } = await this.#server.call(this.#options.key, 'POST', `/exports/${id}/${verb}`)
    this.#ids.set(id, status === 200 ? body.status : 'completed')
  }
}

async function unknownOf(server: Server, key: string, ids: Iterable<string>): Promise<string[]> {
  const unknown: string[] = []
  for (const id of ids) {
    const { status } = await server.call(key, 'GET', `/exports/${id}`)
    if (status !== 200) unknown.push(`${id}: ${status}`)
  }
  return unknown
}

async function notAsExpected(server: Server, key: string, acknowledged: ReadonlyMap<string, Expected>): Promise<string[]> {
  const stuck: string[] = []
  const deadline = Date.now() + ALL_END_MS
  for (const [id, expected] of acknowledged) {
    const left = Math.max(0, deadline - Date.now())
    const { status, error } = await ended(server, key, id, left).catch((fault: Error) => ({ status: fault.message, error: null }))
    const isRight = expected === 'unknown' ? RESTING.has(status) : status === expected
    if (!isRight) stuck.push(`${id}: ${status} instead of ${expected} ${JSON.stringify(error)}`)
  }
  return stuck
}

/** Every export that there is, also those whose client had no answer. */
async function damagedFiles(server: Server, key: string): Promise<string[]> {
  const damaged: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await server.call(key, 'GET', `/exports?limit=100${cursor}`)
    for (const { id } of body.data) {
      const { status, manifest } = await shown(server, key, id)
      if (status !== 'completed') continue
      const bytes = await download(server, key, id)
      const sha256 = bytes && createHash('sha256').update(bytes).digest('hex')
      const rows = bytes && bytes.toString().split('\n').length - 2
      const isWhole = sha256 !== null && sha256 === manifest?.files[0]?.sha256 && rows === ORDERS
      if (!isWhole) damaged.push(`${id}: ${status}, ${rows} rows`)
    }
    if (body.next_cursor === null) return damaged
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`
  }
}

function integrityOf(site: Site): string {
  const store = new Sqlite(join(site.dataDir, 'freight.db'), { readonly: true })
  try {
    return String(store.pragma('integrity_check', { simple: true }))
  } finally {
    store.close()
  }
}
