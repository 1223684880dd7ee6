/** Rows as the rows of a worksheet (ECMA-376 part 1, 18.3.1.73): what each cell is written as. */
import type { Shape } from '../../job/row-text.ts'
import type { Output } from '../../job/spec.ts'
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
} from '../cells.ts'
import { RowChanges } from '../changes.ts'
import { ObjectWriter } from '../json-objects.ts'
import type { RowWriter } from '../row-writer.ts'
import { TextAside } from '../text-aside.ts'
import {
  DATE,
  FALSE,
  FINE_TIME,
  FLAGS,
  INFINITY,
  NEGATIVE_INFINITY,
  NO_NUMBERS,
  NUMBER,
  ROW,
  ROW_END,
  startsWith,
  TAG_END,
  TEXT,
  TEXT_END,
  TIME,
  TRUE,
  VALUE_END,
  WHOLE,
} from './cell-markup.ts'
import { type Column, columnsOf } from './columns.ts'
import { numberKind } from './numbers.ts'
import { putDigits, Serials } from './serials.ts'
import { CELL_UNITS, SheetText } from './sheet-text.ts'
import { shownWidth } from './shown-width.ts'

/** Rows by whose cells the widths are chosen. */
export const MEASURED_ROWS = 100

export class SheetRow implements RowWriter {
  readonly cursor = new Cursor()
  readonly changes = new RowChanges()
  /** How wide the widest cell of each visible column is shown, of the first rows. */
  readonly widths: number[]
  readonly #columns: readonly Column[]
  readonly #text: SheetText
  readonly #serials: Serials
  readonly #relation = new TextAside(this.changes)
  readonly #objects: ObjectWriter
  readonly #number = new Uint8Array(8)
  #numberLength = 0
  #row = 0
  #measured = 0
  /** Of the cell that was opened last: where its content begins, and how long the markup behind it is. */
  #contentAt = 0
  #endLength = 0
  /** The row that was written last, to know it when it is asked for again. */
  #lastSource: Uint8Array | null = null
  #lastStart = 0

  constructor(shape: Shape, output: Output) {
    this.#columns = columnsOf(shape, output)
    this.widths = this.#columns.flatMap(({ kind }) => (kind === 'hidden' ? [] : [0]))
    this.#text = new SheetText(this.cursor)
    this.#serials = new Serials(output.timeZone)
    const inside: Output = { ...output, times: output.times === 'native' ? 'rfc3339' : output.times }
    this.#objects = new ObjectWriter(this.#relation.cursor, this.changes, inside)
  }

  /** Of the sheet that was begun last. */
  get rows(): number {
    return this.#row - 1
  }

  /** The next row is the first below the header. */
  beginSheet(): void {
    this.#row = 1
  }

  row(): void {
    const { cursor } = this
    const columns = this.#columns
    const { length } = columns
    this.#countRow()
    put(cursor, ROW)
    this.#putRowNumber()
    put(cursor, TAG_END)
    if (length === 0) enterEmptyRow(cursor)
    for (let k = 0; k < length; k++) {
      const column = columns[k] as Column
      const first = enterCell(cursor, k === 0 ? OPEN_BRACKET : COMMA)
      if (column.kind === 'hidden') skipCell(cursor)
      else {
        const begin = cursor.p
        if (column.kind === 'text') this.#cell(column, first)
        else this.#many(column, first)
        if (this.#measured <= MEASURED_ROWS && cursor.p > begin) this.#measure(column)
      }
    }
    leaveRow(cursor)
    leaveLine(cursor)
    put(cursor, ROW_END)
  }

  /** A row may be asked for again when its buffer was too small, and keeps its number then. */
  #countRow(): void {
    const { cursor } = this
    if (cursor.src === this.#lastSource && cursor.i === this.#lastStart) return
    this.#lastSource = cursor.src
    this.#lastStart = cursor.i
    this.#row++
    this.#measured++
    this.#numberLength = putDigits(this.#number, 0, this.#row, 1)
  }

  #putRowNumber(): void {
    const { out } = this.cursor
    let { p } = this.cursor
    for (let k = 0; k < this.#numberLength; k++) out[p++] = this.#number[k] as number
    this.cursor.p = p
  }

  #measure({ at }: Column): void {
    const { out, p } = this.cursor
    this.widths[at] = Math.max(this.widths[at] ?? 0, shownWidth(out, this.#contentAt, p - this.#endLength))
  }

  #open(column: Column, kind: Uint8Array): void {
    put(this.cursor, column.lead)
    this.#putRowNumber()
    put(this.cursor, kind)
    this.#contentAt = this.cursor.p
    this.#endLength = kind === TEXT ? TEXT_END.length : VALUE_END.length
  }

  /** NULL is no cell at all. */
  #cell(column: Column, first: number): void {
    const { cursor } = this
    if (first === QUOTE) {
      cursor.i++
      this.#string(column)
    } else if (first === LOWER_N) skipWord(cursor, 'null')
    else if (first === 45 || (first ^ 48) < 10) this.#numberCell(column)
    else if (first === OPEN_BRACE) this.#bytes(column)
    else {
      skipWord(cursor, first === 116 ? 'true' : 'false')
      this.#open(column, first === 116 ? TRUE : FALSE)
    }
  }

