/** Rows of COPY BINARY as the CSV that COPY itself would write; times also as RFC 3339. */
import { flatLeaves } from '../../../job/shape.ts'
import type { CheckedPart, Output, WrittenForm } from '../../../job/spec.ts'
import type { Bench } from '../relations.ts'
import { isCopyCsv } from '../written.ts'
import { type BinaryField, type BinaryType, binaryField } from './fields.ts'
import { type Memory, putRange } from './memory.ts'
import { type BinaryPlan, type BinaryRowWriter, NULL } from './plan.ts'
import {
  behindFields,
  type ValueWriter,
  writeBool,
  writeBytea,
  writeDate,
  writeInt2,
  writeInt4,
  writeInt8,
  writeNumeric,
  writeOid,
  writeRfc3339,
  writeTime,
  writeTimestamp,
  writeTimestamptz,
  writeUuid,
} from './values.ts'

const NEWLINE = 10
const RETURN = 13
const QUOTE = 34
/** Written without a look: no byte of these is a delimiter, a quote or a line break. */
const PLAIN: Readonly<Partial<Record<BinaryType, ValueWriter>>> = {
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
const DELIMITERS = [',', ';', '|', '\t']

/** Null where a column is of another type, or its text is not what COPY would write. */
export function binaryCsv(bench: Bench, part: CheckedPart, form: WrittenForm): BinaryPlan | null {
  const { quoting, delimiter, times, timeZone } = form.output
  if (!isCopyCsv(bench, part, form) || quoting !== 'minimal' || !DELIMITERS.includes(delimiter)) return null
  if (times === 'rfc3339' ? timeZone !== 'UTC' : times !== 'database') return null
  const leaves = flatLeaves(part.select)
  const fields = leaves.map(({ path, leaf }) => {
    return leaf.kind === 'field' ? binaryField(bench, path.at(-1)?.join.table ?? part.table, leaf) : null
  })
  const hidden = leaves.filter(({ leaf }) => leaf.kind === 'field' && leaf.hidden).length
  // A record of one field has rules of its own: `\.` alone is quoted.
  if (fields.length - hidden < 2) return null
  const known = fields.filter((field) => field !== null)
  return known.length < fields.length ? null : { fields: known, writer: () => new CsvRow(known, hidden, form.output) }
}

class CsvRow implements BinaryRowWriter {
  next = 0
  readonly #writers: readonly ValueWriter[]
  readonly #hidden: number
  readonly #delimiter: number

  /** The hidden fields come first. */
  constructor(fields: readonly BinaryField[], hidden: number, { delimiter, times }: Output) {
    this.#delimiter = delimiter.charCodeAt(0)
    this.#hidden = hidden
    this.#writers = fields.slice(hidden).map(({ type }) => {
      const isTime = type === 'timestamp' || type === 'timestamptz'
      return isTime && times === 'rfc3339' ? writeRfc3339 : writerOf(type, this.#delimiter)
    })
  }

  write(src: Memory, from: number, out: Memory, begin: number): number {
    const writers = this.#writers
    const { length } = writers
    let i = behindFields(src, from, this.#hidden)
    let p = begin
    for (let k = 0; k < length; k++) {
      if (p > out.room) return p
      if (k > 0) out.bytes[p++] = this.#delimiter
      const bytes = src.words.getInt32(i)
      i += 4
      if (bytes === NULL) continue
      p = (writers[k] as ValueWriter)(src, i, i + bytes, out, p)
      if (p < 0) return -1
      i += bytes
    }
    out.bytes[p] = NEWLINE
    this.next = i
    return p + 1
  }
}

function writerOf(type: BinaryType, delimiter: number): ValueWriter {
  const plain = PLAIN[type]
  if (plain) return plain
  const text = textWriter(delimiter)
  // Behind a byte that says which version of the form follows.
  return type === 'jsonb' ? (src, i, end, out, p) => text(src, i + 1, end, out, p) : text
}

/** Quoted only where it must be: the rule of COPY ... CSV, whose text for NULL is the empty one. */
function textWriter(delimiter: number): ValueWriter {
  const quoted = Uint8Array.from({ length: 256 }, (_, byte) => Number([delimiter, QUOTE, NEWLINE, RETURN].includes(byte)))
  return (src, i, end, out, p) => {
    const { bytes } = src
    let k = i
    while (k < end && quoted[bytes[k] as number] === 0) k++
    return k < end || i === end ? putQuoted(src, i, end, out, p) : putRange(src, i, end, out, p)
  }
}

function putQuoted({ bytes: src }: Memory, i: number, end: number, { bytes: out }: Memory, p: number): number {
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
