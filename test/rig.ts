/** A real Freight server in a process group of its own, on a folder of its own, for tests that kill, stop and watch it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createKey } from '../src/access/keys.ts'
import type { ExportView, viewEvent } from '../src/protocols/freight/view.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import { type Ended, freight } from './command-line.ts'

const BIN = join(import.meta.dirname, '..', 'bin', 'freight.js')

export type { ExportView }
export type EventView = ReturnType<typeof viewEvent>

const CACHE = join(import.meta.dirname, '..', 'node_modules', '.cache', 'freight-tests')
/** A server that answers nothing for so long hangs. */
const ANSWER_MS = 40_000

/** A folder with a `freight.config.ts`; the database is the test's own business. */
export interface Site {
  readonly folder: string
  readonly dataDir: string
  /** `freight ARGS` on this site, to its end. */
  command(args: readonly string[]): Promise<Ended>
  /** Kills what was started here and is still alive, and removes the folder. */
  remove(): Promise<void>
}

/** What a site has started; kept apart, so that tests cannot reach it. */
const startedOn = new WeakMap<Site, Server[]>()

/** `config` is the text of the object that the config file exports by default. */
export async function makeSite(config: string): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-site-'))
  await writeFile(join(folder, 'freight.config.ts'), `export default ${config}\n`)
  const servers: Server[] = []
  const site: Site = {
    folder,
    dataDir: join(folder, 'data'),
    command: (args) => freight(args, { cwd: folder, env: settings(site) }),
    async remove() {
      await Promise.all(servers.map((server) => server.kill()))
      await rm(folder, { recursive: true, force: true })
    },
  }
  startedOn.set(site, servers)
  return site
}

/** As `freight keys create` makes it, beside a running server too, in a tenth of the time. */
export async function makeKey(site: Site, tenant: string): Promise<string> {
  await mkdir(site.dataDir, { recursive: true, mode: 0o700 })
  const store = await openSqliteStore(join(site.dataDir, 'freight.db'))
  try {
    await store.migrate()
    const { secret } = await createKey(store, { tenant, name: 'test', mode: 'live' }, new Date())
    return secret
  } finally {
    await store.close()
  }
}

/** Parsed JSON, read as a stranger to the product would read it; `{ text }` for anything else. */
export type Body = ReturnType<typeof JSON.parse>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface Server {
  readonly url: string
  /** Also the id of its process group. */
  readonly pid: number
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
  /** Everything the process has printed. */
  output(): string
  /** SIGKILL to every process of the group, at once. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** Rejects when there is no whole answer. A text as `body` is sent as it is. */
  call(key: string, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

/** Resolves when the server listens. `env` is added to the rig's own settings. */
export async function startServer(site: Site, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(process.execPath, [BIN, 'serve'], {
    cwd: site.folder,
    env: { ...inherited(), ...settings(site), ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const pid = child.pid ?? 0
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const url = await listening(child, () => output)
  const server: Server = {
    url,
    pid,
    exited,
    output: () => output,
    async kill() {
      signalGroup(pid, 'SIGKILL')
      await exited
    },
    async stop() {
      child.kill('SIGTERM')
      return exited
    },
    call: (key, method, path, body, headers = {}) =>
      call(url + path, key, { method, body, headers }).catch((error) => {
        throw unanswered(error, child, output)
      }),
  }
  startedOn.get(site)?.push(server)
  return server
}

/** A server that died unasked is a fault of its own, which "fetch failed" would hide. */
function unanswered(error: unknown, { exitCode, signalCode }: ChildProcess, output: string): unknown {
  if (exitCode === null && signalCode === null) return error
  return new Error(`the server has ended (${signalCode ?? exitCode}): ${output.slice(-3_000)}`, { cause: error })
}

async function call(
  url: string,
  key: string,
  { method, body, headers }: { method: string; body: unknown; headers: Record<string, string> },
): Promise<Answer> {
  const sent: Record<string, string> = { authorization: `Bearer ${key}`, ...headers }
  if (body !== undefined) sent['content-type'] ??= 'application/json'
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const signal = AbortSignal.timeout(ANSWER_MS)
  const response = await fetch(url, { method, headers: sent, redirect: 'manual', signal, ...init })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : { text } }
}

/** Creates an export and gives its id. */
export async function create(server: Server, key: string, body: Record<string, unknown>): Promise<string> {
  const answer = await server.call(key, 'POST', '/exports', body)
  if (answer.status !== 201) throw new Error(`POST /exports answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body.id
}

/** The export as its caller is shown it. */
export async function shown(server: Server, key: string, id: string): Promise<ExportView> {
  const { status, body } = await server.call(key, 'GET', `/exports/${id}`)
  if (status !== 200) throw new Error(`GET /exports/${id} answered ${status}: ${JSON.stringify(body)}`)
  return body
}

export async function events(server: Server, key: string, id: string): Promise<readonly EventView[]> {
  const { status, body } = await server.call(key, 'GET', `/exports/${id}/events`)
  if (status !== 200) throw new Error(`GET /exports/${id}/events answered ${status}: ${JSON.stringify(body)}`)
  return body.data
}

/** Asks until the export is as wanted; gives it as it is then. */
export async function until(
  server: Server,
  key: string,
  id: string,
  wanted: (shown: Body) => boolean,
  { ms = 60_000, everyMs = 25 }: { ms?: number; everyMs?: number } = {},
): Promise<Body> {
  const deadline = Date.now() + ms
  for (;;) {
    const now = await shown(server, key, id)
    if (wanted(now)) return now
    if (Date.now() > deadline) throw new Error(`after ${ms} ms export ${id} is still ${now.status}: ${JSON.stringify(now)}`)
    await setTimeout(everyMs)
  }
}

function rests({ status }: Pick<ExportView, 'status'>): boolean {
  return status !== 'pending' && status !== 'in_progress'
}

/** The export once it is neither pending nor in progress. */
export function ended(server: Server, key: string, id: string, ms = 60_000): Promise<Body> {
  return until(server, key, id, rests, { ms })
}

/** The file's bytes, or null while there is none. Rejects when a download breaks off. */
export async function download(server: Server, key: string, id: string): Promise<Buffer | null> {
  const link = await server.call(key, 'GET', `/exports/${id}/file`)
  const location = link.headers.get('location')
  if (link.status !== 302 || location === null) return null
  const file = await fetch(location, { signal: AbortSignal.timeout(ANSWER_MS) })
  const bytes = Buffer.from(await file.arrayBuffer())
  return file.status === 200 ? bytes : null
}

/** To every process of a server's group, as a terminal or a service manager does. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The group is gone already.
  }
}

/** The cache halves what starting a thread from TypeScript costs; without it the tests are mostly that. */
function settings(site: Pick<Site, 'dataDir'>): Record<string, string> {
  return { PORT: '0', FREIGHT_DATA: site.dataDir, NODE_COMPILE_CACHE: CACHE }
}

/** No variable of the developer's own settings reaches a server. */
function inherited(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(FREIGHT_|PORT$|HOST$|NODE_OPTIONS$|VITEST)/.test(name))
  return Object.fromEntries(own) as Record<string, string>
}

async function listening(child: ChildProcess, output: () => string): Promise<string> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0]
    if (url) return url
    if (child.exitCode !== null || child.signalCode !== null) break
    await setTimeout(20)
  }
  child.kill('SIGKILL')
  throw new Error(`the server did not start: ${output()}`)
}
