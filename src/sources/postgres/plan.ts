/**
 * The statements that read one part.
 *
 * Order: as asked, ties by the primary key. Not asked: by the primary key, but for a whole table that does not lie in its order
 * (ANALYZE tells), which is read as it lies (`as-it-lies.ts`).
 */
import type { Layout } from '../../job/row-text.ts'
import { flatLeaves } from '../../job/shape.ts'
import type { CheckedPart, Selected, WrittenForm } from '../../job/spec.ts'
import { asItLies, isReadAsItLies, placeCondition } from './as-it-lies.ts'
import { binaryCsv } from './binary/csv.ts'
import type { BinaryField } from './binary/fields.ts'
import { binaryObjects } from './binary/objects.ts'
import type { RowPlace } from './dialect.ts'
import { isDocument } from './documents.ts'
import { joinMany } from './elements.ts'
import { literal } from './literals.ts'
import { maskedCell } from './masks.ts'
import type { PartPlan } from './part-plan.ts'
import { type CutBy, canBeCut, type KeyRange } from './ranges.ts'
import { type Bench, columnsRead, conditionsOf, isPresent, joinOne, type Rows, rowsOf } from './relations.ts'
import { writesAlike } from './written.ts'

type Field = Extract<Selected, { kind: 'field' }>

export function planPart(bench: Bench, part: CheckedPart, layout: Layout): PartPlan {
  const place: RowPlace = { table: part.table, alias: bench.binder.alias(), renamed: null }
  const where = conditionsOf(bench, place, [part.scope, part.where])
  const bare = `select 1 from ${bench.dialect.table(part.table)} ${place.alias}${whereText([where])}${limitText(part)}`
  const select = (range: KeyRange | null, columns: Columns): string => selectSql(bench, part, columns, range)
  const rows = (range: KeyRange | null): string => copyText(select(range, { select: part.select, layout }), '')
  // At once: a column that is gone is to be named before anything is read.
  const all = rows(null)
  const plan: PartPlan = {
    rows: (range) => (range === null ? all : rows(range)),
    written(form) {
      if (layout !== 'flat' || !writesAlike(bench, part, form)) return null
      return (range) => copyText(select(range, { select: visible(part), layout }), csvOptions(form))
    },
    binary(form) {
      const binary = layout === 'flat' ? binaryCsv(bench, part, form) : binaryObjects(bench, part, form)
      if (binary === null) return null
      const columns = { select: part.select, layout, binary: binary.fields }
      return { copy: (range) => copyText(select(range, columns), ' (format binary)'), plan: binary }
    },
    cut: cutOf(bench, part),
    count: `select pg_catalog.count(*) from (${bare}) counted`,
    bare,
  }
  return isReadAsItLies(bench, part) ? asItLies(plan) : plan
}

function cutOf(bench: Bench, part: CheckedPart): CutBy | null {
  const key = rangeKey(bench, part)
  const { namespace, name } = bench.tables.table(part.table)
  return key && { key, table: bench.dialect.table(part.table), namespace, name }
}

function rangeKey(bench: Bench, part: CheckedPart): CutBy['key'] | null {
  if (isReadAsItLies(bench, part)) return bench.dialect.findsPlaces ? 'place' : null
  const [name, more] = part.primaryKey
  if (name === undefined || more !== undefined || part.sort.length > 0 || part.limit !== null || part.kind !== 'table')
    return null
  const key = bench.tables.column(part.table, name)
  return canBeCut(key.base) ? key : null
}

interface Columns {
  readonly select: readonly Selected[]
  readonly layout: Layout
  /** Where COPY is binary. */
  readonly binary?: readonly BinaryField[]
}

function selectSql(bench: Bench, part: CheckedPart, { select, layout, binary }: Columns, range: KeyRange | null): string {
  const place: RowPlace = { table: part.table, alias: bench.binder.alias(), renamed: null }
  const where = whereText([conditionsOf(bench, place, [part.scope, part.where]), rangeCondition(bench, part, place, range)])
  const table = `${bench.dialect.table(part.table)} ${place.alias}`
  if (select.some(hasMany) && (where !== '' || part.limit !== null)) {
    return narrowedSql(bench, part, select, layout, { place, from: table, where })
  }
  const rows = rowsOf(place)
  const plain = layout === 'flat' ? flatCells(bench, select, rows) : nestedCells(bench, select, rows)
  const cells = plain.map((cell, at) => (binary?.[at]?.isCast ? `(${cell})::pg_catalog.text` : cell))
  const order = orderText(bench, part, rows)
  return `select ${cells.join(', ')} from ${table} ${rows.joins.join(' ')}${where}${order}${limitText(part)}`
}

interface Found {
  readonly place: RowPlace
  readonly from: string
  readonly where: string
}

