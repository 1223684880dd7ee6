/**
 * Messages of a reader process over a pipe: 4 bytes length of the head, 4 bytes length of the body (both big-endian), the head
 * as JSON, the body as it is. JSON alone would have to escape every batch.
 */
import type { FromHost } from './protocol.ts'

const PREFIX_BYTES = 8

export function frame(message: FromHost): Uint8Array[] {
  const body = message.kind === 'batch' ? message.bytes : new Uint8Array()
  const head = Buffer.from(JSON.stringify(message.kind === 'batch' ? { ...message, bytes: null } : message))
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(head.length, 0)
  prefix.writeUInt32BE(body.length, 4)
  return [prefix, head, body]
}

/** Puts frames together again from pieces of any size. A body is copied once, into memory of its own. */
export class FrameReader {
  readonly #heard: (message: FromHost) => void
  #want = PREFIX_BYTES
  #piece = Buffer.alloc(PREFIX_BYTES)
  #filled = 0
  #stage: 'prefix' | 'head' | 'body' = 'prefix'
  #bodyBytes = 0
  #head: FromHost | null = null

  constructor(heard: (message: FromHost) => void) {
    this.#heard = heard
  }

  add(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const taken = Math.min(chunk.length - at, this.#want - this.#filled)
      this.#piece.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === this.#want) this.#complete()
    }
  }

  #complete(): void {
    const piece = this.#piece
    if (this.#stage === 'prefix') {
      this.#bodyBytes = piece.readUInt32BE(4)
      this.#next('head', piece.readUInt32BE(0))
    } else if (this.#stage === 'head') {
      this.#head = JSON.parse(piece.toString()) as FromHost
      if (this.#bodyBytes > 0) this.#next('body', this.#bodyBytes)
      else this.#deliver(this.#head)
    } else if (this.#head?.kind === 'batch') {
      this.#deliver({ ...this.#head, bytes: new Uint8Array(piece.buffer) })
    }
  }

  #deliver(message: FromHost): void {
    this.#next('prefix', PREFIX_BYTES)
    this.#heard(message)
  }

  #next(stage: 'prefix' | 'head' | 'body', bytes: number): void {
    this.#stage = stage
    this.#want = bytes
    this.#filled = 0
    this.#piece = Buffer.from(new ArrayBuffer(bytes))
  }
}
