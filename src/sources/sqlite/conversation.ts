/** Questions and readings over one host, as promises and batches. A host that dies, or is interrupted, ends them all with an error. */
import { FreightError } from '../../job/errors.ts'
import type { RowChunk } from '../../job/row-text.ts'
import type { Host, HostListener } from './host.ts'
import type { Answer, Answers, FromHost, HostError, Question } from './protocol.ts'

/** The host reads this far ahead of who consumes: one batch on its way, one being made. */
const BATCHES_AHEAD = 2

interface Pending {
  resolve(answer: Answers[keyof Answers]): void
  reject(error: FreightError): void
}

export class Conversation implements HostListener {
  /** Whether its host may serve another snapshot after this one. */
  readonly isReusable: boolean
  readonly #host: Host
  readonly #pending = new Map<number, Pending>()
  #ids = 0
  #holds = 0
  #reading: BatchQueue | null = null
  #over: FreightError | null = null

  constructor(start: (listener: HostListener) => Host, { isReusable }: { isReusable: boolean }) {
    this.isReusable = isReusable
    this.#host = start(this)
    this.#host.release()
  }

  /** Why nothing more can be asked; null while it can. */
  get over(): FreightError | null {
    return this.#over
  }

  /** Whether something that was asked is still being worked on. */
  get isBusy(): boolean {
    return this.#pending.size > 0 || this.#reading?.isOver === false
  }

  ask<Q extends Question>(question: Q): Promise<Answer<Q>> {
    if (this.#over) return Promise.reject(this.#over)
    this.#ids += 1
    const id = this.#ids
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Q>>()
    this.#pending.set(id, { resolve: (answer) => resolve(answer as Answer<Q>), reject })
    this.#host.post({ kind: 'ask', id, question })
    return promise
  }

  /** Ends the reading before it, should one go on. */
  async *read(part: number): AsyncGenerator<RowChunk, void, undefined> {
    if (this.#over) throw this.#over
    this.#ids += 1
    const reading = this.#ids
    const queue = new BatchQueue(reading)
    this.#reading?.fail(new FreightError('ABORTED', 'The rows of another part are read now.'))
    this.#reading = queue
    this.#host.post({ kind: 'read', reading, part, batches: BATCHES_AHEAD })
    for (;;) {
      const chunk = await queue.next()
      if (chunk === null) return
      if (!queue.isOver) this.#host.post({ kind: 'credit', reading, batches: 1 })
      yield chunk
    }
  }

  heard(message: FromHost): void {
    switch (message.kind) {
      case 'answer':
        this.#take(message.id)?.resolve(message.answer)
        break
      case 'refusal':
        this.#take(message.id)?.reject(toError(message.error))
        break
      default:
        if (this.#reading?.id === message.reading) this.#reading.heard(message)
    }
  }

  died(cause: Error): void {
    this.#finish(
      new FreightError(
        'SOURCE_UNAVAILABLE',
        'The reader of the SQLite database stopped unexpectedly; the rows are read again from the start.',
        {
          cause,
        },
      ),
    )
  }

  /** Everything asked rejects with `error` at once; what runs in the host is stopped. */
  interrupt(error: FreightError): void {
    this.#finish(error)
    this.#host.interrupt()
  }

  async end(): Promise<void> {
    this.#finish(new FreightError('ABORTED', 'Reading the source was stopped.'))
    await this.#host.end()
  }

  /** Keeps the process alive until as many `release`s. */
  hold(): void {
    this.#holds += 1
    this.#host.hold()
  }

  release(): void {
    this.#holds -= 1
    if (this.#holds === 0) this.#host.release()
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #finish(error: FreightError): void {
    this.#over ??= error
    for (const { reject } of this.#pending.values()) reject(this.#over)
    this.#pending.clear()
    this.#reading?.fail(this.#over)
  }
}

/** Batches that have come and were not yet taken. */
class BatchQueue {
  readonly id: number
  #chunks: RowChunk[] = []
  #delivered = 0
  #end: { rows: number } | null = null
  #error: FreightError | null = null
  #wake: (() => void) | null = null

  constructor(id: number) {
    this.id = id
  }

  /** The host has sent all that it will send. */
  get isOver(): boolean {
    return this.#end !== null || this.#error !== null
  }

  heard(message: Extract<FromHost, { reading: number }>): void {
    if (message.kind === 'batch') this.#chunks.push({ form: 'json', bytes: message.bytes, rows: message.rows })
    else if (message.kind === 'end') this.#end = { rows: message.rows }
    else this.#error ??= toError(message.error)
    this.#wake?.()
  }

  fail(error: FreightError): void {
    this.#error ??= error
    this.#wake?.()
  }

  /** Null after the last. An error comes before the batches that are still here: they are of no use to anyone. */
  async next(): Promise<RowChunk | null> {
    for (;;) {
      if (this.#error) throw this.#error
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#delivered += chunk.rows
        return chunk
      }
      if (this.#end) return this.#ended(this.#end.rows)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
      this.#wake = null
    }
  }

  #ended(rows: number): null {
    if (rows === this.#delivered) return null
    throw new FreightError('ROWS_INCOMPLETE', `The source read ${rows} rows, of which ${this.#delivered} arrived.`)
  }
}

function toError({ code, message, detail }: HostError): FreightError {
  return new FreightError(code, message, detail === '' ? {} : { cause: new Error(detail) })
}
