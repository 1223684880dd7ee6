/** Rows of COPY BINARY as the objects of JSON and NDJSON. */
import type { CheckedPart, Selected, TableRef, WrittenForm } from '../../../job/spec.ts'
import { isDocument } from '../documents.ts'
import type { Bench } from '../relations.ts'
import { type BinaryField, binaryField } from './fields.ts'
import { fileValue } from './json.ts'
import { Constant, type Memory } from './memory.ts'
import { type BinaryPlan, type BinaryRowWriter, NULL } from './plan.ts'
import { behindFields, type ValueWriter } from './values.ts'

const NEWLINE = 10
const COMMA = 44
const CLOSE_BRACE = 125
const WORD_NULL = new Constant('null')

/** What the objects are made of; null where a column is of another type, or the objects are not what the format would write. */
export function binaryObjects(bench: Bench, part: CheckedPart, { format, output }: WrittenForm): BinaryPlan | null {
  const { times, timeZone, omitBlank } = output
  if ((format !== 'ndjson' && format !== 'json') || omitBlank || !bench.isValidText) return null
  if (times === 'rfc3339' ? timeZone !== 'UTC' : times !== 'database') return null
  const members = membersOf(bench, part.table, part.select, times === 'rfc3339')
  if (members === null) return null
  const fields = fieldsOf(members)
  return { fields, writer: () => new ObjectRow(members, format) }
}

interface Member extends BinaryField {
  readonly kind: 'value' | 'hidden' | 'one'
  /** `{"id":` of the first that is not hidden, `,"id":` of the others. */
  readonly lead: Constant
  readonly write: ValueWriter
  /** Of a to-one relation, whose own field says whether it is there; theirs follow. */
  readonly members: readonly Member[]
  /** How many fields those are. */
  readonly inner: number
}

function membersOf(bench: Bench, table: TableRef, select: readonly Selected[], isRfc3339: boolean): readonly Member[] | null {
  const members: Member[] = []
  for (const node of select) {
    const field = fieldOf(bench, table, node)
    const isHidden = node.kind === 'field' && node.hidden
    const inner = node.kind === 'one' ? membersOf(bench, node.join.table, node.select, isRfc3339) : []
    if (field === null || inner === null) return null
    const begin = members.every(({ kind }) => kind === 'hidden') ? '{' : ','
    members.push({
      ...field,
      kind: node.kind === 'one' ? 'one' : isHidden ? 'hidden' : 'value',
      lead: new Constant(`${begin}${JSON.stringify(node.name)}:`),
      write: fileValue(field.type, isRfc3339),
      members: inner,
      inner: fieldsOf(inner).length,
    })
  }
  return members.some(({ kind }) => kind !== 'hidden') ? members : null
}

/** Null for what is sent otherwise, or where the configuration says another type than the database: such a cell may be spelled anew. */
function fieldOf(bench: Bench, table: TableRef, node: Selected): BinaryField | null {
  if (node.kind === 'many') return null
  if (node.kind === 'one') return { type: 'int4', isCast: false }
  const type = node.mask ? 'text' : bench.tables.column(table, node.column).type
  const isAsFound = node.hidden || node.type === type || isDocument(bench.tables, table, node)
  return isAsFound ? binaryField(bench, table, node) : null
}

function fieldsOf(members: readonly Member[]): BinaryField[] {
  return members.flatMap((member) => [member, ...fieldsOf(member.members)])
}

class ObjectRow implements BinaryRowWriter {
  next = 0
  readonly #members: readonly Member[]
  readonly #isLine: boolean

  constructor(members: readonly Member[], format: 'ndjson' | 'json') {
    this.#members = members
    this.#isLine = format === 'ndjson'
  }

  write(src: Memory, from: number, out: Memory, begin: number): number {
    let p = begin
    if (!this.#isLine) {
      out.bytes[p++] = COMMA
      out.bytes[p++] = NEWLINE
    }
    p = this.#object(this.#members, src, from, out, p)
    if (this.#isLine && p >= 0) out.bytes[p++] = NEWLINE
    return p
  }

  #object(members: readonly Member[], src: Memory, from: number, out: Memory, begin: number): number {
    const { length } = members
    let i = from
    let p = begin
    for (let k = 0; k < length; k++) {
      if (p > out.room) return p
      const member = members[k] as Member
      const bytes = src.words.getInt32(i)
      i += 4
      if (member.kind === 'hidden') {
        i += Math.max(0, bytes)
        continue
      }
      p = member.lead.put(out, p)
      if (bytes === NULL) p = WORD_NULL.put(out, p)
      else if (member.kind === 'value') {
        p = member.write(src, i, i + bytes, out, p)
        i += bytes
      } else {
        p = this.#one(member, src, i, out, p)
        i = this.next
      }
      if (p < 0) return -1
    }
    out.bytes[p] = CLOSE_BRACE
    this.next = i
    return p + 1
  }

  /** From its own field on, an `int4` of 0 or 1. */
  #one({ members, inner }: Member, src: Memory, i: number, out: Memory, p: number): number {
    if (src.words.getInt32(i) !== 0) return this.#object(members, src, i + 4, out, p)
    this.next = behindFields(src, i + 4, inner)
    return WORD_NULL.put(out, p)
  }
}
