/**
 * Answers a source's questions from one SQLite database, synchronously: it lives in a thread or process of its own.
 *
 * Between two batches it returns to the event loop, so that credit, counts and `close` are heard.
 */
import { FreightError } from '../../job/errors.ts'
import type { RowCount } from '../../job/row-text.ts'
import { type OpenDatabase, openDatabase, openSnapshot } from './database.ts'
import { estimateRows } from './estimate.ts'
import { describeTable, listTables } from './facts.ts'
import { sourceError } from './fault.ts'
import type { StatementWatch } from './functions.ts'
import { BatchFull, PartReader } from './part-reader.ts'
import {
  type Answers,
  type FromHost,
  type HostError,
  type HostOptions,
  type Question,
  READINGS,
  STOP,
  type ToHost,
} from './protocol.ts'

/** Rows that are heavy on their own are let into a batch up to this. */
const BATCH_ROOM_BYTES = 8 * 1024 * 1024

/** No row waits longer than this for a count. */
const SLICE_MS = 20

/** The counted statement was given up: its time is over, or rows are wanted and have precedence. */
class CountStopped extends Error {}

interface Reading {
  readonly id: number
  readonly part: PartReader
  credit: number
}

interface Counting {
  readonly id: number
  readonly part: PartReader
  readonly deadline: number
}

export class Reader implements StatementWatch {
  readonly #options: HostOptions
  readonly #flags: Int32Array
  readonly #post: (message: FromHost) => void
  #snapshot: (OpenDatabase & { parts: readonly PartReader[] }) | null = null
  #reading: Reading | null = null
  #counting: Counting[] = []
  #isScheduled = false
  /** Set while a count runs that must not hold up rows. */
  #countUntil: { deadline: number } | null = null
  #readingsHeard = 0
  #room = 0

  constructor(options: HostOptions, flags: Int32Array, post: (message: FromHost) => void) {
    this.#options = options
    this.#flags = flags
    this.#post = post
  }

  hear(message: ToHost): void {
    if (message.kind === 'ask') void this.#answer(message.id, message.question)
    else if (message.kind === 'read') this.#read(message)
    else this.#credit(message)
  }

