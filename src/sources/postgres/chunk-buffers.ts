/**
 * The memory of chunks. It is handed round: the collector, which sees no need to hurry for what lies outside its heap, would let 20 buffers and
 * more come together that nobody needs any longer.
 */

/** Large enough that what is done once per chunk costs nothing, small enough for the processor's cache. */
const CHUNK_BYTES = 1024 * 1024

export class ChunkBuffers {
  readonly #free: Buffer<ArrayBuffer>[] = []

  take(): Buffer<ArrayBuffer> {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
  }

  /** Memory of `take` that nobody reads any more, or part of it. What was made larger for one row is not kept. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === CHUNK_BYTES) this.#free.push(Buffer.from(buffer))
  }
}