  #string(column: Column): void {
    const { cursor } = this
    switch (column.reading) {
      case 'boolean':
        if (this.#flag(column)) return
        break
      case 'date':
      case 'time':
        if (this.#time(column)) return
        break
      case 'number':
        if (NO_NUMBERS.some((text) => startsWith(cursor.src, cursor.i, text))) this.changes.add(column.name, 'number_as_text')
    }
    this.#open(column, TEXT)
    this.#text.writeString()
    put(cursor, TEXT_END)
    this.#told(column)
    if (cursor.replaced) {
      cursor.replaced = false
      this.changes.add(column.name, 'invalid_utf8')
    }
  }

  #told(column: Column): void {
    if (!this.#text.cut) return
    this.#text.cut = false
    this.changes.add(column.name, 'text_cut')
  }

  #flag(column: Column): boolean {
    const { cursor } = this
    for (const [text, flag] of FLAGS) {
      if (!startsWith(cursor.src, cursor.i, text)) continue
      cursor.i += text.length
      this.#open(column, flag)
      return true
    }
    return false
  }

  /** False where it has no serial. */
  #time(column: Column): boolean {
    const { cursor } = this
    const serials = this.#serials
    const isDate = column.reading === 'date'
    if (!(isDate ? serials.readDate(cursor.src, cursor.i) : serials.readTime(cursor.src, cursor.i))) {
      this.changes.add(column.name, 'time_kept')
      return false
    }
    cursor.i = serials.end + 1
    this.#open(column, isDate ? DATE : serials.hasFraction ? FINE_TIME : TIME)
    cursor.p = serials.write(cursor.out, cursor.p)
    put(cursor, VALUE_END)
    return true
  }

  #numberCell(column: Column): void {
    const { cursor } = this
    const { src, i, p } = cursor
    const infinity = infinityAt(src, i)
    this.#open(column, NUMBER)
    copyNumber(cursor)
    const kind = infinity === 0 ? numberKind(src, i, cursor.i) : 'text'
    if (column.reading === 'boolean' && cursor.i === i + 1 && (src[i] === 48 || src[i] === 49)) {
      cursor.p = p
      this.#open(column, src[i] === 49 ? TRUE : FALSE)
      return
    }
    if (column.reading === 'time' || column.reading === 'date') this.changes.add(column.name, 'time_kept')
    if (kind === 'text') {
      cursor.p = p
      this.#open(column, TEXT)
      if (infinity !== 0) put(cursor, infinity < 0 ? NEGATIVE_INFINITY : INFINITY)
      else this.#text.writeText(src, i, cursor.i)
      put(cursor, TEXT_END)
      this.changes.add(column.name, 'number_as_text')
      this.#told(column)
      return
    }
    if (kind === 'wide') {
      cursor.p = p
      this.#open(column, WHOLE)
      put(cursor, src.subarray(i, cursor.i))
    }
    put(cursor, VALUE_END)
  }

  /** `\x` and lower-case hexadecimal digits, as in CSV. */
  #bytes(column: Column): void {
    const { cursor } = this
    this.#open(column, TEXT)
    const { src, out } = cursor
    const { from, to } = enterBytes(cursor)
    const end = Math.min(to, from + CELL_UNITS - 2)
    let { p } = cursor
    out[p++] = BACKSLASH
    out[p++] = 120
    // Setting this bit makes letters small and leaves digits as they are.
    for (let k = from; k < end; k++) out[p++] = (src[k] as number) | 32
    cursor.p = p
    put(cursor, TEXT_END)
    if (end < to) this.changes.add(column.name, 'text_cut')
  }

  #many(column: Column, first: number): void {
    const { cursor } = this
    const { cursor: relation } = this.#relation
    const length = this.#relation.write(cursor, () => this.#objects.many(column.member, first))
    this.#open(column, TEXT)
    this.#text.writeText(relation.out, 0, length)
    put(cursor, TEXT_END)
    this.#told(column)
    cursor.i = relation.i
  }
}
