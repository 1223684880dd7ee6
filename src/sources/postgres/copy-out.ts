/**
 * `COPY ... TO STDOUT` over a connection of `pg`: the rows' bytes as the server sends them, gathered into chunks.
 *
 * The server sends one CopyData message per row (https://www.postgresql.org/docs/current/protocol-flow.html, "COPY Operations"), so rows
 * are counted by their frames and never looked at. A binary COPY has a header and a trailer as well, and whoever reads it counts its rows.
 * Everything else (errors, notices, the end) goes on to `pg`'s own parser.
 */
import type { Duplex } from 'node:stream'
import type { Connection, Submittable } from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { RowChunk, RowForm } from '../../job/row-text.ts'
import { ChunkBuffers } from './chunk-buffers.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { CopySocket } from './copy-socket.ts'

const COPY_OUT_RESPONSE = 0x48
const COPY_DONE = 0x63
const READY_FOR_QUERY = 0x5a
const COPY_DATA = 0x64
/** A code and four bytes of length, which counts itself. */
export const MESSAGE_HEADER_BYTES = 5

type Listener = (bytes: Buffer) => void

export class CopyOut implements Submittable {
  readonly #text: string
  readonly #keeps: 'rows' | 'messages'
  readonly #queue: ChunkQueue
  readonly #buffers: ChunkBuffers
  #stream: Duplex | null = null
  #parse: Listener = () => {}
  #isAttached = false
  /** Of the message that is being read: bytes of its header so far, and of its body still to come. */
  readonly #header = Buffer.alloc(MESSAGE_HEADER_BYTES)
  #headerLength = 0
  #left = 0
  #body: 'row' | 'skipped' | 'forwarded' = 'skipped'
  #announced: number | null = null
  readonly #over = Promise.withResolvers<void>()
  #isOver = false

  /** With `messages`, each is kept with its header: many are then taken over at once, and who reads them knows where each begins. */
  constructor(text: string, keeps: 'rows' | 'messages' = 'rows', buffers: ChunkBuffers = new ChunkBuffers()) {
    this.#text = text
    this.#keeps = keeps
    this.#buffers = buffers
    this.#queue = new ChunkQueue(buffers, { pause: () => this.#stream?.pause(), resume: () => this.#stream?.resume() })
  }

  /** Rows that have come so far. */
  get received(): number {
    return this.#queue.total
  }

  /** Rows that the server says it sent; null before its end. */
  get announced(): number | null {
    return this.#announced
  }

  /** Resolves when the server is ready for another statement, or the connection is gone. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /**
   * Each chunk's bytes are good until the next is asked for. Ends normally only after the server's own end, and, where rows are kept, with
   * as many as it says it sent.
   */
  async *chunks(form: RowForm): AsyncIterable<RowChunk> {
    for await (const chunk of this.keptChunks(form)) {
      yield chunk
      this.#buffers.giveBack(chunk.bytes)
    }
  }

  /** The same chunks, to be given back to its buffers by who reads them. */
  async *keptChunks(form: RowForm): AsyncIterable<RowChunk> {
    for (let filled = await this.#queue.next(); filled !== null; filled = await this.#queue.next()) {
      yield { form, bytes: filled.bytes, rows: filled.rows }
    }
  }

  /** Lets the rest go by unread. */
  discard(): void {
    this.#queue.discard()
  }

  /** Ends the reading with this error, whatever still comes. */
  fail(error: unknown): void {
    this.#queue.fail(error)
  }

  // What `pg` calls.