/** The rows that count are found first; of the related rows, only theirs are aggregated. */
function narrowedSql(bench: Bench, part: CheckedPart, select: readonly Selected[], layout: Layout, found: Found): string {
  const finding = rowsOf(found.place)
  const order = orderText(bench, part, finding)
  const renamed = new Map([...new Set(columnsRead(select))].map((name, index) => [name, `c${index}`]))
  const columns = [...renamed].map(([name, as]) => `${bench.dialect.column(found.place, name)} as ${as}`)
  const rows = `select ${columns.join(', ')} from ${found.from} ${finding.joins.join(' ')}${found.where}${order}${limitText(part)}`
  const place: RowPlace = { table: part.table, alias: bench.binder.alias(), renamed }
  const joined = rowsOf(place, (names) => `select ${names.map((name) => renamed.get(name)).join(', ')} from found`)
  const cells = layout === 'flat' ? flatCells(bench, select, joined) : nestedCells(bench, select, joined)
  const numbered = `select ordered.*, pg_catalog.row_number() over () as place from (${rows}) ordered`
  return `with found as materialized (${numbered}) select ${cells.join(', ')} from found ${place.alias} ${joined.joins.join(' ')} order by ${place.alias}.place`
}

function flatCells(bench: Bench, select: readonly Selected[], main: Rows): string[] {
  const known = new Map<Selected, Rows>()
  return flatLeaves(select).map(({ path, leaf }) => {
    let rows = main
    for (const step of path) {
      const existing = known.get(step)
      rows = existing ?? joinOne(bench, step.join, rows, columnsRead(step.select))
      known.set(step, rows)
    }
    return leaf.kind === 'field' ? cell(bench, rows.place, leaf) : joinMany(bench, leaf.join, leaf.select, rows)
  })
}

function nestedCells(bench: Bench, select: readonly Selected[], rows: Rows): string[] {
  return select.flatMap((node) => {
    if (node.kind === 'field') return [cell(bench, rows.place, node)]
    if (node.kind === 'many') return [joinMany(bench, node.join, node.select, rows)]
    const one = joinOne(bench, node.join, rows, columnsRead(node.select))
    return [`(${isPresent(bench, node.join, one)})::int`, ...nestedCells(bench, node.select, one)]
  })
}

function cell(bench: Bench, place: RowPlace, field: Field): string {
  const { column, mask } = field
  if (mask) return maskedCell(bench, place, column, mask)
  const value = bench.dialect.column(place, column)
  return isDocument(bench.tables, place.table, field) ? `pg_catalog.to_json(${value})` : value
}

function orderText(bench: Bench, part: CheckedPart, rows: Rows): string {
  const sorted = part.sort.map(({ path, column, descending }) => {
    let at = rows
    for (const [index, join] of path.entries()) {
      const next = path[index + 1]?.localColumns ?? [column]
      at = joinOne(bench, join, at, next)
    }
    // NULL comes last ascending and first descending, which is PostgreSQL's own rule.
    return `${bench.dialect.order(at.place, column)}${descending ? ' desc' : ''}`
  })
  if (isReadAsItLies(bench, part)) return ''
  const order = [...sorted, ...part.primaryKey.map((name) => bench.dialect.order(rows.place, name))]
  return order.length > 0 ? ` order by ${order.join(', ')}` : ''
}

function rangeCondition(bench: Bench, part: CheckedPart, place: RowPlace, range: KeyRange | null): string | null {
  if (range === null) return null
  if (isReadAsItLies(bench, part)) return placeCondition(place.alias, range)
  const [name] = part.primaryKey
  if (name === undefined) return null
  const { base } = bench.tables.column(part.table, name)
  const key = bench.dialect.column(place, name)
  const bounds = [
    ...(range.from === null ? [] : [`${key} >= ${literal(range.from)}::${base}`]),
    ...(range.to === null ? [] : [`${key} < ${literal(range.to)}::${base}`]),
  ]
  return bounds.length === 0 ? null : bounds.join(' and ')
}

function hasMany(node: Selected): boolean {
  return node.kind === 'many' || (node.kind === 'one' && node.select.some(hasMany))
}

/** Cells that are read for the errors log only have no place in a file that is not looked at. */
function visible(part: CheckedPart): readonly Selected[] {
  return part.select.filter((node) => !(node.kind === 'field' && node.hidden))
}

function whereText(conditions: readonly (string | null)[]): string {
  const given = conditions.filter((condition) => condition !== null)
  return given.length === 0 ? '' : ` where ${given.join(' and ')}`
}

function limitText({ limit }: CheckedPart): string {
  return limit === null ? '' : ` limit ${limit}`
}

function copyText(select: string, options: string): string {
  return `copy (${select}) to stdout${options}`
}

function csvOptions({ output }: WrittenForm): string {
  const quote = output.quoting === 'all' ? ', force_quote *' : ''
  return ` (format csv, delimiter ${literal(output.delimiter)}, null ''${quote})`
}
