/**
 * COPY BINARY (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"): the server only hands its values over, and their
 * text is made on this side. See decision 005.
 */
import { FreightError } from '../../../job/errors.ts'
import type { RowChunk } from '../../../job/row-text.ts'
import { MESSAGE_HEADER_BYTES } from '../copy-out.ts'
import { MARGIN, Memory } from './memory.ts'
import type { BinaryPlan, BinaryRowWriter } from './plan.ts'
import { RowText } from './row-text.ts'

/** `PGCOPY\n\377\r\n\0`; behind it four bytes of flags and four of the length of what may be added to this. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const FLAGS_AT = SIGNATURE.length
const HEADER_BYTES = SIGNATURE.length + 8
/** Flags that a reader must know. */
const CRITICAL = 0xffff0000
const ROOM_STEP = 2 * 1024 * 1024
const TRAILER = -1

interface Made {
  readonly chunk: RowChunk
  /** Where in the source the first row begins that is not in it. */
  readonly next: number
  /** Where the chunk ends in the memory of all. */
  readonly end: number
}

export class BinaryRows {
  readonly #fields: number
  readonly #writers: Readonly<Record<'written' | 'json', BinaryRowWriter>>
  #out = new Memory(new Uint8Array(0))
  #isBegun = false
  #isOver = false
  #rows = 0
  /** Where in the chunk the message ends that is being read; its rows follow each other. */
  #messageEnd = 0

  constructor({ fields, writer }: BinaryPlan) {
    this.#fields = fields.length
    this.#writers = { written: writer(), json: new RowText(fields) }
  }

  /**
   * The rows of a chunk of whole messages; they are good until the next call. From the first on that cannot come written the chunk's rows are
   * `json`: such rows are seldom, or all of a table.
   */
  read(chunk: Uint8Array): readonly RowChunk[] {
    const room = chunk.length * 2
    // Rounded up: each chunk that is a little longer than all before it would ask for another buffer.
    if (this.#out.bytes.length < room) this.#out = new Memory(new Uint8Array(Math.ceil(room / ROOM_STEP) * ROOM_STEP))
    try {
      return this.#read(new Memory(chunk))
    } catch (thrown) {
      throw thrown instanceof RangeError ? broken('a value is cut') : thrown
    }
  }

  #read(src: Memory): readonly RowChunk[] {
    const { length } = src.bytes
    this.#messageEnd = 0
    const begin = this.#isBegun ? 0 : this.#header(src)
    const written = this.#rowsFrom(src, begin, 0, 'written')
    const rest = written.next < length ? this.#rowsFrom(src, written.next, written.end, 'json') : null
    if ((rest ?? written).next !== length) throw broken('a row is cut')
    // None where only the trailer was left.
    return [written, rest].flatMap((part) => (part?.chunk.rows ? [part.chunk] : []))
  }

  /** Throws where rows are missing; then another COPY of the same plan may follow. */
  assertWhole(announced: number | null): void {
    if (!this.#isOver || announced !== this.#rows) {
      const sent = announced ?? 'an unknown number of'
      throw new FreightError('ROWS_INCOMPLETE', `PostgreSQL sent ${sent} rows, and ${this.#rows} arrived.`)
    }
    this.#isBegun = false
    this.#isOver = false
    this.#rows = 0
  }

  /** As many rows as the form can hold. */
  #rowsFrom(src: Memory, from: number, begin: number, form: 'written' | 'json'): Made {
    const writer = this.#writers[form]
    let i = from
    let p = begin
    let rows = 0
    while (i < src.bytes.length) {
      if (this.#isOver) throw broken('something follows its end')
      if (i === this.#messageEnd) i = this.#open(src, i)
      const count = src.words.getInt16(i)
      if (count === TRAILER) {
        this.#isOver = true
        i += 2
        continue
      }
      if (count !== this.#fields) throw broken('a row has another number of fields')
      const end = writer.write(src, i + 2, this.#out, p)
      if (end < 0) break
      if (end > this.#out.room) this.#grow(p, end)
      else {
        p = end
        i = writer.next
        rows += 1
      }
    }
    this.#rows += rows
    return { chunk: { form, bytes: this.#out.bytes.subarray(begin, p), rows }, next: i, end: p }
  }

  /** Returns where the message's body begins. */
  #open({ words }: Memory, i: number): number {
    this.#messageEnd = i + 1 + words.getInt32(i + 1)
    return i + MESSAGE_HEADER_BYTES
  }

  /** Returns where the first row begins. */
  #header(src: Memory): number {
    const i = this.#open(src, 0)
    if (!SIGNATURE.every((byte, k) => src.bytes[i + k] === byte)) throw broken('it does not begin as it should')
    const flags = src.words.getInt32(i + FLAGS_AT)
    if ((flags & CRITICAL) !== 0) throw broken('it is of a form that is not known')
    this.#isBegun = true
    return i + HEADER_BYTES + src.words.getInt32(i + FLAGS_AT + 4)
  }

  #grow(kept: number, needed: number): void {
    const { bytes } = this.#out
    const larger = new Uint8Array(Math.max(needed + MARGIN, bytes.length * 2))
    larger.set(bytes.subarray(0, kept))
    this.#out = new Memory(larger)
  }
}

function broken(how: string): FreightError {
  return new FreightError('SOURCE_FAILED', `What PostgreSQL sent cannot be read (${how}); start the export again.`)
}