  submit(connection: Connection): void {
    const { stream } = connection
    const parse = stream.listeners('data').at(-1) as Listener | undefined
    if (!parse) throw new Error('pg has changed: its connection has no parser')
    this.#stream = stream
    this.#parse = parse
    this.#isAttached = true
    if (stream instanceof CopySocket) stream.readTo(this.#onData)
    else {
      stream.removeListener('data', parse)
      stream.on('data', this.#onData)
    }
    stream.once('close', this.#onClose)
    connection.query(this.#text)
  }

  handleCommandComplete({ text }: { text: string }): void {
    const rows = /^COPY (\d+)$/.exec(text)?.[1]
    if (rows !== undefined) this.#announced = Number(rows)
  }

  handleError(error: unknown): void {
    this.fail(error)
    // A dead connection never becomes ready.
    if (this.#stream?.destroyed !== false) this.#end()
  }

  // Also after the server's last message: `pg` tells a statement of one error only.
  readonly #onClose = (): void => {
    this.fail(new Error('Connection terminated unexpectedly'))
    this.#end()
  }

  handleReadyForQuery(): void {
    // Messages are not rows: their reader counts, but has to be told a number.
    const isWhole = this.#keeps === 'rows' ? this.#announced === this.received : this.#announced !== null
    if (!isWhole) {
      const sent = this.#announced ?? 'an unknown number of'
      this.fail(new FreightError('ROWS_INCOMPLETE', `PostgreSQL sent ${sent} rows, and ${this.received} arrived.`))
    }
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#detach()
    this.#stream?.removeListener('close', this.#onClose)
    this.#isOver = true
    this.#over.resolve()
    this.#queue.end()
  }

  #detach(): void {
    const stream = this.#stream
    if (!stream || !this.#isAttached) return
    this.#isAttached = false
    if (stream instanceof CopySocket) stream.readTo(null)
    else {
      stream.removeListener('data', this.#onData)
      stream.on('data', this.#parse)
    }
    this.#queue.letFlow()
  }

  readonly #onData = (bytes: Buffer): void => {
    let i = 0
    const end = bytes.length
    while (i < end) {
      if (this.#left > 0) {
        i = this.#takeBody(bytes, i)
        continue
      }
      if (this.#keeps === 'messages' && this.#headerLength === 0) {
        i = this.#takeMessages(bytes, i)
        if (i === end) break
      }
      let header = bytes
      let at = i
      if (this.#headerLength > 0 || end - i < MESSAGE_HEADER_BYTES) {
        i += bytes.copy(this.#header, this.#headerLength, i, Math.min(end, i + MESSAGE_HEADER_BYTES - this.#headerLength))
        this.#headerLength += i - at
        if (this.#headerLength < MESSAGE_HEADER_BYTES) break
        this.#headerLength = 0
        header = this.#header
        at = 0
      } else i += MESSAGE_HEADER_BYTES
      const code = header[at]
      if (code === READY_FOR_QUERY) {
        // What follows is no longer ours: the next statement may already be under way when this returns.
        this.#detach()
        this.#parse(Buffer.from(header.subarray(at, at + MESSAGE_HEADER_BYTES)))
        if (i < end) this.#parse(Buffer.from(bytes.subarray(i)))
        // `pg` says so only to a statement that met no error.
        this.#end()
        return
      }
      this.#left = header.readUInt32BE(at + 1) - 4
      this.#beginBody(code, header, at)
    }
    if (this.#left === 0) this.#queue.handIfLate()
  }

  /** Those of rows that are there whole, as many as the chunk has room for; returns where the next stands. */
  #takeMessages(bytes: Buffer, from: number): number {
    const most = Math.min(bytes.length, from + this.#queue.room)
    let to = from
    let rows = 0
    while (to + MESSAGE_HEADER_BYTES <= most && bytes[to] === COPY_DATA) {
      const next = to + 1 + bytes.readUInt32BE(to + 1)
      if (next > most) break
      to = next
      rows += 1
    }
    if (rows > 0) this.#queue.add(bytes, from, to)
    this.#queue.countRows(rows)
    return to
  }

  #beginBody(code: number | undefined, header: Buffer, at: number): void {
    if (code === COPY_DATA) {
      this.#body = 'row'
      const kept = this.#keeps === 'messages' ? MESSAGE_HEADER_BYTES : 0
      this.#queue.makeRoom(kept + this.#left)
      this.#queue.add(header, at, at + kept)
      if (this.#left === 0) this.#queue.countRows(1)
    } else if (code === COPY_OUT_RESPONSE || code === COPY_DONE) this.#body = 'skipped'
    else {
      this.#body = 'forwarded'
      this.#parse(Buffer.from(header.subarray(at, at + MESSAGE_HEADER_BYTES)))
    }
  }

  /** As much of the message's body as is there; returns where the next byte stands. */
  #takeBody(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + this.#left)
    this.#left -= to - from
    if (this.#body === 'row') {
      this.#queue.add(bytes, from, to)
      if (this.#left === 0) this.#queue.countRows(1)
    } else if (this.#body === 'forwarded') this.#parse(Buffer.from(bytes.subarray(from, to)))
    return to
  }
}
