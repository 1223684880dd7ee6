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
  HEX_VALUES,
  infinityAt,
  LOWER_N,
  LOWER_U,
  leaveLine,
  leaveRow,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  put,
  QUOTE,
  RefusedRow,
  skipCell,
  skipWord,
} from './cells.ts'
import { RowChanges } from './changes.ts'
import { isVisible } from './csv-row.ts'
import { CsvText } from './csv-text.ts'
import { type Member, membersOf, ObjectWriter } from './json-objects.ts'
import { ValueWriter } from './json-values.ts'
import { TypedCells } from './parquet-cells.ts'
import type { ParquetColumn } from './parquet-columns.ts'
import { listText } from './parquet-lists.ts'
import type { RowWriter } from './rows.ts'
import { decodeString } from './strings.ts'

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
const MEGABYTE = 1_000_000

interface Place {
  readonly member: Member
  /** Null for a hidden cell. */
  readonly column: ParquetColumn | null
  readonly isFirst: boolean
}

export class ParquetRow implements RowWriter {
  readonly cursor = new Cursor()
  readonly changes = new RowChanges()
  readonly #places: readonly Place[]
  readonly #limits: RowLimits
  readonly #text: CsvText
  readonly #typed: TypedCells
  readonly #inner = new Cursor()
  readonly #objects: ObjectWriter
  readonly #values: ValueWriter

  constructor(shape: Shape, columns: readonly ParquetColumn[], output: Output, limits: RowLimits) {
    const visible = shape.filter(isVisible)
    this.#places = membersOf(shape).map((member, index): Place => {
      const at = visible.indexOf(shape[index] as (typeof shape)[number])
      return { member, column: columns[at] ?? null, isFirst: at === 0 }
    })
    this.#limits = limits
    const plain: Output = { ...output, delimiter: ',', quoting: 'minimal', nullText: visible.length === 1 ? ONLY_NULL : '' }
    this.#text = new CsvText(this.cursor, plain, false)
    this.#typed = new TypedCells(this.cursor)
    this.#objects = new ObjectWriter(this.#inner, this.changes, output)
    this.#values = new ValueWriter(this.#inner, this.changes, output)
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
    cursor.out[cursor.p++] = NEWLINE
    if (cursor.p - start > this.#limits.rowBytes && cursor.p <= cursor.out.length) throw this.#rowTooLarge()
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
      const { i, p } = cursor
      if (this.#typed.text(column) || (kind === 'list' && this.#list(column, i, p))) return
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
    const inner = this.#inner
    inner.src = this.cursor.src
    if (inner.out.length === 0) inner.out = new Uint8Array(4096)
    for (;;) {
      const before = this.changes.count
      inner.i = this.cursor.i
      inner.p = 0
      write()
      if (inner.p <= inner.out.length) break
      this.changes.cutTo(before)
      inner.out = new Uint8Array(inner.p * 2)
    }
    if (replaceLoneSurrogates(inner.out, inner.p)) this.changes.add(column.name, 'invalid_utf8')
    this.#text.writeText(inner.out, 0, inner.p)
    this.cursor.i = inner.i
  }

  #list(column: ParquetColumn, i: number, p: number): boolean {
    const { cursor } = this
    const inner = this.#inner
    inner.src = cursor.src
    do {
      inner.out = new Uint8Array(inner.p * 2 + 4096)
      inner.i = i
      inner.p = 0
      decodeString(inner)
    } while (inner.p > inner.out.length)
    const text = listText(Buffer.from(inner.out.subarray(0, inner.p)).toString(), column.written)
    if (text === null) return false
    const bytes = new Uint8Array(Buffer.from(text))
    cursor.i = inner.i
    cursor.p = p
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
    throw new RefusedRow(
      'CELL_TOO_LARGE',
      column.name,
      `the value is larger than the ${cellBytes / MEGABYTE} MB that a cell of a Parquet export may have; leave the field out, or raise the option max_cell_mb.`,
    )
  }

  #rowTooLarge(): RefusedRow {
    const most = Math.floor(this.#limits.rowBytes / MEGABYTE)
    return new RefusedRow(
      'ROW_TOO_LARGE',
      null,
      `as text it is larger than the ${most} MB that a row of a Parquet export may have; leave large fields out, or raise the option max_cell_mb.`,
    )
  }
}

/** In place, in JSON text: `\ud800` alone becomes `\ufffd`. JSON allows it, but readers of Parquet refuse the document. */
function replaceLoneSurrogates(bytes: Uint8Array, end: number): boolean {
  let isReplaced = false
  for (let i = bytes.indexOf(BACKSLASH); i >= 0 && i < end; i = bytes.indexOf(BACKSLASH, i + 2)) {
    const unit = surrogateAt(bytes, i)
    if (unit === 0) continue
    if (unit < 0xdc00 && surrogateAt(bytes, i + 6) >= 0xdc00) {
      i += 6
      continue
    }
    bytes.set(REPLACEMENT, i)
    isReplaced = true
  }
  return isReplaced
}

const REPLACEMENT = new Uint8Array(Buffer.from('\\ufffd'))

/** The half of a surrogate pair whose escape stands at `i`; 0 where none does. */
function surrogateAt(bytes: Uint8Array, i: number): number {
  if (bytes[i] !== BACKSLASH || bytes[i + 1] !== LOWER_U) return 0
  let unit = 0
  for (let k = i + 2; k < i + 6; k++) unit = unit * 16 + (HEX_VALUES[bytes[k] as number] as number)
  return unit >= 0xd800 && unit <= 0xdfff ? unit : 0
}

function unfit({ name, kind, written }: ParquetColumn): RefusedRow {
  const what =
    kind === 'integer' ? 'a 64-bit integer' : kind === 'timestamp' ? 'a time to the microsecond' : `a value of ${written}`
  return new RefusedRow(
    'CELL_UNFIT',
    name,
    `the value is not ${what}, which is the column's type in the Parquet file. Have the column written as text (types: { column: 'text' } in the resource's configuration), or leave it out.`,
  )
}
