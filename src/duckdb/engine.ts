/** DuckDB in a process of its own, with explicit threads, memory and files, and with two pipes for whatever SQL reads and writes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, rmSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { Socket } from 'node:net'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { FreightError } from '../job/errors.ts'
import { Feed } from './feed.ts'
import { ANSWERS_FD, type Answer, lineOf, OPENING_ID, type Opening, type Refusal, type Request } from './messages.ts'
import { makePipes } from './pipe.ts'
import { makeWorkFolder } from './work-folder.ts'

export interface EngineOptions {
  /** Where the process gets a folder of its own; made when it is missing. */
  readonly tempDir: string
  readonly threads: number
  /** What DuckDB may use; the process itself takes about 100 MB beside it. */
  readonly memoryMb: number
  /** Whether rows come in the order in which they lie; one thread keeps it anyway. */
  readonly keepsOrder: boolean
  /** Opened read-only; null for none. */
  readonly database: string | null
  /** The only other files that SQL may read; absolute, symbolic links resolved. */
  readonly files: readonly string[]
}

/** DuckDB's own words: may hold values and SQL, so it goes to the log only, as a cause. */
export class DuckDbFault extends Error {}

type AskedRequest = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never

interface Pending {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/**
 * Rejects with CONFIG_INVALID when `@duckdb/node-api` is not installed, with a `DuckDbFault` when the database cannot be opened.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const engine = await spawnEngine(options)
  await engine.opened
  return engine
}

/** The same before DuckDB is there: what it is to read may be written already, and what is asked waits for `opened`. */
export async function spawnEngine(options: EngineOptions): Promise<Engine> {
  const workFolder = makeWorkFolder(options.tempDir)
  try {
    const [input, output] = await makePipes(workFolder, 2)
    if (!input || !output) throw new Error('two pipes were asked for')
    const child = spawn(process.execPath, [fileURLToPath(runnable('engine-process'))], {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe', input.readFd, output.writeFd],
      // Nothing of the service's own environment, which holds its secrets; only where compiled modules lie.
      env: { NODE_COMPILE_CACHE: getCompileCacheDir() },
      // A process group of its own: Ctrl-C and a service manager signal the whole group, and a draining server still needs this one.
      detached: true,
    })
    closeSync(input.readFd)
    closeSync(output.writeFd)
    const engine = new Engine(child, { input: input.writeFd, output: output.readFd, workFolder })
    const { database, files, threads, memoryMb, keepsOrder } = options
    engine.open({ database, files, threads, memoryMb, keepsOrder, workFolder })
    return engine
  } catch (thrown) {
    rmSync(workFolder, { recursive: true, force: true })
    throw thrown
  }
}

/** A module of this folder as it can be run: the package ships .js, a checkout runs .ts. */
function runnable(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
}

export class Engine {
  /** What SQL reads at INPUT_PATH; ended by `endInput`. */
  readonly input: Feed
  /** What SQL writes to OUTPUT_PATH; ends after `closeOutput`, and when the process is gone. */
  readonly output: Readable
  /** Rejects as `startEngine` does. */
  opened: Promise<void> = Promise.resolve()
  readonly #child: ReturnType<typeof spawn>
  readonly #workFolder: string
  readonly #gone: Promise<unknown>
  readonly #pending = new Map<number, Pending>()
  #ids = OPENING_ID
  #over: Error | null = null

  constructor(child: ReturnType<typeof spawn>, ends: { input: number; output: number; workFolder: string }) {
    this.#child = child
    this.#workFolder = ends.workFolder
    this.input = new Feed(ends.input)
    this.output = new Socket({ fd: ends.output, readable: true, writable: false })
    // Whoever writes or reads is told by its own call; without a listener the process would end.
    this.output.on('error', () => {})
    child.stdin?.on('error', () => {})
    this.#gone = once(child, 'close').catch(() => {})
    child.on('error', (cause) => this.#finish(died(cause)))
    child.on('close', (code, signal) => this.#finish(died(new Error(`DuckDB ended (${signal ?? `exit code ${code}`})`))))
    createInterface({ input: child.stdio[ANSWERS_FD] as Readable }).on('line', (line) => this.#hear(line))
  }

  open(opening: Opening): void {
    const opened = this.#answerTo(OPENING_ID)
    this.#say(opening)
    this.opened = opened.then(
      () => {},
      async (error: Error) => {
        // Before the end, which would be told as the reason otherwise.
        this.#finish(error)
        await this.end()
        throw error
      },
    )
    // Whoever waits for it is told.
    this.opened.catch(() => {})
  }

  /** Why nothing more can be asked; null while it can. */
  get over(): Error | null {
    return this.#over
  }

  /** Runs a statement; resolves with the number of rows that it wrote. */
  async run(sql: string, values: readonly string[] = []): Promise<number> {
    const { count } = await this.#ask({ ask: 'run', sql, values }, null)
    return count
  }

  /** The rows of a small result, each cell as text. Abort ends the query, which then rejects. */
  async rows(
    sql: string,
    values: readonly string[] = [],
    signal: AbortSignal | null = null,
  ): Promise<readonly (readonly (string | null)[])[]> {
    const { rows } = await this.#ask({ ask: 'rows', sql, values }, signal)
    return rows
  }

  /** Ends what SQL reads at INPUT_PATH, once it has begun to. */
  async endInput(): Promise<void> {
    await this.input.drained()
    await this.#ask({ ask: 'inputOpened' }, null)
    this.input.close()
  }

  async closeOutput(): Promise<void> {
    await this.#ask({ ask: 'closeOutput' }, null)
  }

  /** Ends the process at once, whatever it is doing, with all it had open and on disk. Safe to repeat. */
  async end(): Promise<void> {
    this.#finish(new FreightError('ABORTED', 'DuckDB was stopped.'))
    this.#child.kill('SIGKILL')
    if (this.#child.pid !== undefined) await this.#gone
    await this.input.end()
    this.output.destroy()
    rmSync(this.#workFolder, { recursive: true, force: true })
  }

  async #ask(request: AskedRequest, signal: AbortSignal | null): Promise<Answer> {
    if (this.#over) throw this.#over
    this.#ids += 1
    const id = this.#ids
    const stop = (): void => {
      this.#ids += 1
      this.#say({ id: this.#ids, ask: 'stop', target: id })
    }
    const answer = this.#answerTo(id)
    this.#say({ ...request, id })
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await answer
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  #answerTo(id: number): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#pending.set(id, { resolve, reject })
    return promise
  }

  #say(line: Opening | Request): void {
    this.#child.stdin?.write(lineOf(line))
  }

  #hear(line: string): void {
    const message = JSON.parse(line) as Answer | Refusal
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (!('error' in message)) pending?.resolve(message)
    else if (message.error.kind === 'missing') pending?.reject(notInstalled(message.error.message))
    else pending?.reject(new DuckDbFault(message.error.message))
  }

  #finish(error: Error): void {
    this.#over ??= error
    for (const { reject } of this.#pending.values()) reject(this.#over)
    this.#pending.clear()
    this.input.fail(this.#over)
  }
}

function died(cause: Error): FreightError {
  return new FreightError(
    'WORKER_DIED',
    'The DuckDB process of this export ended unexpectedly; the rows are read again from the start.',
    {
      cause,
    },
  )
}

function notInstalled(detail: string): FreightError {
  return new FreightError(
    'CONFIG_INVALID',
    'Parquet, and files as a source, need the optional package @duckdb/node-api, which is not installed; install it beside Freight: npm install @duckdb/node-api',
    { cause: new Error(detail) },
  )
}
