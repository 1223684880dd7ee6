/** Rows as CSV records: what each cell is written as. */
import type { CellType, ShapeCell } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { putBase64 } from './base64.ts'
import {
  BACKSLASH,
  COMMA,
  Cursor,
  copyNumber,
  enterBytes,
  enterCell,
  enterEmptyRow,
  infinityAt,
  LOWER_N,
  leaveLine,
  leaveRow,
  OPEN_BRACE,
  OPEN_BRACKET,
  put,
  QUOTE,
  skipCell,
  skipWord,
} from './cells.ts'
import { RowChanges } from './changes.ts'
import { copyCellEnd, enterCopyCell, JsonCell, leaveCopyRow, skipCopyNull, writeCopiedTime } from './copy-cells.ts'
import { CopyCsv } from './copy-csv.ts'
import { type CopyKind, copyKind } from './copy-text.ts'
import { CsvText } from './csv-text.ts'
import { APOSTROPHE, beginsFormula, isPlainValue, MAY_BEGIN_ESCAPED } from './formula.ts'
import { ObjectWriter } from './json-objects.ts'
import { type Member, membersOf } from './members.ts'
import type { RowWriter } from './row-writer.ts'
import { isVisible } from './slots.ts'
import { decodeString } from './strings.ts'
import { TextAside } from './text-aside.ts'
import { TimeWriter } from './times.ts'

const DOT = 46
const INFINITY = new Uint8Array(Buffer.from('Infinity'))
const NEGATIVE_INFINITY = new Uint8Array(Buffer.from('-Infinity'))
const TRUE = new Uint8Array(Buffer.from('true'))
const FALSE = new Uint8Array(Buffer.from('false'))

interface Column {
  readonly kind: 'hidden' | 'text' | 'many'
  readonly name: string
  readonly type: CellType
  /** To be written as RFC 3339. */
  readonly isTime: boolean
  readonly isFirst: boolean
  readonly member: Member
  readonly copyKind: CopyKind
  /** Its COPY text is its text in the file. */
  readonly isCopied: boolean
}

export class CsvRow implements RowWriter {
  readonly cursor = new Cursor()
  readonly changes = new RowChanges()
  readonly #columns: readonly Column[]
  readonly #delimiter: number
  readonly #lineEnd: Uint8Array
  readonly #guards: boolean
  /** The decimal point is written as a comma. */
  readonly #hasComma: boolean
  readonly #hasBase64: boolean
  readonly #text: CsvText
  readonly #copied: CopyCsv
  readonly #json = new JsonCell()
  readonly #times: TimeWriter
  readonly #relation = new TextAside(this.changes)
  readonly #objects: ObjectWriter
  readonly #unescaped = new Cursor()

