/**
 * The process in which DuckDB runs. It is told what to run on its standard input, one JSON text per line, and ends when that closes.
 *
 * In a process of its own a query can always be ended, whatever it is doing; it blocks none of the few threads that Node has for files; and
 * its memory is bounded and given back.
 */
import { closeSync, existsSync, fstatSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  ANSWERS_FD,
  type Answer,
  INPUT_FD,
  INPUT_PATH,
  lineOf,
  OPENING_ID,
  type Opening,
  OUTPUT_FD,
  OUTPUT_PATH,
  type Refusal,
  type Request,
} from './messages.ts'

// A service manager signals every process of a service: the server drains, and still needs this one until it says otherwise.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

class Engine {
  readonly #instance: DuckDBInstance
  readonly #running = new Map<number, DuckDBConnection>()

  constructor(instance: DuckDBInstance) {
    this.#instance = instance
  }

  async answer(request: Request): Promise<Answer> {
    const { id } = request
    if (request.ask === 'stop') this.#running.get(request.target)?.interrupt()
    if (request.ask === 'closeOutput') closeSync(OUTPUT_FD)
    if (request.ask === 'inputOpened') await inputOpened()
    if (request.ask !== 'run' && request.ask !== 'rows') return { id, rows: [], count: 0 }
    const connection = await this.#instance.connect()
    this.#running.set(id, connection)
    try {
      if (request.ask === 'run') {
        const { rowsChanged } = await connection.run(request.sql, [...request.values])
        return { id, rows: [], count: rowsChanged }
      }
      const read = await connection.runAndReadAll(request.sql, [...request.values])
      return { id, rows: read.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell)))), count: 0 }
    } finally {
      this.#running.delete(id)
      connection.closeSync()
    }
  }
}

async function open(opening: Opening): Promise<Engine> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(opening.database ?? ':memory:', {
    ...(opening.database === null ? {} : { access_mode: 'READ_ONLY' }),
    threads: String(opening.threads),
    memory_limit: `${opening.memoryMb}MB`,
    temp_directory: opening.workFolder,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: String(opening.keepsOrder),
  })
  const connection = await instance.connect()
  const paths = [INPUT_PATH, OUTPUT_PATH, ...opening.files].map((path) => `'${path.replaceAll("'", "''")}'`)
  await connection.run(`set global TimeZone = 'UTC'; set global allowed_paths = [${paths.join(', ')}];
    set global enable_external_access = false; set global lock_configuration = true`)
  connection.closeSync()
  return new Engine(instance)
}

/**
 * A pipe that nobody writes to any more cannot be opened: that would wait for a writer for ever. So the writer waits for DuckDB, whose own
 * descriptor of the pipe is seen beside ours. Where there is no /proc, /dev/fd gives a copy of the descriptor and nothing waits.
 */
async function inputOpened(): Promise<void> {
  const { dev, ino } = fstatSync(INPUT_FD)
  const isInput = (name: string): boolean => {
    const stats = statSync(`/proc/self/fd/${name}`, { throwIfNoEntry: false })
    return stats?.dev === dev && stats.ino === ino
  }
  while (existsSync('/proc/self/fd') && readdirSync('/proc/self/fd').filter(isInput).length < 2) await wait(OPENED_LOOK_MS)
}

const OPENED_LOOK_MS = 2

function say(answer: Answer | Refusal): void {
  writeSync(ANSWERS_FD, lineOf(answer))
}

function refusal(id: number, error: unknown): Refusal {
  const { message, code } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error), code: '' }
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  return { id, error: { kind: isMissing ? 'missing' : 'failed', message } }
}

let workFolder: string | null = null
let engine: Promise<Engine> | null = null
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (engine === null) {
    const opening = JSON.parse(line) as Opening
    workFolder = opening.workFolder
    engine = open(opening)
    engine.then(
      () => say({ id: OPENING_ID, rows: [], count: 0 }),
      (error: unknown) => say(refusal(OPENING_ID, error)),
    )
    return
  }
  const request = JSON.parse(line) as Request
  engine
    .then((opened) => opened.answer(request))
    .then(say)
    .catch((error: unknown) => say(refusal(request.id, error)))
})
// Whoever started this is gone, or has enough: process.exit would wait for the query.
lines.on('close', () => {
  if (workFolder !== null) rmSync(workFolder, { recursive: true, force: true })
  process.kill(process.pid, 'SIGKILL')
})
