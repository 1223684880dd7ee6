/**
 * What goes into the pipe that DuckDB reads, written by a thread of its own.
 *
 * DuckDB fills a buffer of 32 MB and reads nothing while it works on that, and a pipe holds 64 KiB. So as much as it may take at once is
 * kept here: rows are made while DuckDB works, and else each waited for the other.
 */
import { closeSync } from 'node:fs'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Filled, Written } from './messages.ts'

const SLAB_BYTES = 1024 * 1024
const SLABS = 32

export class Feed {
  readonly #fd: number
  #worker: Worker | null = null
  readonly #free: Uint8Array[] = []
  #made = 0
  #underWay = 0
  #fault: Error | null = null
  #isClosed = false
  #wake: (() => void) | null = null

  /** `fd` is the end to write to, in blocking mode; it is closed here. */
  constructor(fd: number) {
    this.#fd = fd
  }

  /** Takes the bytes by copying them, and waits while too much is on its way. One call at a time. Rejects when the pipe broke. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; from += SLAB_BYTES) {
      const piece = bytes.subarray(from, from + SLAB_BYTES)
      const slab = await this.#slab()
      slab.set(piece)
      this.#underWay += 1
      this.#worker ??= this.#start()
      this.#worker.postMessage({ bytes: slab, length: piece.length } satisfies Filled)
    }
  }

  /** Resolves when nothing is on its way any more. */
  async drained(): Promise<void> {
    while (this.#underWay > 0) await this.#change()
    if (this.#fault) throw this.#fault
  }

  /** After `drained`: the reader sees the end. */
  close(): void {
    if (!this.#isClosed) closeSync(this.#fd)
    this.#isClosed = true
  }

  /** Whoever waits is told so. */
  fail(fault: Error): void {
    this.#fault ??= fault
    this.#wakeUp()
  }

  /** Only when the reader is gone: a write that is under way then ends. */
  async end(): Promise<void> {
    await this.#worker?.terminate()
    this.close()
  }

  async #slab(): Promise<Uint8Array> {
    for (;;) {
      if (this.#fault) throw this.#fault
      const slab = this.#free.pop()
      if (slab) return slab
      if (this.#made < SLABS) {
        this.#made += 1
        return new Uint8Array(new SharedArrayBuffer(SLAB_BYTES))
      }
      await this.#change()
    }
  }

  async #change(): Promise<void> {
    if (this.#fault) throw this.#fault
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  #start(): Worker {
    const file = new URL(`./feed-thread${extname(import.meta.url)}`, import.meta.url)
    const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }
    const worker = new Worker(file, { workerData: { fd: this.#fd }, resourceLimits, name: 'freight-feed' })
    worker.on('message', ({ bytes, fault }: Written) => {
      this.#underWay -= 1
      this.#free.push(bytes)
      if (fault !== null) this.fail(new Error(fault))
      this.#wakeUp()
    })
    worker.on('error', (error) => this.fail(error))
    return worker
  }
}
