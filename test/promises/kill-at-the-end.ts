/** Rounds of: an export runs, callers ask for its file all the time, the server is killed about when the run ends. */
import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Random } from '../../src/cli/demo/random.ts'
import { create, download, ended, type Server, type Site, shown, startServer, until } from '../rig.ts'
import { storedFiles } from '../stored-files.ts'
import { Watch } from './watch.ts'

export interface EndRounds {
  readonly site: Site
  readonly key: string
  readonly random: Random
  readonly rounds: number
}

export interface EndReport {
  readonly rounds: number
  /** How often a file was asked for, and how often one was given. */
  readonly asked: number
  readonly fetched: number
  /** Given with 200, and not what the manifest says. */
  readonly damaged: readonly string[]
  /** In the data folder after a restart, and of no completed export. */
  readonly leftBehind: readonly string[]
  readonly notCompleted: readonly string[]
  readonly historyFaults: readonly string[]
}

interface Fetched {
  readonly id: string
  readonly sha256: string
  readonly rows: number
}

const REQUEST = { resource: 'items', format: 'csv' }

export async function killedAtTheEnd({ site, key, random, rounds }: EndRounds): Promise<EndReport> {
  let server = await startServer(site)
  const watch = new Watch(server, key, 20)
  const callers = new Callers(server, key)
  const ids = [await create(server, key, REQUEST)]
  callers.wish(ids[0] ?? '')
  const sample = await ended(server, key, ids[0] ?? '')
  const runMs = Date.parse(sample.completed_at) - Date.parse(sample.started_at)
  const leftBehind: string[] = []
  for (let round = 0; round < rounds; round += 1) {
    const id = await create(server, key, REQUEST)
    ids.push(id)
    callers.wish(id)
    const { started_at: startedAt } = await until(server, key, id, ({ status }) => status !== 'pending', { everyMs: 5 })
    const share = random.between(950, 1_100) / 1_000
    await setTimeout(Math.max(0, Date.parse(startedAt) + runMs * share - Date.now()))
    await server.kill()
    // A sort has no name there, and a copy only while it is made: too short to be met by chance.
    await writeFile(join(site.dataDir, 'tmp', `copy-${round}`), 'half')
    server = await startServer(site)
    leftBehind.push(...(await strangersIn(site, server, key)))
    watch.follow(server)
    callers.follow(server)
  }
  const ends = await Promise.all(ids.map((id) => ended(server, key, id)))
  const fetched = await callers.end()
  const damaged = fetched.filter(({ id, sha256, rows }) => {
    const file = ends.find((end) => end.id === id)?.manifest?.files[0]
    return sha256 !== file?.sha256 || rows !== file?.rows || rows !== sample.manifest.files[0].rows
  })
  leftBehind.push(...(await strangersIn(site, server, key)))
  return {
    rounds,
    asked: callers.asked,
    fetched: fetched.length,
    damaged: damaged.map(({ id, rows }) => `${id}: ${rows} rows`),
    leftBehind,
    notCompleted: ends.flatMap(({ id, status, error }) => (status === 'completed' ? [] : [`${id}: ${status} ${error?.code}`])),
    historyFaults: await watch.end(),
  }
}

/** Ask for every wished file without a pause until they have it once, and go on where the server is started again. */
class Callers {
  asked = 0
  readonly #key: string
  readonly #fetched: Fetched[] = []
  readonly #callers: Promise<void>[] = []
  readonly #over = new AbortController()
  #server: Server

  constructor(server: Server, key: string) {
    this.#server = server
    this.#key = key
  }

  follow(server: Server): void {
    this.#server = server
  }

  wish(id: string): void {
    this.#callers.push(this.#fetch(id))
  }

  /** Each file once more, then all that was ever given. */
  async end(): Promise<readonly Fetched[]> {
    this.#over.abort()
    await Promise.all(this.#callers)
    return this.#fetched
  }

  async #fetch(id: string): Promise<void> {
    for (;;) {
      const isLast = this.#over.signal.aborted
      // Broken off or refused while the server is away.
      const bytes = await download(this.#server, this.#key, id).catch(() => null)
      this.asked += 1
      if (bytes) {
        const sha256 = createHash('sha256').update(bytes).digest('hex')
        this.#fetched.push({ id, sha256, rows: bytes.toString().split('\n').length - 2 })
        return
      }
      if (isLast) return
      await setTimeout(10)
    }
  }
}

/** What lies in the data folder, apart from the records, and belongs to no completed or running export. */
async function strangersIn(site: Site, server: Server, key: string): Promise<string[]> {
  const first = await strangersNow(site, server, key)
  if (first.length === 0) return []
  // A run may have ended between the look at the folder and that at its export: its files have other names by now.
  await setTimeout(200)
  const second = new Set(await strangersNow(site, server, key))
  return first.filter((path) => second.has(path))
}

async function strangersNow(site: Site, server: Server, key: string): Promise<string[]> {
  const strangers = (await readdir(join(site.dataDir, 'tmp'))).map((name) => `tmp/${name}`)
  for (const path of await storedFiles(site)) {
    const [id = '', run, name] = path.split('/')
    const { status, attempt, manifest } = await shown(server, key, id)
    const isOffered = status === 'completed' && name === manifest?.files[0]?.name
    const belongs = run === String(attempt) && (isOffered || status === 'in_progress')
    if (!belongs) strangers.push(path)
  }
  return strangers
}
