/**
 * COPY BINARY (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"): the server only hands its values over, and their
 * text is made on this side. See decision 005.
 */
import { FreightError } from '../../../job/errors.ts'
import type { RowChunk } from '../../../job/row-text.ts'
import type { BinaryPlan, BinaryRowWriter } from './plan.ts'
import { RowText } from './row-text.ts'
import { int16, int32 } from './values.ts'

/** `PGCOPY\n\377\r\n\0`; behind it four bytes of flags and four of the length of what may be added to this. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const FLAGS_AT = SIGNATURE.length
const HEADER_BYTES = SIGNATURE.length + 8
/** Flags that a reader must know. */
const CRITICAL = 0xffff0000
const ROOM_STEP = 2 * 1024 * 1024
const TRAILER = -1
export class BinaryRows {
  readonly #fields: number
  readonly #writers: Readonly<Record<'written' | 'json', BinaryRowWriter>>
  #out = new Uint8Array(0)
  #isBegun = false
  #isOver = false
  #rows = 0

  constructor({ fields, writer }: BinaryPlan) {
    this.#fields = fields.length
    this.#writers = { written: writer(), json: new RowText(fields) }
  }

  /**
   * The rows of a chunk of whole rows; they are good until the next call. From the first on that cannot come written the chunk's rows are
   * `json`: such rows are seldom, or all of a table.
   */
  read(chunk: Uint8Array): readonly RowChunk[] {
    // As a plain Uint8Array: inner loops that meet Buffers as well run slower.
    const src = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    const room = src.length * 2
    // Rounded up: each chunk that is a little longer than all before it would ask for another buffer.
    if (this.#out.length < room) this.#out = new Uint8Array(Math.ceil(room / ROOM_STEP) * ROOM_STEP)
    const begin = this.#isBegun ? 0 : this.#header(src)
    const written = this.#rowsFrom(src, begin, 0, 'written')
    const rest = written.next < src.length ? this.#rowsFrom(src, written.next, written.end, 'json') : null
    if ((rest ?? written).next !== src.length) throw broken('a row is cut')
    // None where only the trailer was left.
    return [written, rest].flatMap((part) => (part?.chunk.rows ? [part.chunk] : []))
  }

  /** Throws where rows are missing. */
  assertWhole(announced: number | null): void {
    if (this.#isOver && announced === this.#rows) return
    const sent = announced ?? 'an unknown number of'
    throw new FreightError('ROWS_INCOMPLETE', `PostgreSQL sent ${sent} rows, and ${this.#rows} arrived.`)
  }

  /** As many rows as the form can hold; `next` is where the first that it cannot begins. */
  #rowsFrom(
    src: Uint8Array,
    from: number,
    begin: number,
    form: 'written' | 'json',
  ): { chunk: RowChunk; next: number; end: number } {
    const writer = this.#writers[form]
    let i = from
    let p = begin
    let rows = 0
    while (i < src.length) {
      if (this.#isOver) throw broken('something follows its end')
      const count = int16(src, i)
      if (count === TRAILER) {
        this.#isOver = true
        i += 2
        continue
      }
      if (count !== this.#fields) throw broken('a row has another number of fields')
      const end = writer.write(src, i + 2, this.#out, p)
      if (end < 0) break
      if (end > this.#out.length) this.#grow(p, end)
      else {
        p = end
        i = writer.next
        rows += 1
      }
    }
    this.#rows += rows
    return { chunk: { form, bytes: this.#out.subarray(begin, p), rows }, next: i, end: p }
  }

  #header(src: Uint8Array): number {
    if (!SIGNATURE.every((byte, k) => src[k] === byte)) throw broken('it does not begin as it should')
    if ((int32(src, FLAGS_AT) & CRITICAL) !== 0) throw broken('it is of a form that is not known')
    this.#isBegun = true
    return HEADER_BYTES + int32(src, FLAGS_AT + 4)
  }

  #grow(kept: number, needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#out.length * 2))
    larger.set(this.#out.subarray(0, kept))
    this.#out = larger
  }
}

function broken(how: string): FreightError {
  return new FreightError('SOURCE_FAILED', `What PostgreSQL sent cannot be read (${how}); start the export again.`)
}
