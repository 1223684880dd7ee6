/** One row of a part as one JSON array, in SQL: the cells of `shapeOf`, in its order. */
import type { Layout } from '../../job/row-text.ts'
import { flatLeaves } from '../../job/shape.ts'
import type { Join, Selected } from '../../job/spec.ts'
import { allOf, type Place, rowConditions } from '../compile.ts'
import { type CellBench, cell, textCell } from './cell.ts'
import type { DuckDbDialect, TextBinder } from './dialect.ts'
import type { TableFacts } from './facts.ts'

type One = Extract<Selected, { kind: 'one' }>
type Many = Extract<Selected, { kind: 'many' }>

export interface Workbench extends CellBench {
  facts(join: Join): TableFacts
}

export interface RowSql {
  /** An expression: the text of the array. */
  readonly array: string
  /** LEFT JOINs that belong behind the table; none multiplies its rows. */
  readonly joins: readonly string[]
}

export function rowSql(bench: Workbench, select: readonly Selected[], layout: Layout, place: Place): RowSql {
  const joins: string[] = []
  const cells = layout === 'flat' ? flatCells(bench, select, place, joins) : nestedCells(bench, select, place, joins)
  return { array: arrayText(cells), joins }
}

/** The one related row of each row of `from`, or nulls: of several the first by the relation's own order. */
export function joinOne({ dialect, binder, facts }: Workbench, join: Join, from: Place, joins: string[]): Place {
  const place: Place = { table: join.table, alias: binder.alias() }
  const inner: Place = { table: join.table, alias: binder.alias() }
  const where = conditions(dialect, binder, join, inner)
  const keys = join.foreignColumns.map((name) => dialect.column(inner, name))
  const { primaryKey } = facts(join).description
  const isUnique = primaryKey.length > 0 && primaryKey.every((name) => join.foreignColumns.includes(name))
  const order = [...keys, ...join.orderBy.map((name) => dialect.column(inner, name))].join(', ')
  const select = isUnique ? `select ${inner.alias}.*` : `select distinct on (${keys.join(', ')}) ${inner.alias}.*`
  const rows = `${select} from ${dialect.table(join.table)} ${inner.alias} where ${where}${isUnique ? '' : ` order by ${order}`}`
  const on = join.foreignColumns.map((name, index) => dialect.equal(from, join.localColumns[index] ?? '', place, name))
  joins.push(`left join (${rows}) ${place.alias} on ${on.join(' and ')}`)
  return place
}

function flatCells(bench: Workbench, select: readonly Selected[], main: Place, joins: string[]): string[] {
  const places = new Map<One, Place>()
  return flatLeaves(select).map(({ path, leaf }) => {
    let place = main
    for (const step of path) {
      const known = places.get(step)
      place = known ?? joinOne(bench, step.join, place, joins)
      places.set(step, place)
    }
    return leaf.kind === 'field' ? cell(bench, leaf, place) : manyCell(bench, leaf, place, joins)
  })
}

function nestedCells(bench: Workbench, select: readonly Selected[], place: Place, joins: string[]): string[] {
  return select.flatMap((node) => {
    if (node.kind === 'field') return [cell(bench, node, place)]
    if (node.kind === 'many') return [manyCell(bench, node, place, joins)]
    const one = joinOne(bench, node.join, place, joins)
    const key = bench.dialect.column(one, node.join.foreignColumns[0] ?? '')
    return [`case when ${key} is null then '0' else '1' end`, ...nestedCells(bench, node.select, one, joins)]
  })
}

/** The related rows of all rows at once, grouped by their key: a look-up per row would read the table again each time. */
function manyCell(bench: Workbench, { join, select }: Many, from: Place, joins: string[]): string {
  const { dialect, binder } = bench
  const inner: Place = { table: join.table, alias: binder.alias() }
  const own: string[] = []
  const element = arrayText(nestedCells(bench, select, inner, own))
  const keys = join.foreignColumns.map((name) => dialect.column(inner, name))
  const order = join.orderBy.map((name) => dialect.column(inner, name)).join(', ')
  const list = `'[' || string_agg(${element}, ','${order === '' ? '' : ` order by ${order}`}) || ']'`
  // Under their own names, so that they are compared as the table's columns are.
  const names = join.foreignColumns.map(
    (name, index) => `${keys[index]} as ${dialect.column({ ...inner, alias: 'x' }, name).slice(2)}`,
  )
  const where = conditions(dialect, binder, join, inner)
  const grouped: Place = { table: join.table, alias: binder.alias() }
  const on = join.foreignColumns.map((name, index) => dialect.equal(from, join.localColumns[index] ?? '', grouped, name))
  joins.push(
    `left join (select ${names.join(', ')}, ${list} as "freight list" from ${dialect.table(join.table)} ${inner.alias} ${own.join(' ')}
      where ${where} group by ${keys.join(', ')}) ${grouped.alias} on ${on.join(' and ')}`,
  )
  return textCell(`${grouped.alias}."freight list"`)
}

function conditions(dialect: DuckDbDialect, binder: TextBinder, join: Join, place: Place): string {
  const present = join.foreignColumns.map((name) => `${dialect.column(place, name)} is not null`)
  return allOf([rowConditions(place, [join.scope], dialect, binder), ...present]) ?? 'true'
}

function arrayText(cells: readonly string[]): string {
  return `concat('[', ${cells.join(", ',', ") || "''"}, ']')`
}
