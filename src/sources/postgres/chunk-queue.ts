/** Chunks of whole rows, filled on one side and read on the other; who fills them is held up while too many wait. */
import type { ChunkBuffers } from './chunk-buffers.ts'

/** Chunks that may wait for the reader before the flow is held up. */
const WAITING = 2
/** Rows of a slow query are handed over after this long, however few: whoever watches for progress must see it. */
const PATIENCE_MS = 500

export interface Filled {
  readonly bytes: Buffer<ArrayBuffer>
  readonly rows: number
}

/** Of what fills the chunks. */
export interface Flow {
  pause(): void
  resume(): void
}

export class ChunkQueue {
  readonly #buffers: ChunkBuffers
  readonly #flow: Flow
  #buffer: Buffer<ArrayBuffer>
  #length = 0
  #rows = 0
  #total = 0
  readonly #filled: Filled[] = []
  #handedAt = performance.now()
  #isPaused = false
  #isDiscarding = false
  #error: unknown = null
  #isOver = false
  #wake: (() => void) | null = null

  constructor(buffers: ChunkBuffers, flow: Flow) {
    this.#buffers = buffers
    this.#flow = flow
    this.#buffer = buffers.take()
  }

  /** Rows that have come so far. */
  get total(): number {
    return this.#total
  }

  /** How many bytes the chunk that is being filled still takes. */
  get room(): number {
    return this.#isDiscarding ? Number.POSITIVE_INFINITY : this.#buffer.length - this.#length
  }

  /** For the whole of a row, at its beginning; so a chunk is whole rows. */
  makeRoom(bytes: number): void {
    if (bytes <= this.room) return
    if (this.#rows > 0) this.#hand()
    if (bytes <= this.#buffer.length) return
    this.#buffers.giveBack(this.#buffer)
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  /** Of a row for which there is room. */
  add(bytes: Buffer, from: number, to: number): void {
    if (!this.#isDiscarding) this.#length += bytes.copy(this.#buffer, this.#length, from, to)
  }

  /** That have been added whole. */
  countRows(rows: number): void {
    this.#rows += rows
    this.#total += rows
  }

  /** Between two rows: what has come for a reader that has been waiting for long. */
  handIfLate(): void {
    if (this.#wake && this.#rows > 0 && performance.now() - this.#handedAt > PATIENCE_MS) this.#hand()
  }

  /** Lets the rest go by unread. */
  discard(): void {
    this.#isDiscarding = true
    this.#filled.length = 0
    this.letFlow()
  }

  /** Ends the reading with this error, whatever still comes; the first counts. */
  fail(error: unknown): void {
    this.#error ??= error
    this.#wakeUp()
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true
    this.#wakeUp()
  }

  letFlow(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#flow.resume()
  }

  /** Null behind the last, whose memory is then given back. Throws what it failed with. */
  async next(): Promise<Filled | null> {
    for (;;) {
      if (this.#error !== null) throw this.#error
      const filled = this.#filled.shift()
      if (this.#filled.length < WAITING) this.letFlow()
      if (filled) return filled
      if (this.#isOver && this.#rows === 0) {
        this.#buffers.giveBack(this.#buffer)
        return null
      }
      if (this.#isOver) this.#hand()
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  /** Only between two rows. */
  #hand(): void {
    if (!this.#isDiscarding && this.#rows > 0) {
      this.#filled.push({ bytes: this.#buffer.subarray(0, this.#length), rows: this.#rows })
      this.#buffer = this.#buffers.take()
      this.#handedAt = performance.now()
    }
    this.#length = 0
    this.#rows = 0
    if (this.#filled.length >= WAITING && !this.#isPaused) {
      this.#isPaused = true
      this.#flow.pause()
    }
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
