/** Rows as the CSV records that DuckDB reads and writes as Parquet. */
import type { Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import {
  BACKSLASH,
  COMMA,
  Cursor,
  copyNumber,
  enterBytes,
  enterCell,
  infinityAt,
  LOWER_N,
  leaveLine,
  leaveRow,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  put,
  QUOTE,
  skipCell,
  skipWord,
} from './cells.ts'
import { RowChanges } from './changes.ts'
import { copyCellEnd, enterCopyCell, JsonCell, leaveCopyRow, skipCopyNull } from './copy-cells.ts'
import { type CopyKind, copyKind } from './copy-text.ts'
import { CsvText } from './csv-text.ts'
import { ObjectWriter } from './json-objects.ts'
import { ValueWriter } from './json-values.ts'
import { type Member, membersOf } from './members.ts'
import { TypedCells } from './parquet-cells.ts'
import type { ParquetColumn } from './parquet-columns.ts'
import { ParquetCopy } from './parquet-copy.ts'
import { ListWriter } from './parquet-lists.ts'
import { cellTooLarge, rowTooLarge, unfit } from './parquet-refusals.ts'
import type { RowWriter } from './row-writer.ts'
import { isVisible } from './slots.ts'
import { decodeString } from './strings.ts'
import { replaceLoneSurrogates } from './surrogates.ts'
import { TextAside } from './text-aside.ts'

export interface RowLimits {
  /** Of one value. */
  readonly cellBytes: number
  /** Of a row as text: what DuckDB's reader takes. */
  readonly rowBytes: number
}

/** Stands for NULL where a record has one field, since an empty line would be skipped. */
export const ONLY_NULL = 'NULL'

const INFINITY = new Uint8Array(Buffer.from('Infinity'))
const TRUE = new Uint8Array(Buffer.from('true'))
const FALSE = new Uint8Array(Buffer.from('false'))

interface Place {
  readonly member: Member
  /** Null for a hidden cell. */
  readonly column: ParquetColumn | null
  readonly isFirst: boolean
  readonly copyKind: CopyKind
}

export class ParquetRow implements RowWriter {
  readonly cursor = new Cursor()
  readonly changes = new RowChanges()
  readonly #places: readonly Place[]
  readonly #limits: RowLimits
  readonly #text: CsvText
  readonly #typed: TypedCells
  readonly #lists = new ListWriter()
  readonly #copied: ParquetCopy
  readonly #json = new JsonCell()
  readonly #aside = new TextAside(this.changes)
  readonly #objects: ObjectWriter
  readonly #values: ValueWriter

  constructor(shape: Shape, columns: readonly ParquetColumn[], output: Output, limits: RowLimits) {
    const visible = shape.filter(isVisible)
    this.#places = membersOf(shape).map((member, index): Place => {
      const at = visible.indexOf(shape[index] as (typeof shape)[number])
      const kind = copyKind({ kind: member.kind === 'many' ? 'many' : 'cell', type: member.type })
      return { member, column: columns[at] ?? null, isFirst: at === 0, copyKind: kind }
    })
    this.#limits = limits
    const plain: Output = { ...output, delimiter: ',', quoting: 'minimal', nullText: visible.length === 1 ? ONLY_NULL : '' }
    this.#text = new CsvText(this.cursor, plain, false)
    this.#typed = new TypedCells(this.cursor)
    this.#copied = new ParquetCopy(this.cursor, this.#text, plain, visible.length === 1)
    this.#objects = new ObjectWriter(this.#aside.cursor, this.changes, output)
    this.#values = new ValueWriter(this.#aside.cursor, this.changes, output)
  }

  row(): void {
    const { cursor } = this
    const places = this.#places
    const { length } = places
    const start = cursor.p
    for (let k = 0; k < length; k++) {
      const place = places[k] as Place
      const first = enterCell(cursor, k === 0 ? OPEN_BRACKET : COMMA)
      if (place.column === null) {
        skipCell(cursor)
        continue
      }
      if (!place.isFirst) cursor.out[cursor.p++] = COMMA
      const begin = cursor.p
      this.#cell(place, place.column, first)
      if (cursor.p - begin > this.#limits.cellBytes) this.#assertSize(place.column, begin)
    }
    leaveRow(cursor)
    leaveLine(cursor)
    this.#endRow(start)
  }

  /** Of COPY text, by way of the other form where a cell is more than its text. */
  copyRow(): void {
    const { cursor } = this
    const places = this.#places
    const { length } = places
    const start = cursor.p
    for (let k = 0; k < length; k++) {
      const place = places[k] as Place
      const { column } = place
      if (k > 0) enterCopyCell(cursor)
      if (column === null) {
        cursor.i = copyCellEnd(cursor.src, cursor.i)
        continue
      }
      if (!place.isFirst) cursor.out[cursor.p++] = COMMA
      const begin = cursor.p
      if (place.member.kind === 'many') this.#copiedByJson(place, column)
      else if (skipCopyNull(cursor)) this.#text.writeNull()
      else if (!this.#copied.write(column)) this.#copiedByJson(place, column)
      if (cursor.p - begin > this.#limits.cellBytes) this.#assertSize(column, begin)
    }
    leaveCopyRow(cursor)
    this.#endRow(start)
  }

  #copiedByJson(place: Place, column: ParquetColumn): void {
    const { cursor } = this
    const { src } = cursor
    const json = this.#json.rewrite(cursor, place.copyKind)
    const behind = cursor.i
    cursor.src = json
    cursor.i = 0
    try {
      this.#cell(place, column, json[0] as number)
    } finally {
      // A row that is refused is followed by others.
      cursor.src = src
      cursor.i = behind
    }
  }

  #endRow(start: number): void {
    const { cursor } = this
    cursor.out[cursor.p++] = NEWLINE
    if (cursor.p - start > this.#limits.rowBytes && cursor.p <= cursor.out.length) throw rowTooLarge(this.#limits.rowBytes)
  }

  #cell({ member }: Place, column: ParquetColumn, first: number): void {
    const { cursor } = this
    const { kind } = column
    if (member.kind === 'many') {
      this.#written(column, () => this.#objects.many(member, first))
    } else if (first === LOWER_N) {
      skipWord(cursor, 'null')
      this.#text.writeNull()
    } else if (kind === 'text') this.#textCell(column, first)
    else if (kind === 'json') {
      this.#written(column, () => this.#values.write(member, first))
    } else if (first === QUOTE) {
      cursor.i++
      if (column.element === null ? this.#typed.text(column) : this.#list(column, column.element)) return
      throw unfit(column)
    } else if (first === OPEN_BRACE) {
      if (kind !== 'bytes') throw unfit(column)
      this.#hexadecimal(false)
    } else if (first === 116 || first === 102) {
      if (kind !== 'boolean') throw unfit(column)
      this.#flag(first)
    } else if (!this.#typed.number(column)) throw unfit(column)
  }

  /** Any value, spelt as in CSV. */
  #textCell(column: ParquetColumn, first: number): void {
    const { cursor } = this
    if (first === QUOTE) {
      cursor.i++
      this.#text.writeString()
      this.#countReplaced(column)
    } else if (first === OPEN_BRACE) this.#hexadecimal(true)
    else if (first === 116 || first === 102) this.#flag(first)
    else {
      const { src, i, p } = cursor
      const infinity = infinityAt(src, i)
      copyNumber(cursor)
      if (infinity === 0) return
      cursor.p = p
      if (infinity < 0) cursor.out[cursor.p++] = 45
      put(cursor, INFINITY)
    }
  }

  #flag(first: number): void {
    skipWord(this.cursor, first === 116 ? 'true' : 'false')
    put(this.cursor, first === 116 ? TRUE : FALSE)
  }

  /** In quotes: no bytes are not NULL. */
  #hexadecimal(isText: boolean): void {
    const { cursor } = this
    const { src, out } = cursor
    const { from, to } = enterBytes(cursor)
    let { p } = cursor
    out[p++] = QUOTE
    if (isText) {
      out[p++] = BACKSLASH
      out[p++] = 120
    }
    // Setting this bit makes letters small and leaves digits as they are.
    for (let k = from; k < to; k++) out[p++] = (src[k] as number) | 32
    out[p++] = QUOTE
    cursor.p = p
  }

  /** What `write` makes of the cell, as JSON text in one field. */
  #written(column: ParquetColumn, write: () => void): void {
    const { cursor: inner } = this.#aside
    const length = this.#aside.write(this.cursor, write)
    if (replaceLoneSurrogates(inner.out, length)) this.changes.add(column.name, 'invalid_utf8')
    this.#text.writeText(inner.out, 0, length)
    this.cursor.i = inner.i
  }

  /** False where the text is no list of such elements. */
  #list({ name }: ParquetColumn, element: ParquetColumn): boolean {
    const { cursor: inner } = this.#aside
    const length = this.#aside.write(this.cursor, () => decodeString(inner))
    const list = this.#lists.list(Buffer.from(inner.out.subarray(0, length)).toString(), element)
    if (list === null) return false
    if (list.isReplaced || inner.replaced) this.changes.add(name, 'invalid_utf8')
    inner.replaced = false
    const bytes = new Uint8Array(Buffer.from(list.text))
    this.cursor.i = inner.i
    this.#text.writeText(bytes, 0, bytes.length)
    return true
  }

  #countReplaced(column: ParquetColumn): void {
    if (!this.cursor.replaced) return
    this.cursor.replaced = false
    this.changes.add(column.name, 'invalid_utf8')
  }

  /** The field may be longer than its value: quotes are doubled, and bytes take two digits each. */
  #assertSize(column: ParquetColumn, begin: number): void {
    const { out, p } = this.cursor
    if (p > out.length) return
    let bytes = p - begin
    if (column.kind === 'bytes') bytes = (bytes - 2) / 2
    else if (out[begin] === QUOTE) {
      bytes -= 2
      for (let k = begin + 1; k < p - 1; k++) {
        if (out[k] !== QUOTE) continue
        bytes--
        k++
      }
    }
    const { cellBytes } = this.#limits
    if (bytes <= cellBytes) return
    throw cellTooLarge(column, cellBytes)
  }
}
