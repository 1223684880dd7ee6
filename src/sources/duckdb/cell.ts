/** One cell of a row, in SQL: the JSON text of a value, or of the mask that stands for it. */
import type { CellType } from '../../job/row-text.ts'
import type { Selected } from '../../job/spec.ts'
import type { Place } from '../compile.ts'
import type { DuckDbDialect, TextBinder } from './dialect.ts'
import { maskSql } from './masks.ts'

export interface CellBench {
  readonly dialect: DuckDbDialect
  readonly binder: TextBinder
  /** Hex; null: nothing is hashed. */
  readonly maskKey: string | null
}

const NUMBER = String.raw`'-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?'`
const NUMERIC: readonly CellType[] = ['integer', 'decimal', 'float']

/** Never null: concat would leave it out. */
export function cell({ dialect, binder, maskKey }: CellBench, field: Extract<Selected, { kind: 'field' }>, place: Place): string {
  const column = dialect.column(place, field.column)
  const type = dialect.type(place, field.column)
  if (field.mask)
    return textCell(maskSql(field.mask, isBytes(type) ? { bytes: column } : { text: plainText(column, type) }, binder, maskKey))
  if (type === 'VARCHAR' && NUMERIC.includes(field.type)) {
    return `case when regexp_full_match(${column}, ${NUMBER}) then ${column} else ${textCell(column)} end`
  }
  if (isDocument(type)) return textCell(documentText(column, type))
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL|BIGNUM)/.test(type)) return `coalesce(cast(${column} as varchar), 'null')`
  if (isFloat(type)) {
    const infinite = `case when ${column} > 0 then '9.0e+999' else '-9.0e+999' end`
    return `case when isnan(${column}) then '"NaN"' when isinf(${column}) then ${infinite} else coalesce(cast(${column} as varchar), 'null') end`
  }
  if (type === 'BOOLEAN') return `coalesce(cast(${column} as varchar), 'null')`
  if (isBytes(type)) return `coalesce('{"b":"' || hex(${column}) || '"}', 'null')`
  if (/^(DATE|TIME|UUID)/.test(type)) return `coalesce('"' || cast(${column} as varchar) || '"', 'null')`
  return textCell(`cast(${column} as varchar)`)
}

export function textCell(text: string): string {
  return `coalesce(cast(to_json(${text}) as varchar), 'null')`
}

/** As the file has it. */
function plainText(column: string, type: string): string {
  if (isDocument(type)) return documentText(column, type)
  const text = `cast(${column} as varchar)`
  if (!isFloat(type)) return text
  const infinite = `case when ${column} > 0 then 'Infinity' else '-Infinity' end`
  return `case when isnan(${column}) then 'NaN' when isinf(${column}) then ${infinite} else ${text} end`
}

function isFloat(type: string): boolean {
  return type === 'FLOAT' || type === 'DOUBLE'
}

function isBytes(type: string): boolean {
  return type === 'BLOB'
}

function isList(type: string): boolean {
  return /\[\d*\]$/.test(type)
}

function isDocument(type: string): boolean {
  return isList(type) || /^(STRUCT|MAP|UNION)/.test(type)
}

function documentText(column: string, type: string): string {
  const isExact = isList(type) && /^(DECIMAL|U?HUGEINT)/.test(type)
  return `cast(to_json(${isExact ? exactElements(column, type) : column}) as varchar)`
}

/** to_json makes doubles of decimals; as text they keep their digits. */
function exactElements(column: string, type: string): string {
  return `cast(${column} as varchar${type.replace(/^[^[]*/, '')})`
}
