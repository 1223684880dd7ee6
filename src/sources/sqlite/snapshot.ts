/** One read transaction, in a host of its own. */
import { rmSync } from 'node:fs'
import { FreightError } from '../../job/errors.ts'
import type { RowChunk, RowCount, Shape } from '../../job/row-text.ts'
import { shapeOf } from '../../job/shape.ts'
import type { Query, Snapshot } from '../source.ts'
import type { Conversation } from './conversation.ts'
import type { Consistency } from './protocol.ts'

export interface SnapshotOptions {
  readonly query: Query
  readonly consistency: Consistency
  readonly copyPath: string
  readonly views: boolean
  readonly signal: AbortSignal
  /** What becomes of the host: back to the source when it is whole. */
  give(conversation: Conversation): Promise<void>
}

export async function openSnapshot(conversation: Conversation, options: SnapshotOptions): Promise<Snapshot> {
  const { query, consistency, copyPath, views, signal, give } = options
  const abort = (): void => conversation.interrupt(new FreightError('ABORTED', 'Reading the source was stopped.'))
  signal.addEventListener('abort', abort, { once: true })
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', abort)
    // What still runs has no reader any more.
    if (conversation.isBusy) abort()
    if (!conversation.over) await conversation.ask({ ask: 'close' }).catch(() => {})
    await give(conversation)
    // Left behind only by a host that was killed while it copied.
    rmSync(copyPath, { force: true })
  }
  try {
    if (signal.aborted) abort()
    const { takenAt } = await conversation.ask({ ask: 'open', query, consistency, copyPath, views })
    return new SqliteSnapshot(conversation, query, new Date(takenAt), close)
  } catch (thrown) {
    await close()
    throw thrown
  }
}

class SqliteSnapshot implements Snapshot {
  readonly takenAt: Date
  readonly session = null
  readonly #conversation: Conversation
  readonly #query: Query
  readonly #close: () => Promise<void>
  readonly #closed = new AbortController()
  #closing: Promise<void> | null = null

  constructor(conversation: Conversation, query: Query, takenAt: Date, close: () => Promise<void>) {
    this.#conversation = conversation
    this.#query = query
    this.takenAt = takenAt
    this.#close = close
  }

  shape(part: number): Shape {
    return shapeOf(this.#query.parts[part]?.select ?? [], this.#query.layout)
  }

  /** The time is kept here too: a host inside a statement does not hear that it is over. */
  async count(part: number, { ms }: { ms: number }): Promise<RowCount> {
    this.#assertOpen()
    const { promise, resolve } = Promise.withResolvers<RowCount>()
    const timer = setTimeout(() => resolve({ rows: null, exact: false }), ms)
    const answer = this.#conversation.ask({ ask: 'count', part, ms })
    try {
      return await Promise.race([answer, promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async *rows(part: number): AsyncIterable<RowChunk> {
    this.#assertOpen()
    for await (const chunk of this.#conversation.read(part)) {
      yield chunk
      // At once, not at the next garbage collection: memory outside the heap makes V8 wait, which took 70 MB more.
      if (chunk.bytes.buffer instanceof ArrayBuffer) chunk.bytes.buffer.transfer(0)
      this.#assertOpen()
    }
    this.#assertOpen()
  }

  close(): Promise<void> {
    this.#closed.abort()
    this.#closing ??= this.#close()
    return this.#closing
  }

  #assertOpen(): void {
    if (this.#closed.signal.aborted)
      throw this.#conversation.over ?? new FreightError('ABORTED', 'The snapshot of the source is closed.')
  }
}
