/** From the shape's columns to Parquet's: what type each has in the file, and how DuckDB gets there from the text it is fed. */
import { FreightError } from '../job/errors.ts'
import type { CellType, Shape, ShapeCell } from '../job/row-text.ts'

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
}

const KINDS: Readonly<Record<CellType, ParquetKind>> = {
  text: 'text',
  integer: 'integer',
  // Until a scale is known: text keeps every digit.
  decimal: 'text',
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
  const columns = shape.flatMap((cell) => (cell.kind === 'cell' && cell.hidden ? [] : [parquetColumn(cell)]))
  if (columns.length === 0) {
    throw new FreightError('VALIDATION_FAILED', 'A Parquet file needs at least one column; ask for a field or another format.')
  }
  const names = new Map<string, string>()
  for (const { name } of columns) {
    // DuckDB would call the second one "A_1".
    const folded = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    const other = names.get(folded)
    if (other !== undefined) {
      throw new FreightError(
        'VALIDATION_FAILED',
        `The columns "${other}" and "${name}" differ in case only, which Parquet readers do not tell apart; leave one out, or rename one in the configuration.`,
      )
    }
    names.set(folded, name)
  }
  return columns
}

function parquetColumn(cell: ShapeCell): ParquetColumn {
  const { name } = cell
  if (cell.kind !== 'cell') return ofKind(name, 'json')
  const { type, declaredType = '' } = cell
  const list = /^(.*)\[\d*\]$/.exec(declaredType)?.[1]
  if (list !== undefined) return listColumn(name, list)
  if (type === 'decimal') return decimalColumn(name, declaredType)
  if (type === 'timestamp' && /without time zone/i.test(declaredType)) {
    return { ...ofKind(name, 'timestamp'), read: 'TIMESTAMP', written: 'TIMESTAMP' }
  }
  // A time of day with an offset has no place in Parquet.
  if (type === 'time' && /with time zone|timetz/i.test(declaredType)) return ofKind(name, 'text')
  return ofKind(name, KINDS[type])
}

function ofKind(name: string, kind: ParquetKind): ParquetColumn {
  const [read, written] = DUCKDB[kind as keyof typeof DUCKDB]
  return { name, kind, precision: 0, scale: 0, read, written }
}

function decimalColumn(name: string, declaredType: string): ParquetColumn {
  const digits = /\(\s*(\d{1,4})\s*(?:,\s*(-?\d{1,4})\s*)?\)/.exec(declaredType)
  const precision = Number(digits?.[1] ?? 0)
  const scale = Number(digits?.[2] ?? 0)
  if (precision < 1 || precision > MOST_DIGITS || scale < 0 || scale > precision) return ofKind(name, 'text')
  const type = `DECIMAL(${precision},${scale})`
  return { name, kind: 'decimal', precision, scale, read: type, written: type }
}

const ELEMENTS: readonly (readonly [RegExp, string])[] = [
  [/^(tiny|small|big)?int(eger|\d)?$/i, 'BIGINT'],
  [/^(real|float\d?|double( precision)?)$/i, 'DOUBLE'],
  [/^bool(ean)?$/i, 'BOOLEAN'],
  [/^date$/i, 'DATE'],
  [/^uuid$/i, 'UUID'],
  [/^timestamp(\(\d\))? without time zone$/i, 'TIMESTAMP'],
  [/^(timestamp(\(\d\))?( with time zone)?|timestamptz)$/i, 'TIMESTAMPTZ'],
]

/** Elements of a type that is not known here are text. */
function listColumn(name: string, element: string): ParquetColumn {
  const { written } = decimalColumn(name, /^(decimal|numeric)/i.test(element) ? element : '')
  const known = ELEMENTS.find(([pattern]) => pattern.test(element.trim()))?.[1] ?? written
  return { name, kind: 'list', precision: 0, scale: 0, read: 'VARCHAR', written: `${known}[]` }
}
