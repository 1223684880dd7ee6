/** The caller's side of the probe thread: asks, keeps the time, and starts the thread anew if it dies. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { Preview, Probe } from '../exports/probe.ts'
import { FreightError } from '../job/errors.ts'
import type { RowCount } from '../job/row-text.ts'
import { type PartsConfig, partsConfig } from '../parts.ts'
import type { TableDescription } from '../sources/source.ts'
import type { FromProbeThread, ProbeQuestion, ProbeThreadData, ToProbeThread } from './probe-messages.ts'
import { retire } from './retire.ts'
import { DESCRIPTORS } from './thread-descriptors.ts'

/** An answer that is late by more than this will not come: the thread is replaced. */
const GRACE_MS = 3_000
/** The thread may yet be starting, on a machine that is very busy. */
const RETIRE_MS = 30_000

interface Pending {
  resolve(answer: unknown): void
  reject(error: FreightError): void
}

export function createProbe(config: PartsConfig, log: Pick<Logger, 'warn'>): Probe {
  const thread = new ProbeThread({ config: partsConfig(config) }, log)
  return {
    tables: async (source, { ms }) => (await thread.ask({ ask: 'tables', source }, ms)) as string[],
    describe: async (source, tables, { ms }) =>
      (await thread.ask({ ask: 'describe', source, tables }, ms)) as (TableDescription | null)[],
    count: async (spec, { ms }) => (await thread.ask({ ask: 'count', spec }, ms)) as RowCount,
    preview: async (spec, rows, { ms }) => (await thread.ask({ ask: 'preview', spec, rows }, ms)) as Preview,
    close: () => thread.close(),
  }
}

class ProbeThread {
  readonly #data: ProbeThreadData
  readonly #log: Pick<Logger, 'warn'>
  readonly #pending = new Map<number, Pending>()
  #worker: Worker
  #nextId = 1
  #closed = false

  constructor(data: ProbeThreadData, log: Pick<Logger, 'warn'>) {
    this.#data = data
    this.#log = log
    this.#worker = this.#start()
  }

  ask(question: ProbeQuestion, ms: number): Promise<unknown> {
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const late = setTimeout(() => this.#replace(`no answer to "${question.ask}"`), ms + GRACE_MS)
    this.#pending.set(id, { resolve, reject })
    this.#worker.postMessage({ type: 'ask', id, ms, question } satisfies ToProbeThread)
    return promise.finally(() => clearTimeout(late))
  }

  async close(): Promise<void> {
    this.#closed = true
    await retire(this.#worker, RETIRE_MS)
    this.#rejectAll(new FreightError('SHUTTING_DOWN', 'The server is stopping.'))
  }

  #start(): Worker {
    const file = new URL(`./probe-thread${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(file, { workerData: this.#data, name: 'freight-probe', ...DESCRIPTORS })
    worker.on('message', (message: FromProbeThread) => this.#receive(message))
    worker.on('error', (error) => {
      this.#log.warn({ err: error }, 'probe thread fault')
    })
    worker.on('exit', () => {
      if (worker === this.#worker && !this.#closed) this.#replace('it ended')
    })
    return worker
  }

  #receive(message: FromProbeThread): void {
    if ('type' in message) return
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if ('answer' in message) pending?.resolve(message.answer)
    else {
      if (message.detail) this.#log.warn({ detail: message.detail }, 'probe fault')
      pending?.reject(new FreightError(message.error.code, message.error.message))
    }
  }

  #replace(why: string): void {
    if (this.#closed) return
    this.#log.warn({ why }, 'probe thread replaced')
    const old = this.#worker
    this.#worker = this.#start()
    void retire(old, RETIRE_MS)
    this.#rejectAll(new FreightError('SOURCE_UNAVAILABLE', 'The source could not be asked just now; try again.'))
  }

  #rejectAll(error: FreightError): void {
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }
}
