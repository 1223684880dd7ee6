/** Several connections read ranges of one table at once; their rows come out in the order of the ranges. */
import type pg from 'pg'
import type { RowChunk } from '../../job/row-text.ts'
import { BinaryRows } from './binary/rows.ts'
import { ChunkBuffers } from './chunk-buffers.ts'
import { CopyOut } from './copy-out.ts'
import type { Reading } from './part-plan.ts'
import type { KeyRange } from './ranges.ts'

/** What a range that is not yet due may hold back; its connection then waits. */
const AHEAD_BYTES = 8 * 1024 * 1024

export interface RangeReading {
  readonly clients: readonly pg.Client[]
  readonly ranges: readonly KeyRange[]
  readonly reading: Reading
}

/** Ends normally only when every range has ended with the server's own row count. */
export async function* readRanges(asked: RangeReading): AsyncIterable<RowChunk> {
  const lanes = new Lanes(asked)
  const running = asked.clients.map((client) => lanes.run(client))
  // A fault is thrown where the rows are read; here it must only not go unheard.
  for (const run of running) run.catch((error: unknown) => lanes.fail(error))
  try {
    for (let range = 0; range < asked.ranges.length; range++) yield* lanes.rowsOf(range)
    await Promise.all(running)
  } finally {
    lanes.stop()
  }
}

class Lanes {
  readonly #asked: RangeReading
  readonly #chunks: RowChunk[][]
  readonly #bytes: number[]
  /** Rows that the server says it sent; null before its end. */
  readonly #announced: (number | null)[]
  readonly #rows: BinaryRows | null
  readonly #buffers = new ChunkBuffers()
  #taken = 0
  #due = 0
  #error: unknown = null
  #isStopped = false
  #changed = Promise.withResolvers<void>()

  constructor(asked: RangeReading) {
    this.#asked = asked
    this.#chunks = asked.ranges.map(() => [])
    this.#bytes = asked.ranges.map(() => 0)
    this.#announced = asked.ranges.map(() => null)
    this.#rows = asked.reading.binary && new BinaryRows(asked.reading.binary)
  }

  /** Reads one range after the other until none is left. */
  async run(client: pg.Client): Promise<void> {
    const { ranges, reading, clients } = this.#asked
    for (;;) {
      const range = this.#taken++
      const bounds = ranges[range]
      if (!bounds || this.#isStopped) return
      await this.#until(() => range <= this.#due + clients.length)
      const copy = client.query(new CopyOut(reading.copy(bounds), reading.binary ? 'messages' : 'rows', this.#buffers))
      for await (const chunk of copy.keptChunks(reading.form)) {
        this.#chunks[range]?.push(chunk)
        this.#bytes[range] = (this.#bytes[range] ?? 0) + chunk.bytes.length
        this.#tell()
        await this.#until(() => (this.#bytes[range] ?? 0) < AHEAD_BYTES)
        if (this.#isStopped) return
      }
      this.#announced[range] = copy.announced
      this.#tell()
    }
  }

  async *rowsOf(range: number): AsyncIterable<RowChunk> {
    this.#due = range
    this.#tell()
    for (;;) {
      if (this.#error !== null) throw this.#error
      const chunk = this.#chunks[range]?.shift()
      if (chunk) {
        this.#bytes[range] = (this.#bytes[range] ?? 0) - chunk.bytes.length
        this.#tell()
        if (this.#rows) yield* this.#rows.read(chunk.bytes)
        else yield chunk
        this.#buffers.giveBack(chunk.bytes)
      } else if (this.#announced[range] == null) await this.#changed.promise
      else {
        this.#rows?.assertWhole(this.#announced[range])
        return
      }
    }
  }

  fail(error: unknown): void {
    this.#error ??= error
    this.stop()
  }

  stop(): void {
    this.#isStopped = true
    this.#tell()
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue() && !this.#isStopped) await this.#changed.promise
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
