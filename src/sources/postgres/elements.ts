/** To-many relations, in SQL: their rows as JSON arrays, the `json` form of row text, aggregated once and joined on their key. */
import type { Join, Selected } from '../../job/spec.ts'
import type { RowPlace } from './dialect.ts'
import { isDocument } from './documents.ts'
import { maskedCell } from './masks.ts'
import {
  type Bench,
  columnsRead,
  isPresent,
  joinOne,
  keysBehind,
  matches,
  orderOf,
  type Rows,
  relatedRows,
  rowsOf,
} from './relations.ts'

type Field = Extract<Selected, { kind: 'field' }>

/** A function takes 100 arguments (FUNC_MAX_ARGS). */
const ARGUMENTS = 90

/** Joins the aggregated rows of a to-many relation; returns the column with their text, a JSON array of arrays, or NULL for none. */
export function joinMany(bench: Bench, join: Join, select: readonly Selected[], from: Rows): string {
  const alias = bench.binder.alias()
  const inner = rowsOf({ table: join.table, alias: bench.binder.alias(), renamed: null }, keysBehind(bench, join, from))
  const elements = jsonCells(bench, select, inner)
  const key = join.foreignColumns.map((name) => bench.dialect.column(inner.place, name))
  const renamed = new Map(join.foreignColumns.map((name, index) => [name, `k${index}`]))
  const keys = key.map((column, index) => `${column} as k${index}`).join(', ')
  const order = orderOf(bench, join, inner.place)
  const by = order.length > 0 ? ` order by ${order.join(', ')}` : ''
  const text = `'[' || pg_catalog.string_agg(${elements}, ','${by}) || ']' as elements`
  const rows = relatedRows(bench, join, from, inner.place, inner.joins)
  const on = matches(bench, join, from.place, { table: join.table, alias, renamed })
  from.joins.push(`left join (select ${keys}, ${text} from ${rows} group by ${key.join(', ')}) ${alias} on ${on.join(' and ')}`)
  return `${alias}.elements`
}

/** An expression: the array of one row, on one line. */
function jsonCells(bench: Bench, select: readonly Selected[], rows: Rows): string {
  return `'[' || ${joinedByCommas(cellsOf(bench, select, rows))} || ']'`
}

function cellsOf(bench: Bench, select: readonly Selected[], rows: Rows): string[] {
  return select.flatMap((node) => {
    if (node.kind === 'field') return [jsonCell(bench, rows.place, node)]
    if (node.kind === 'many') return [jsonText(joinMany(bench, node.join, node.select, rows))]
    const one = joinOne(bench, node.join, rows, columnsRead(node.select))
    return [`case when ${isPresent(bench, node.join, one)} then '1' else '0' end`, ...cellsOf(bench, node.select, one)]
  })
}

/** None of them is null, so `concat_ws` leaves none out. */
function joinedByCommas(cells: readonly string[]): string {
  if (cells.length === 0) return `''`
  if (cells.length === 1) return cells[0] ?? `''`
  if (cells.length <= ARGUMENTS) return `pg_catalog.concat_ws(',', ${cells.join(', ')})`
  const groups: string[] = []
  for (let from = 0; from < cells.length; from += ARGUMENTS) groups.push(joinedByCommas(cells.slice(from, from + ARGUMENTS)))
  return joinedByCommas(groups)
}

function jsonText(text: string): string {
  return `coalesce(pg_catalog.to_json(${text})::text, 'null')`
}

/**
 * `to_json` alone would nest arrays and documents and write times its own way, and a cast to text drops the blanks of `char(n)` and adds a
 * mask to `inet`: `concat` takes the type's own output, which is what COPY writes.
 */
function jsonCell(bench: Bench, place: RowPlace, field: Field): string {
  const { column: name, mask } = field
  if (mask) return jsonText(maskedCell(bench, place, name, mask))
  const column = bench.dialect.column(place, name)
  if (isDocument(bench.tables, place.table, field)) return jsonText(`pg_catalog.to_json(${column})::text`)
  const { base, sort } = bench.tables.column(place.table, name)
  switch (base) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
    case 'bool':
      return `coalesce(${column}::text, 'null')`
    case 'numeric':
    case 'float4':
    case 'float8':
      // NaN and infinity are no JSON numbers.
      return `case when ${column}::text ~ '[[:digit:]]$' then ${column}::text when ${column} is null then 'null' else '"' || ${column}::text || '"' end`
    case 'bytea':
      return `coalesce('{"b":"' || pg_catalog.encode(${column}, 'hex') || '"}', 'null')`
    case 'text':
    case 'varchar':
      return jsonText(column)
    default: {
      // A composite whose members are all null `is null`, and yet is there.
      const isNull = sort === 'c' ? `pg_catalog.num_nulls(${column}) = 1` : `${column} is null`
      return `case when ${isNull} then 'null' else pg_catalog.to_json(pg_catalog.concat(${column}))::text end`
    }
  }
}
