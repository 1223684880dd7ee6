/**
 * Cells of COPY text as the CSV fields that DuckDB reads, in one pass. What is written is what `ParquetRow` writes of the same cell in the
 * `json` form; false, with nothing written, where only that way will do.
 */
import type { Output } from '../job/spec.ts'
import { BACKSLASH, type Cursor, NEWLINE, put, SPACE } from './cells.ts'
import { copyCellEnd, TAB, unescaped, writeCopiedTime } from './copy-cells.ts'
import { CopyCsv } from './copy-csv.ts'
import type { CsvText } from './csv-text.ts'
import { JsonChecker, unbreak } from './json-text.ts'
import { hasMicroseconds, isUuid } from './parquet-cells.ts'
import type { ParquetColumn } from './parquet-columns.ts'
import { isDecimal, isInteger64 } from './parquet-numbers.ts'
import { replaceLoneSurrogates } from './surrogates.ts'
import { TimeWriter } from './times.ts'

const LOWER_T = 116
const LOWER_F = 102
const MINUS = 45
const TRUE = new Uint8Array(Buffer.from('true'))
const FALSE = new Uint8Array(Buffer.from('false'))
const UUID_LENGTH = 36
/** Of `YYYY-MM-DD HH:MM:SS`. */
const TO_SECONDS = 19

export class ParquetCopy {
  readonly #cursor: Cursor
  readonly #csv: CsvText
  readonly #text: CopyCsv
  readonly #times = new TimeWriter('UTC')
  readonly #checker = new JsonChecker()
  #document = new Uint8Array(0)

  constructor(cursor: Cursor, csv: CsvText, output: Output, isOnlyColumn: boolean) {
    this.#cursor = cursor
    this.#csv = csv
    this.#text = new CopyCsv(cursor, output, isOnlyColumn)
  }

  write(column: ParquetColumn): boolean {
    switch (column.kind) {
      case 'text':
        return this.#text.write()
      case 'integer':
      case 'decimal':
        return this.#number(column)
      case 'boolean':
        return this.#flag()
      case 'uuid':
        return this.#uuid()
      case 'timestamp':
        return this.#timestamp(column)
      case 'json':
        return this.#json()
      default:
        return false
    }
  }

  #number({ kind, precision, scale }: ParquetColumn): boolean {
    const { src, i } = this.#cursor
    const end = copyCellEnd(src, i)
    const digit = src[src[i] === MINUS ? i + 1 : i] as number
    if ((digit ^ 48) > 9 || !(kind === 'integer' ? isInteger64(src, i, end) : isDecimal(src, i, end, precision, scale)))
      return false
    this.#copy(end)
    return true
  }

  #flag(): boolean {
    const cursor = this.#cursor
    const { src, i } = cursor
    const end = src[i + 1]
    if ((src[i] !== LOWER_T && src[i] !== LOWER_F) || (end !== TAB && end !== NEWLINE)) return false
    put(cursor, src[i] === LOWER_T ? TRUE : FALSE)
    cursor.i = i + 1
    return true
  }

  #uuid(): boolean {
    const { src, i } = this.#cursor
    const end = i + UUID_LENGTH
    if (!isUuid(src, i) || (src[end] !== TAB && src[end] !== NEWLINE)) return false
    this.#copy(end)
    return true
  }

  #timestamp({ read }: ParquetColumn): boolean {
    const cursor = this.#cursor
    const { src, i } = cursor
    if (!hasMicroseconds(src, i + TO_SECONDS) || !writeCopiedTime(cursor, this.#times)) return false
    // Without the Z.
    if (read === 'TIMESTAMP') cursor.p--
    return true
  }

  #json(): boolean {
    const cursor = this.#cursor
    const { src } = cursor
    if (this.#document.length <= src.length) this.#document = new Uint8Array(src.length + 1)
    const document = this.#document
    let { i } = cursor
    let end = 0
    for (;;) {
      let c = src[i++] as number
      while (c >= SPACE && c !== BACKSLASH) {
        document[end++] = c
        c = src[i++] as number
      }
      if (c === TAB || c === NEWLINE) break
      document[end++] = c === BACKSLASH ? unescaped(src[i++] as number) : c
    }
    document[end] = 0
    if (!this.#checker.isValid(document, 0, end)) return false
    if (this.#checker.broken) end = unbreak(document, 0, end)
    if (replaceLoneSurrogates(document, end)) return false
    this.#csv.writeText(document, 0, end)
    cursor.i = i - 1
    return true
  }

  #copy(end: number): void {
    const cursor = this.#cursor
    const { src, out, i } = cursor
    let { p } = cursor
    for (let k = i; k < end; k++) out[p++] = src[k] as number
    cursor.i = end
    cursor.p = p
  }
}
