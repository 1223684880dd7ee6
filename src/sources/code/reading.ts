/** Reads the rows of one part from the application's generator, as fast as they are written and until the run is stopped. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CodeRequest, CodeResource } from '../../job/code-resource.ts'
import { FreightError } from '../../job/errors.ts'
import type { LeftOutRow, RowChunk } from '../../job/row-text.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Query } from '../source.ts'
import { RowWriter, type WrittenRow } from './row-writer.ts'

/** Characters of row text that make a chunk. */
const CHUNK_LENGTH = 1024 * 1024
/** Rows that come slowly are handed on after so long, so that they count as progress. */
const CHUNK_MS = 500
/** Of wrong rows in one chunk, which has a record of each. */
const LEFT_OUT = 1_000
const TURN_MS = 50

export class CodeReading {
  readonly #resource: CodeResource
  readonly #part: CheckedPart
  readonly #writer: RowWriter
  readonly #skips: boolean
  #lines: string[] = []
  #length = 0
  #leftOut: LeftOutRow[] = []
  #rows = 0
  #chunkBegan = performance.now()
  #turnedAt = performance.now()

  constructor(
    resource: CodeResource,
    part: CheckedPart,
    { layout, onRowError }: Pick<Query, 'layout' | 'onRowError'>,
    maskKey: string | null,
  ) {
    this.#resource = resource
    this.#part = part
    this.#writer = new RowWriter(resource, part, layout, maskKey)
    this.#skips = onRowError === 'skip'
  }

  async *chunks(request: CodeRequest, signal: AbortSignal): AsyncIterable<RowChunk> {
    const given = new Interruptible(this.#start(request, signal), signal)
    try {
      while (!this.#isEnough()) {
        const next = await this.#next(given, signal)
        if (next.done) break
        for (const row of Array.isArray(next.value) ? next.value : [next.value]) {
          if (this.#isEnough()) break
          await this.#turn(signal)
          const written = this.#writer.write(row)
          if (written === 'passed over') continue
          // A chunk is rows and then those left out behind them, so that every row keeps its number.
          if ('line' in written && this.#leftOut.length > 0) yield this.#take()
          this.#keep(written)
          if (this.#isDue()) yield this.#take()
        }
      }
      signal.throwIfAborted()
      if (this.#lines.length > 0 || this.#leftOut.length > 0) yield this.#take()
    } finally {
      given.leave()
    }
  }

  /** A generator that never waits would keep the thread from hearing that it is to stop. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#turnedAt < TURN_MS) return
    await nextTurn()
    this.#turnedAt = performance.now()
    signal.throwIfAborted()
  }

  #start(request: CodeRequest, signal: AbortSignal): AsyncIterator<unknown> {
    let rows: unknown
    try {
      rows = this.#resource.rows(request, signal)
    } catch (thrown) {
      throw this.#failure(thrown)
    }
    if (isAsyncIterable(rows)) return rows[Symbol.asyncIterator]()
    throw new FreightError(
      'SOURCE_FAILED',
      `The code that makes the rows of "${this.#part.resource}" gives nothing that can be read row by row; write it as "async *rows".`,
    )
  }

  async #next(given: Interruptible, signal: AbortSignal): Promise<IteratorResult<unknown>> {
    try {
      return await given.next()
    } catch (thrown) {
      throw signal.aborted ? signal.reason : this.#failure(thrown)
    }
  }

  #isEnough(): boolean {
    return this.#part.limit !== null && this.#rows >= this.#part.limit
  }

  #isDue(): boolean {
    if (this.#length >= CHUNK_LENGTH || this.#leftOut.length >= LEFT_OUT) return true
    const waits = this.#lines.length > 0 || this.#leftOut.length > 0
    return waits && performance.now() - this.#chunkBegan >= CHUNK_MS
  }

  #keep(written: Exclude<WrittenRow, 'passed over'>): void {
    this.#rows += 1
    if ('line' in written) {
      this.#lines.push(written.line)
      this.#length += written.line.length
      return
    }
    const fault = { row: this.#rows, ...written.fault }
    if (!this.#skips) throw this.#wrongRow(fault)
    this.#leftOut.push(fault)
  }

  #take(): RowChunk {
    const chunk: RowChunk = {
      form: 'json',
      bytes: Buffer.from(this.#lines.join('')),
      rows: this.#lines.length,
      leftOut: this.#leftOut,
    }
    this.#lines = []
    this.#length = 0
    this.#leftOut = []
    this.#chunkBegan = performance.now()
    return chunk
  }

  #wrongRow({ row, key, column, what }: LeftOutRow): FreightError {
    const { resource } = this.#part
    const where = column === null ? '' : `, field "${column}"`
    return new FreightError(
      'SOURCE_FAILED',
      `Row ${row} of "${resource}"${where}: ${what}. Mend the code that makes it, or leave wrong rows out with on_row_error "skip".`,
      { details: { entry: { resource, row, key, column, what } } },
    )
  }

  /** What the application throws may hold anything: it goes to the log. A FreightError it has chosen for its callers. */
  #failure(thrown: unknown): FreightError {
    if (thrown instanceof FreightError) return thrown
    return new FreightError(
      'SOURCE_UNAVAILABLE',
      `The code that makes the rows of "${this.#part.resource}" failed after ${this.#rows} rows; the log has the reason.`,
      { cause: thrown },
    )
  }
}

/** An iterator whose `next` rejects at once when the signal aborts, also while the generator is silent. */
class Interruptible {
  readonly #given: AsyncIterator<unknown>
  readonly #signal: AbortSignal
  #hasEnded = false
  #giveUp: (reason: unknown) => void = () => {}
  readonly #onAbort = (): void => this.#giveUp(this.#signal.reason)

  constructor(given: AsyncIterator<unknown>, signal: AbortSignal) {
    this.#given = given
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  async next(): Promise<IteratorResult<unknown>> {
    this.#signal.throwIfAborted()
    const result = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
      this.#giveUp = reject
      this.#given.next().then(resolve, reject)
    })
    this.#hasEnded = result.done ?? false
    return result
  }

  /** Tells the generator that nobody reads on. Not awaited: one that hangs would hang its own end too. */
  leave(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (!this.#hasEnded) void this.#return()
  }

  async #return(): Promise<void> {
    try {
      await this.#given.return?.()
    } catch {
      // The rows were enough; what the code still has to say changes nothing.
    }
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