  constructor(cells: readonly ShapeCell[], output: Output) {
    const visible = cells.filter(isVisible)
    this.#columns = membersOf(cells).map((member, index): Column => {
      const kind = member.kind === 'value' ? 'text' : member.kind
      if (kind === 'one') throw new Error('a to-one relation lies open in the flat layout')
      const isTime = member.type === 'timestamp' && output.times === 'rfc3339'
      const { name, type } = member
      const copied = copyKind({ kind: kind === 'text' ? 'cell' : 'many', type })
      const isSame = copied === 'text' || (copied === 'number' && output.profile !== 'excel-eu')
      const isCopied = isSame && !isTime && !output.formulaGuard
      return { kind, name, type, isTime, isFirst: cells[index] === visible[0], member, copyKind: copied, isCopied }
    })
    this.#delimiter = output.delimiter.charCodeAt(0)
    this.#lineEnd = new Uint8Array(Buffer.from(output.lineEnd))
    this.#guards = output.formulaGuard
    this.#hasComma = output.profile === 'excel-eu'
    this.#hasBase64 = output.profile === 'bigquery'
    this.#text = new CsvText(this.cursor, output, visible.length === 1)
    this.#copied = new CopyCsv(this.cursor, output, visible.length === 1)
    this.#times = new TimeWriter(output.timeZone)
    this.#objects = new ObjectWriter(this.#relation.cursor, this.changes, output)
  }

  row(): void {
    const { cursor } = this
    const columns = this.#columns
    const { length } = columns
    if (length === 0) enterEmptyRow(cursor)
    for (let k = 0; k < length; k++) {
      const column = columns[k] as Column
      const first = enterCell(cursor, k === 0 ? OPEN_BRACKET : COMMA)
      if (column.kind === 'hidden') skipCell(cursor)
      else {
        if (!column.isFirst) cursor.out[cursor.p++] = this.#delimiter
        if (column.kind === 'text') this.#cell(column, first)
        else this.#many(column, first)
      }
    }
    leaveRow(cursor)
    leaveLine(cursor)
    put(cursor, this.#lineEnd)
  }

  /** Of COPY text, by way of the other form where a cell is more than its text. */
  copyRow(): void {
    const { cursor } = this
    const columns = this.#columns
    const { length } = columns
    for (let k = 0; k < length; k++) {
      const column = columns[k] as Column
      if (k > 0) enterCopyCell(cursor)
      if (column.kind === 'hidden') cursor.i = copyCellEnd(cursor.src, cursor.i)
      else {
        if (!column.isFirst) cursor.out[cursor.p++] = this.#delimiter
        if (column.kind === 'many') this.#copiedByJson(column)
        else if (skipCopyNull(cursor)) this.#text.writeNull()
        else if (!(column.isTime ? this.#copiedTime() : column.isCopied && this.#copied.write())) this.#copiedByJson(column)
      }
    }
    leaveCopyRow(cursor)
    put(cursor, this.#lineEnd)
  }

  #copiedTime(): boolean {
    const begin = this.cursor.p
    if (!writeCopiedTime(this.cursor, this.#times)) return false
    this.#text.finishPlain(begin)
    return true
  }

  #copiedByJson(column: Column): void {
    const { cursor } = this
    const { src } = cursor
    const json = this.#json.rewrite(cursor, column.copyKind)
    const behind = cursor.i
    cursor.src = json
    cursor.i = 0
    if (column.kind === 'many') this.#many(column, json[0] as number)
    else this.#cell(column, json[0] as number)
    cursor.src = src
    cursor.i = behind
  }

  #cell(column: Column, first: number): void {
    const { cursor } = this
    if (first === QUOTE) {
      cursor.i++
      if (column.isTime && this.#time(column)) return
      if (this.#guards && MAY_BEGIN_ESCAPED[cursor.src[cursor.i] as number] === 1) this.#guarded(column)
      else this.#text.writeString()
      if (cursor.replaced) {
        cursor.replaced = false
        this.changes.add(column.name, 'invalid_utf8')
      }
      if (this.#text.nulReplaced) {
        this.#text.nulReplaced = false
        this.changes.add(column.name, 'nul_replaced')
      }
    } else if (first === LOWER_N) {
      skipWord(cursor, 'null')
      this.#text.writeNull()
    } else {
      const begin = cursor.p
      if (first === 45 || (first ^ 48) < 10) this.#number(column)
      else if (first === OPEN_BRACE) this.#bytes()
      else {
        skipWord(cursor, first === 116 ? 'true' : 'false')
        put(cursor, first === 116 ? TRUE : FALSE)
      }
      this.#text.finishPlain(begin)
    }
  }

  #number(column: Column): void {
    const { cursor } = this
    const { p } = cursor
    const infinity = infinityAt(cursor.src, cursor.i)
    copyNumber(cursor)
    if (infinity !== 0) {
      cursor.p = p
      put(cursor, infinity < 0 ? NEGATIVE_INFINITY : INFINITY)
    } else if (this.#hasComma) {
      for (let k = p; k < cursor.p; k++) if (cursor.out[k] === DOT) cursor.out[k] = COMMA
    }
    if (column.isTime) this.changes.add(column.name, 'time_kept')
  }

  /** `\x` and lower-case hexadecimal digits, as PostgreSQL writes bytes, or base64, as BigQuery reads them. */
  #bytes(): void {
    const { cursor } = this
    const { src, out } = cursor
    const { from, to } = enterBytes(cursor)
    if (this.#hasBase64) {
      putBase64(cursor, src, from, to)
      return
    }
    let { p } = cursor
    out[p++] = BACKSLASH
    out[p++] = 120
    // Setting this bit makes letters small and leaves digits as they are.
    for (let k = from; k < to; k++) out[p++] = (src[k] as number) | 32
    cursor.p = p
  }

  /** False where it is no time that RFC 3339 can say. */
  #time(column: Column): boolean {
    const { cursor } = this
    const begin = cursor.p
    const p = this.#times.write(cursor.src, cursor.i, cursor.out, begin)
    if (p < 0) {
      this.changes.add(column.name, 'time_kept')
      return false
    }
    cursor.i = this.#times.end + 1
    cursor.p = p
    this.#text.finishPlain(begin)
    return true
  }

  #guarded(column: Column): void {
    const { cursor } = this
    const unescaped = this.#unescaped
    unescaped.src = cursor.src
    do {
      unescaped.out = unescaped.out.length <= unescaped.p ? new Uint8Array(unescaped.p * 2 + 4096) : unescaped.out
      unescaped.i = cursor.i
      unescaped.p = 1
      decodeString(unescaped)
    } while (unescaped.p > unescaped.out.length)
    const { out, p } = unescaped
    const guards = beginsFormula(out, 1, p) && !isPlainValue(out, 1, p, column.type)
    if (guards) this.changes.add(column.name, 'formula_guarded')
    out[0] = APOSTROPHE
    this.#text.writeText(out, guards ? 0 : 1, p)
    cursor.i = unescaped.i
    if (unescaped.replaced) cursor.replaced = true
    unescaped.replaced = false
  }

  #many(column: Column, first: number): void {
    const { cursor: relation } = this.#relation
    const length = this.#relation.write(this.cursor, () => this.#objects.many(column.member, first))
    this.#text.writeText(relation.out, 0, length)
    this.cursor.i = relation.i
  }
}
