/** A file's bytes on their way into storage. */
import { createHash } from 'node:crypto'
import type { Watchdog } from './watchdog.ts'

/** Passes bytes through, hashing them, and keeps the watchdog informed of writes that went on. */
export class HashedBody implements AsyncIterable<Uint8Array> {
  readonly #hash = createHash('sha256')
  readonly #bytes: AsyncIterable<Uint8Array>
  readonly #watchdog: Watchdog

  constructor(bytes: AsyncIterable<Uint8Array>, watchdog: Watchdog) {
    this.#bytes = bytes
    this.#watchdog = watchdog
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for await (const chunk of this.#bytes) {
      this.#hash.update(chunk)
      yield chunk
      this.#watchdog.alive()
    }
  }

  sha256(): string {
    return this.#hash.digest('hex')
  }
}
