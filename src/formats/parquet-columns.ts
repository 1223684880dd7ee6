/** From the shape's columns to Parquet's: what type each has in the file, and how DuckDB gets there from the text it is fed. */
import { FreightError } from '../job/errors.ts'
import type { CellType, Shape, ShapeCell } from '../job/row-text.ts'
import { isVisible } from './slots.ts'

type ParquetKind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'float'
  | 'boolean'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'uuid'
  | 'json'
  | 'bytes'
  | 'list'

export interface ParquetColumn {
  readonly name: string
  readonly kind: ParquetKind
  /** Digits in all and behind the point; 0 where `kind` is not `decimal`. */
  readonly precision: number
  readonly scale: number
  /** DuckDB's type of the column as its CSV reader makes it, and of the column in the file. */
  readonly read: string
  readonly written: string
  /** Of a list: its elements, as the column that each could be. */
  readonly element: ParquetColumn | null
}

type CellKind = Exclude<ParquetKind, 'list'>

const KINDS: Readonly<Record<CellType, CellKind>> = {
  text: 'text',
  integer: 'integer',
  decimal: 'decimal',
  float: 'float',
  boolean: 'boolean',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  uuid: 'uuid',
  json: 'json',
  bytes: 'bytes',
  any: 'text',
}

const DUCKDB: Readonly<Record<Exclude<ParquetKind, 'decimal' | 'list'>, readonly [read: string, written: string]>> = {
  text: ['VARCHAR', 'VARCHAR'],
  integer: ['BIGINT', 'BIGINT'],
  float: ['DOUBLE', 'DOUBLE'],
  boolean: ['BOOLEAN', 'BOOLEAN'],
  date: ['DATE', 'DATE'],
  time: ['TIME', 'TIME'],
  timestamp: ['TIMESTAMPTZ', 'TIMESTAMPTZ'],
  uuid: ['UUID', 'UUID'],
  json: ['JSON', 'JSON'],
  bytes: ['VARCHAR', 'BLOB'],
}

/** Parquet's DECIMAL as every reader knows it. */
const MOST_DIGITS = 38

/** The columns of the file in order, hidden cells left out. Throws where Parquet cannot have them. */
export function parquetColumns(shape: Shape): ParquetColumn[] {
  const columns = shape.filter(isVisible).map(parquetColumn)
  if (columns.length === 0) {
    throw new FreightError('VALIDATION_FAILED', 'A Parquet file needs at least one column; ask for a field or another format.')
  }
  checkNames(columns.map(({ name }) => name))
  return columns
}

/** DuckDB has no name for a column without one, and would call the second of "a" and "A" "A_1". */
function checkNames(names: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const [index, name] of names.entries()) {
    if (name === '') {
      throw new FreightError(
        'VALIDATION_FAILED',
        `Column ${index + 1} has no name, which a Parquet file cannot have; leave it out, or rename it in the configuration.`,
      )
    }
    const folded = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    const other = seen.get(folded)
    if (other !== undefined) {
      throw new FreightError(
        'VALIDATION_FAILED',
        `The columns "${other}" and "${name}" differ in case only, which Parquet readers do not tell apart; leave one out, or rename one in the configuration.`,
      )
    }
    seen.set(folded, name)
  }
}

function parquetColumn(cell: ShapeCell): ParquetColumn {
  const { name } = cell
  if (cell.kind !== 'cell') return ofKind(name, 'json')
  const { type, declaredType = '' } = cell
  const list = /^(.*)\[\d*\]$/.exec(declaredType)?.[1]
  // What is nested deeper is the document that its source gives.
  if (list !== undefined && !/\]$|^(struct|map|union)\(/i.test(list)) return listColumn(name, list.trim())
  return valueColumn(name, KINDS[type], declaredType)
}

/** `kind` is what the type says without its details. */
function valueColumn(name: string, kind: CellKind, declaredType: string): ParquetColumn {
  if (kind === 'decimal') return decimalColumn(name, declaredType)
  if (kind === 'timestamp' && /without time zone/i.test(declaredType)) {
    return { ...ofKind(name, 'timestamp'), read: 'TIMESTAMP', written: 'TIMESTAMP' }
  }
  // A time of day with an offset has no place in Parquet.
  if (kind === 'time' && /with time zone|timetz/i.test(declaredType)) return ofKind(name, 'text')
  return ofKind(name, kind)
}

function ofKind(name: string, kind: Exclude<ParquetKind, 'decimal' | 'list'>): ParquetColumn {
  const [read, written] = DUCKDB[kind]
  return { name, kind, precision: 0, scale: 0, read, written, element: null }
}

/** Text, which keeps every digit, where no bound of the digits is declared that Parquet can have. */
function decimalColumn(name: string, declaredType: string): ParquetColumn {
  const digits = /\(\s*(\d{1,4})\s*(?:,\s*(-?\d{1,4})\s*)?\)/.exec(declaredType)
  const declared = Number(digits?.[2] ?? 0)
  // PostgreSQL since 15: numeric(5,-2) rounds to hundreds, numeric(2,5) begins with three zeros behind the point.
  const precision = Math.max(Number(digits?.[1] ?? 0) - Math.min(declared, 0), declared)
  const scale = Math.max(declared, 0)
  if (digits === null || precision < 1 || precision > MOST_DIGITS) return ofKind(name, 'text')
  const type = `DECIMAL(${precision},${scale})`
  return { name, kind: 'decimal', precision, scale, read: type, written: type, element: null }
}

const ELEMENTS: readonly (readonly [RegExp, CellKind])[] = [
  [/^(tiny|small|big)?int(eger|\d)?$/i, 'integer'],
  [/^(decimal|numeric)/i, 'decimal'],
  [/^(real|float\d?|double( precision)?)$/i, 'float'],
  [/^bool(ean)?$/i, 'boolean'],
  [/^date$/i, 'date'],
  [/^time(\(\d\))?( without time zone)?$/i, 'time'],
  [/^uuid$/i, 'uuid'],
  [/^timestamp(tz)?(\(\d\))?( with(out)? time zone)?$/i, 'timestamp'],
]

/** Elements of a type that is not known here are text. */
function listColumn(name: string, elementType: string): ParquetColumn {
  const kind = ELEMENTS.find(([pattern]) => pattern.test(elementType))?.[1] ?? 'text'
  const element = valueColumn(name, kind, elementType)
  return { name, kind: 'list', precision: 0, scale: 0, read: 'VARCHAR', written: `${element.written}[]`, element }
}
