/** What a cell of each PostgreSQL type is to Freight. */
import type { CellType } from '../../job/row-text.ts'

const TYPES: Readonly<Record<string, CellType>> = {
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  oid: 'integer',
  numeric: 'decimal',
  float4: 'float',
  float8: 'float',
  bool: 'boolean',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'json',
  bytea: 'bytes',
}

/** By the name of a type of PostgreSQL's own, below any domains. All others (enums, arrays, ranges, composites, ...) are their text. */
export function cellType(base: string): CellType {
  return Object.hasOwn(TYPES, base) ? (TYPES[base] ?? 'text') : 'text'
}

/** Types whose `=`, order and output are those of text. */
export function isText(base: string): boolean {
  return base === 'text' || base === 'varchar' || base === 'name'
}