  tick(): void {
    if (Atomics.load(this.#flags, STOP) !== 0) throw stopped()
    const until = this.#countUntil
    if (until && (Date.now() >= until.deadline || Atomics.load(this.#flags, READINGS) !== this.#readingsHeard))
      throw new CountStopped()
  }

  room(bytes: number): void {
    this.#room -= bytes
    if (this.#room < 0) throw new BatchFull()
  }

  async #answer(id: number, question: Question): Promise<void> {
    try {
      if (question.ask === 'count') this.#startCount(id, question.part, question.ms)
      else this.#post({ kind: 'answer', id, answer: await this.#find(question) })
    } catch (thrown) {
      this.#post({ kind: 'refusal', id, error: hostError(thrown) })
    }
  }

  async #find(question: Exclude<Question, { ask: 'count' }>): Promise<Answers[keyof Answers]> {
    switch (question.ask) {
      case 'tables':
        return this.#briefly(({ db }) => listTables(db))
      case 'describe':
        return this.#briefly(({ db }) => describeTable(db, question.table))
      case 'estimate':
        return this.#briefly(({ db }) => estimateRows(db, question.part))
      case 'open':
        return await this.#open(question)
      case 'close':
        this.#close()
        return null
    }
  }

  #briefly<T>(ask: (open: OpenDatabase) => T): T {
    const open = openDatabase(this.#options, this)
    try {
      return ask(open)
    } finally {
      open.db.close()
    }
  }

  async #open(question: Extract<Question, { ask: 'open' }>): Promise<Answers['open']> {
    const open = await openSnapshot(this.#options, question.consistency, question.copyPath, this)
    try {
      const { views, query } = question
      this.#snapshot = {
        ...open,
        parts: query.parts.map((part, index) => new PartReader({ ...open, views }, part, index, query.layout)),
      }
    } catch (thrown) {
      open.db.close()
      throw thrown
    }
    return { takenAt: open.takenAt }
  }

  #close(): void {
    for (const { id } of this.#counting) this.#post({ kind: 'answer', id, answer: unknownCount() })
    this.#counting = []
    this.#reading = null
    this.#snapshot?.db.close()
    this.#snapshot = null
  }

  #part(index: number): PartReader {
    const part = this.#snapshot?.parts[index]
    if (!part) throw new FreightError('INTERNAL', 'The snapshot of the source is closed.')
    return part
  }

  #read({ reading, part: index, batches }: Extract<ToHost, { kind: 'read' }>): void {
    this.#readingsHeard += 1
    try {
      const part = this.#part(index)
      part.rewind()
      this.#reading = { id: reading, part, credit: batches }
      this.#schedule()
    } catch (thrown) {
      this.#post({ kind: 'fault', reading, error: hostError(thrown) })
    }
  }

  #credit({ reading, batches }: Extract<ToHost, { kind: 'credit' }>): void {
    if (this.#reading?.id !== reading) return
    this.#reading.credit += batches
    this.#schedule()
  }

  #startCount(id: number, index: number, ms: number): void {
    this.#counting.push({ id, part: this.#part(index), deadline: Date.now() + ms })
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      const hasMore = this.#step()
      if (hasMore) this.#schedule()
    })
  }

  /** A batch where there is credit, then a little counting; true when there is more to do without being asked. */
  #step(): boolean {
    const reading = this.#reading
    if (reading && reading.credit > 0) this.#readBatch(reading)
    this.#count()
    return (
      (this.#reading !== null && this.#reading.credit > 0) ||
      this.#counting.some(({ part }) => part.canCountOn(this.#reading !== null))
    )
  }

  #readBatch(reading: Reading): void {
    try {
      this.tick()
      const batch = reading.part.next((roomBytes) => {
        this.#room = roomBytes
      }, BATCH_ROOM_BYTES)
      reading.credit -= 1
      if (batch.bytes) this.#post({ kind: 'batch', reading: reading.id, rows: batch.rows, bytes: batch.bytes })
      if (!batch.isLast) return
      this.#reading = null
      this.#post({ kind: 'end', reading: reading.id, rows: reading.part.delivered })
    } catch (thrown) {
      this.#reading = null
      this.#post({ kind: 'fault', reading: reading.id, error: hostError(thrown) })
    }
  }

  #count(): void {
    this.#counting = this.#counting.filter((counting) => {
      try {
        const rows = this.#countOn(counting)
        if (rows === null && Date.now() < counting.deadline) return true
        this.#post({ kind: 'answer', id: counting.id, answer: rows === null ? unknownCount() : { rows, exact: true } })
      } catch (thrown) {
        this.#post({ kind: 'refusal', id: counting.id, error: hostError(thrown) })
      }
      return false
    })
  }

  /** Null while it is not known. */
  #countOn({ part, deadline }: Counting): number | null {
    if (part.known !== null) return part.known
    const isReading = this.#reading !== null
    if (isReading) this.#countUntil = { deadline: Date.now() + SLICE_MS }
    else if (!part.isCountedByReading) this.#countUntil = { deadline }
    try {
      return isReading ? part.countSlice() : part.countAll()
    } catch (thrown) {
      if (thrown instanceof CountStopped) return null
      throw thrown
    } finally {
      this.#countUntil = null
    }
  }
}

function unknownCount(): RowCount {
  return { rows: null, exact: false }
}

function stopped(): FreightError {
  return new FreightError('ABORTED', 'Reading the source was stopped.')
}

function hostError(thrown: unknown): HostError {
  const { code, message, cause } = sourceError(thrown)
  const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : ''
  return { code, message, detail }
}
