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
import { CopySocket } from './copy-socket.ts'

/** Chunks that may wait for the reader before the socket is paused. */
const WAITING = 2
/** Rows of a slow query are handed over after this long, however few: whoever watches for progress must see it. */
const PATIENCE_MS = 500

const COPY_DATA = 0x64
const COPY_OUT_RESPONSE = 0x48
const COPY_DONE = 0x63
const READY_FOR_QUERY = 0x5a
/** A code and four bytes of length, which counts itself. */
const HEADER_BYTES = 5

interface Filled {
  readonly buffer: Buffer<ArrayBuffer>
  readonly length: number
  readonly rows: number
}

type Listener = (bytes: Buffer) => void

export class CopyOut implements Submittable {
  readonly #text: string
  readonly #messages: 'rows' | 'binary'
  #stream: Duplex | null = null
  #parse: Listener = () => {}
  #isAttached = false
  /** Of the message that is being read: bytes of its header so far, and of its body still to come. */
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerLength = 0
  #left = 0
  #body: 'row' | 'skipped' | 'forwarded' = 'skipped'
  readonly #buffers: ChunkBuffers
  #buffer: Buffer<ArrayBuffer>
  #length = 0
  #rows = 0
  #total = 0
  readonly #filled: Filled[] = []
  #handedAt = performance.now()
  #isPaused = false
  #isDiscarding = false
  #announced: number | null = null
  #error: unknown = null
  readonly #over = Promise.withResolvers<void>()
  #isOver = false
  #wake: (() => void) | null = null

  constructor(text: string, messages: 'rows' | 'binary' = 'rows', buffers: ChunkBuffers = new ChunkBuffers()) {
    this.#text = text
    this.#messages = messages
    this.#buffers = buffers
    this.#buffer = buffers.take()
  }

  /** Rows that have come so far. */
  get received(): number {
    return this.#total
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
   * Each chunk's bytes are good until the next is asked for. Ends normally only after the server's own end, and, where messages are rows,
   * with as many as it says it sent.
   */
  async *chunks(form: RowForm): AsyncIterable<RowChunk> {
    for await (const chunk of this.keptChunks(form)) {
      yield chunk
      this.#buffers.giveBack(chunk.bytes)
    }
  }

  /** The same chunks, to be given back to its buffers by who reads them. */
  async *keptChunks(form: RowForm): AsyncIterable<RowChunk> {
    for (let filled = await this.#next(); filled !== null; filled = await this.#next()) {
      yield { form, bytes: filled.buffer.subarray(0, filled.length), rows: filled.rows }
    }
    this.#buffers.giveBack(this.#buffer)
  }

  /** Lets the rest go by unread. */
  discard(): void {
    this.#isDiscarding = true
    this.#filled.length = 0
    this.#resume()
  }

  /** Ends the reading with this error, whatever still comes. */
  fail(error: unknown): void {
    this.#error ??= error
    this.#wakeUp()
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
    if (this.#error === null && this.#messages === 'rows' && this.#announced !== this.#total) {
      const sent = this.#announced ?? 'an unknown number of'
      this.#error = new FreightError('ROWS_INCOMPLETE', `PostgreSQL sent ${sent} rows, and ${this.#total} arrived.`)
    }
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#detach()
    this.#stream?.removeListener('close', this.#onClose)
    this.#isOver = true
    this.#over.resolve()
    this.#wakeUp()
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
    this.#resume()
  }

  readonly #onData = (bytes: Buffer): void => {
    let i = 0
    const end = bytes.length
    while (i < end) {
      if (this.#left > 0) {
        i = this.#takeBody(bytes, i)
        continue
      }
      let header = bytes
      let at = i
      if (this.#headerLength > 0 || end - i < HEADER_BYTES) {
        i += bytes.copy(this.#header, this.#headerLength, i, Math.min(end, i + HEADER_BYTES - this.#headerLength))
        this.#headerLength += i - at
        if (this.#headerLength < HEADER_BYTES) break
        this.#headerLength = 0
        header = this.#header
        at = 0
      } else i += HEADER_BYTES
      const code = header[at]
      if (code === READY_FOR_QUERY) {
        // What follows is no longer ours: the next statement may already be under way when this returns.
        this.#detach()
        this.#parse(Buffer.from(header.subarray(at, at + HEADER_BYTES)))
        if (i < end) this.#parse(Buffer.from(bytes.subarray(i)))
        // `pg` says so only to a statement that met no error.
        this.#end()
        return
      }
      this.#left = header.readUInt32BE(at + 1) - 4
      this.#beginBody(code, header, at)
    }
    if (this.#wake && this.#left === 0 && this.#rows > 0 && performance.now() - this.#handedAt > PATIENCE_MS) this.#hand()
  }

  #beginBody(code: number | undefined, header: Buffer, at: number): void {
    if (code === COPY_DATA) {
      this.#body = 'row'
      this.#makeRoom(this.#left)
      if (this.#left === 0) this.#countRow()
    } else if (code === COPY_OUT_RESPONSE || code === COPY_DONE) this.#body = 'skipped'
    else {
      this.#body = 'forwarded'
      this.#parse(Buffer.from(header.subarray(at, at + HEADER_BYTES)))
    }
  }

  /** As much of the message's body as is there; returns where the next byte stands. */
  #takeBody(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + this.#left)
    this.#left -= to - from
    if (this.#body === 'row') {
      if (!this.#isDiscarding) this.#length += bytes.copy(this.#buffer, this.#length, from, to)
      if (this.#left === 0) this.#countRow()
    } else if (this.#body === 'forwarded') this.#parse(Buffer.from(bytes.subarray(from, to)))
    return to
  }

  #countRow(): void {
    this.#rows += 1
    this.#total += 1
  }

  /** Called at a row's beginning, so a chunk is whole rows. */
  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    if (this.#rows > 0) this.#hand()
    if (bytes <= this.#buffer.length) return
    this.#buffers.giveBack(this.#buffer)
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  /** Only between two rows. */
  #hand(): void {
    if (!this.#isDiscarding && this.#rows > 0) {
      this.#filled.push({ buffer: this.#buffer, length: this.#length, rows: this.#rows })
      this.#buffer = this.#buffers.take()
      this.#handedAt = performance.now()
    }
    this.#length = 0
    this.#rows = 0
    if (this.#filled.length >= WAITING && !this.#isPaused) {
      this.#isPaused = true
      this.#stream?.pause()
    }
    this.#wakeUp()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#stream?.resume()
  }

  async #next(): Promise<Filled | null> {
    for (;;) {
      if (this.#error !== null) throw this.#error
      const filled = this.#filled.shift()
      if (this.#filled.length < WAITING) this.#resume()
      if (filled) return filled
      if (this.#isOver) {
        if (this.#rows === 0) return null
        this.#hand()
        continue
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
