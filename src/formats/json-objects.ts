import type { Output } from '../job/spec.ts'
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  type Cursor,
  enterCell,
  enterEmptyRow,
  LOWER_N,
  leaveRow,
  MalformedRow,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  put,
  QUOTE,
  SPACE,
  skipCell,
} from './cells.ts'
import type { RowChanges } from './changes.ts'
import { ValueWriter } from './json-values.ts'
import { LeadWriter } from './leads.ts'
import type { Member } from './members.ts'
import { decodeString } from './strings.ts'

const NULL = new Uint8Array(Buffer.from('null'))

export class ObjectWriter {
  readonly #cursor: Cursor
  readonly #changes: RowChanges
  readonly values: ValueWriter
  readonly #omitBlank: boolean
  readonly #leads = new LeadWriter()
  /** Unescaped elements of the to-many relations, by the depth at which they are nested. */
  readonly #unescaped: Uint8Array[] = []
  #depth = 0
  /** What stands before the next cell: `[` at the beginning of a row or element, else a comma. */
  #separator = OPEN_BRACKET

  constructor(cursor: Cursor, changes: RowChanges, output: Output) {
    this.#cursor = cursor
    this.#changes = changes
    this.values = new ValueWriter(cursor, changes, output)
    this.#omitBlank = output.omitBlank
  }

  /** The array of cells at the cursor, up to and with its closing bracket. */
  row(members: readonly Member[]): void {
    this.#separator = OPEN_BRACKET
    if (members.length === 0) enterEmptyRow(this.#cursor)
    this.#object(members)
    leaveRow(this.#cursor)
    this.#separator = COMMA
  }

  /** The cell of a to-many relation, whose first byte is `first`: an array of objects, empty for NULL. */
  many(member: Member, first: number): void {
    const { out } = this.#cursor
    if (first === QUOTE) this.#escapedElements(member)
    else if (first === OPEN_BRACKET) this.#elements(member.members)
    else {
      if (first !== LOWER_N) throw new MalformedRow('a to-many relation is no array')
      skipCell(this.#cursor)
      out[this.#cursor.p++] = OPEN_BRACKET
      out[this.#cursor.p++] = CLOSE_BRACKET
    }
  }

  #object(members: readonly Member[]): void {
    const cursor = this.#cursor
    const { out } = cursor
    const { length } = members
    const begin = cursor.p
    out[cursor.p++] = OPEN_BRACE
    for (let k = 0; k < length; k++) this.#member(members[k] as Member)
    // Each member left a comma behind it; the last one's becomes the bracket.
    if (cursor.p > begin + 1) cursor.p--
    out[cursor.p++] = CLOSE_BRACE
  }

  #member(member: Member): void {
    const cursor = this.#cursor
    const first = enterCell(cursor, this.#separator)
    this.#separator = COMMA
    if (member.kind === 'hidden') {
      skipCell(cursor)
      return
    }
    const begin = cursor.p
    this.#leads.put(cursor, member.lead)
    const value = cursor.p
    if (member.kind === 'value') this.values.write(member, first)
    else if (member.kind === 'many') this.many(member, first)
    else this.#one(member)
    if (this.#omitBlank && isBlank(cursor, value)) cursor.p = begin
    else cursor.out[cursor.p++] = COMMA
  }

  #one(member: Member): void {
    const cursor = this.#cursor
    if (this.#isPresent()) {
      this.#object(member.members)
      return
    }
    for (let k = 0; k < member.slots; k++) {
      enterCell(cursor, COMMA)
      skipCell(cursor)
    }
    put(cursor, NULL)
  }

  /** `1`, `t` or `true`, as number or text. */
  #isPresent(): boolean {
    const cursor = this.#cursor
    const { src, i } = cursor
    const c = src[i] === QUOTE ? src[i + 1] : src[i]
    skipCell(cursor)
    if (c !== 48 && c !== 49 && c !== 116 && c !== 102 && c !== LOWER_N)
      throw new MalformedRow('a to-one relation is neither there nor not')
    return c === 49 || c === 116
  }

  /** Elements inside a text cell: unescaped first, since they may hold text with escapes of its own. */
  #escapedElements(member: Member): void {
    const cursor = this.#cursor
    const { out, p, src } = cursor
    const unescaped = this.#unescape(member)
    const behind = cursor.i
    cursor.src = unescaped
    cursor.i = 0
    cursor.out = out
    cursor.p = p
    this.#depth++
    this.#elements(member.members)
    this.#depth--
    if (unescaped[cursor.i] !== NEWLINE) throw new MalformedRow('a to-many relation is cut')
    cursor.src = src
    cursor.i = behind
  }

  /** The text of the string at the cursor, with a newline behind it; valid until the next one of this depth. */
  #unescape(member: Member): Uint8Array {
    const cursor = this.#cursor
    const from = cursor.i + 1
    let room = this.#unescaped[this.#depth] ?? new Uint8Array(4096)
    for (;;) {
      cursor.i = from
      cursor.p = 0
      cursor.out = room
      cursor.replaced = false
      decodeString(cursor)
      if (cursor.p < room.length) break
      room = new Uint8Array(cursor.p * 2)
    }
    this.#unescaped[this.#depth] = room
    room[cursor.p] = NEWLINE
    if (cursor.replaced) this.#changes.add(member.name, 'invalid_utf8')
    return room
  }

  #elements(members: readonly Member[]): void {
    const cursor = this.#cursor
    const { src, out } = cursor
    if (src[cursor.i++] !== OPEN_BRACKET) throw new MalformedRow('a to-many relation is no array')
    out[cursor.p++] = OPEN_BRACKET
    skipSpaces(cursor)
    if (src[cursor.i] === CLOSE_BRACKET) cursor.i++
    else {
      for (;;) {
        this.row(members)
        skipSpaces(cursor)
        const c = src[cursor.i++]
        if (c === CLOSE_BRACKET) break
        if (c !== COMMA) throw new MalformedRow('a to-many relation is cut')
        out[cursor.p++] = COMMA
        skipSpaces(cursor)
      }
    }
    out[cursor.p++] = CLOSE_BRACKET
    this.#separator = COMMA
  }
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.src[cursor.i] === SPACE) cursor.i++
}

/** Whether `null` or `""` was written from `value` on: no other value is as short and begins so. */
export function isBlank(cursor: Cursor, value: number): boolean {
  const length = cursor.p - value
  return (length === 4 && cursor.out[value] === LOWER_N) || (length === 2 && cursor.out[value] === QUOTE)
}
