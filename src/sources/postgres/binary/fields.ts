/** What a column is sent as by COPY BINARY. */
import type { Selected, TableRef } from '../../../job/spec.ts'
import { isDocument } from '../documents.ts'
import type { Bench } from '../relations.ts'

type Field = Extract<Selected, { kind: 'field' }>

/** Sent by their own send functions, whose form `values.ts` knows. */
const KNOWN = [
  'int2',
  'int4',
  'int8',
  'oid',
  'numeric',
  'bool',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'uuid',
  'bytea',
  'json',
  'jsonb',
] as const
/** Whose send functions send the text. */
const TEXTS = ['text', 'varchar', 'bpchar', 'name']
/**
 * Selected as text, which is what their output functions write; a cast to text does that where there is no function for it, as there is for
 * `inet` and others (https://www.postgresql.org/docs/current/sql-createcast.html, "I/O conversion casts"). The shortest digits of a `float4`
 * are not to be had in JavaScript.
 */
const FLOATS = ['float4', 'float8']
const CAST = ['interval', 'timetz']
/** `pg_type.typtype` of ranges and multiranges. */
const RANGES = ['r', 'm']

export type BinaryType = 'text' | 'float' | (typeof KNOWN)[number]

export interface BinaryField {
  readonly type: BinaryType
  /** The statement selects it as text. */
  readonly isCast: boolean
}

/** Null for a column of another type. */
export function binaryField(bench: Bench, table: TableRef, field: Field): BinaryField | null {
  const { column, mask } = field
  if (isDocument(bench.tables, table, field)) return { type: 'json', isCast: false }
  if (mask) return { type: 'text', isCast: false }
  const { base, sort } = bench.tables.column(table, column)
  const known = KNOWN.find((type) => type === base)
  if (known) return { type: known, isCast: false }
  // Of an enum, the name of the value is sent.
  if (sort === 'e' || TEXTS.includes(base)) return { type: 'text', isCast: false }
  if (FLOATS.includes(base)) return { type: 'float', isCast: true }
  // An array's type has the name of its elements' behind a `_`.
  if (CAST.includes(base) || base.startsWith('_') || RANGES.includes(sort)) return { type: 'text', isCast: true }
  return null
}
