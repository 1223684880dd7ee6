/**
 * Rows of COPY BINARY (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format") as the CSV that COPY itself would write: the
 * server only hands its values over, and their text is made on this side. See decision 005.
 */
import { FreightError } from '../../job/errors.ts'
import { flatLeaves } from '../../job/shape.ts'
import type { CheckedPart, WrittenForm } from '../../job/spec.ts'
import {
  int16,
  int32,
  type ValueWriter,
  writeBool,
  writeBytea,
  writeDate,
  writeInt2,
  writeInt4,
  writeInt8,
  writeNumeric,
  writeOid,
  writeTime,
  writeTimestamp,
  writeTimestamptz,
  writeUuid,
} from './binary-values.ts'
import type { Bench } from './relations.ts'
import { writesAlike } from './written.ts'

const NEWLINE = 10
const RETURN = 13
const QUOTE = 34
/** `PGCOPY\n\377\r\n\0`; behind it four bytes of flags and four of the length of what may be added to this. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const FLAGS_AT = SIGNATURE.length
const HEADER_BYTES = SIGNATURE.length + 8
/** Flags that a reader must know. */
const CRITICAL = 0xffff0000
const ROOM_STEP = 2 * 1024 * 1024
const TRAILER = -1
const NULL = -1

/** Written without a look: no byte of these is a delimiter, a quote or a line break. */
const PLAIN: Readonly<Record<string, ValueWriter>> = {
  int2: writeInt2,
  int4: writeInt4,
  int8: writeInt8,
  oid: writeOid,
  numeric: writeNumeric,
  bool: writeBool,
  date: writeDate,
  time: writeTime,
  timestamp: writeTimestamp,
  timestamptz: writeTimestamptz,
  uuid: writeUuid,
  bytea: writeBytea,
}
/** Sent as their text. */
const TEXTS = ['text', 'varchar', 'bpchar', 'name', 'json']
const DELIMITERS = [',', ';', '|', '\t']

export type BinaryType = 'text' | 'jsonb' | keyof typeof PLAIN

/** What the columns of the file are sent as; null where one is of another type, or its text is not what COPY would write. */
export function binaryTypes(bench: Bench, part: CheckedPart, form: WrittenForm): readonly BinaryType[] | null {
  const { quoting, delimiter } = form.output
  if (!writesAlike(bench, part, form) || quoting !== 'minimal' || !DELIMITERS.includes(delimiter)) return null
  const types = flatLeaves(part.select).flatMap(({ path, leaf }): (BinaryType | null)[] => {
    if (leaf.kind !== 'field') return [null]
    if (leaf.hidden) return []
    if (leaf.mask) return ['text']
    const { base, sort } = bench.tables.column(path.at(-1)?.join.table ?? part.table, leaf.column)
    // Of an enum, the name of the value is sent.
    if (sort === 'e' || TEXTS.includes(base)) return ['text']
    return [base === 'jsonb' || Object.hasOwn(PLAIN, base) ? base : null]
  })
  // A record of one field has rules of its own: `\.` alone is quoted.
  return types.length < 2 || types.includes(null) ? null : types.filter((type) => type !== null)
}

export class BinaryCsv {
  readonly #writers: readonly ValueWriter[]
  readonly #delimiter: number
  #out = new Uint8Array(0)
  #isBegun = false
  #isOver = false
  #rows = 0

  constructor(types: readonly BinaryType[], delimiter: string) {
    this.#delimiter = delimiter.charCodeAt(0)
    const text = textWriter(this.#delimiter)
    // Behind a byte that says which version of the form follows.
    const jsonb: ValueWriter = (src, i, end, out, p) => text(src, i + 1, end, out, p)
    this.#writers = types.map((type) => (type === 'text' ? text : type === 'jsonb' ? jsonb : (PLAIN[type] ?? text)))
  }

  /** Rows that have come so far. */
  get rows(): number {
    return this.#rows
  }

  /** Of whole rows; good until the next call. */
  write(chunk: Uint8Array): Uint8Array {
    // As a plain Uint8Array: inner loops that meet Buffers as well run slower.
    const src = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    const room = src.length * 2
    // Rounded up: each chunk that is a little longer than all before it would ask for another buffer.
    if (this.#out.length < room) this.#out = new Uint8Array(Math.ceil(room / ROOM_STEP) * ROOM_STEP)
    let i = this.#isBegun ? 0 : this.#header(src)
    let p = 0
    while (i < src.length) {
      if (this.#isOver) throw broken('something follows its end')
      const fields = int16(src, i)
      if (fields === TRAILER) {
        this.#isOver = true
        i += 2
        continue
      }
      if (fields !== this.#writers.length) throw broken('a row has another number of fields')
      const end = this.#row(src, i + 2, p)
      if (end > this.#out.length) this.#grow(p, end)
      else {
        p = end
        i = this.#next
        this.#rows += 1
      }
    }
    if (i !== src.length) throw broken('a row is cut')
    return this.#out.subarray(0, p)
  }

  /** Throws where rows are missing. */
  assertWhole(announced: number | null): void {
    if (this.#isOver && announced === this.#rows) return
    const sent = announced ?? 'an unknown number of'
    throw new FreightError('ROWS_INCOMPLETE', `PostgreSQL sent ${sent} rows, and ${this.#rows} arrived.`)
  }

  /** Where the row that was written last ends in the source. */
  #next = 0

  #row(src: Uint8Array, from: number, begin: number): number {
    const writers = this.#writers
    const { length } = writers
    const out = this.#out
    let i = from
    let p = begin
    for (let k = 0; k < length; k++) {
      if (k > 0) out[p++] = this.#delimiter
      const bytes = int32(src, i)
      i += 4
      if (bytes === NULL) continue
      p = (writers[k] as ValueWriter)(src, i, i + bytes, out, p)
      i += bytes
    }
    out[p] = NEWLINE
    this.#next = i
    return p + 1
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

/** Quoted only where it must be: the rule of COPY ... CSV, whose text for NULL is the empty one. */
function textWriter(delimiter: number): ValueWriter {
  const quoted = Uint8Array.from({ length: 256 }, (_, byte) => Number([delimiter, QUOTE, NEWLINE, RETURN].includes(byte)))
  return (src, i, end, out, p) => {
    let at = p
    let k = i
    while (k < end && quoted[src[k] as number] === 0) out[at++] = src[k++] as number
    return k < end || i === end ? putQuoted(src, i, end, out, p) : at
  }
}

function putQuoted(src: Uint8Array, i: number, end: number, out: Uint8Array, p: number): number {
  let at = p
  out[at++] = QUOTE
  for (let k = i; k < end; k++) {
    const c = src[k] as number
    if (c === QUOTE) out[at++] = QUOTE
    out[at++] = c
  }
  out[at++] = QUOTE
  return at
}
