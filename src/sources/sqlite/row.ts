/** One row of a part as one JSON array, in SQL: the cells of `shapeOf`, in its order. */
import type { Layout } from '../../job/row-text.ts'
import { flatLeaves } from '../../job/shape.ts'
import type { MaskName, Selected } from '../../job/spec.ts'
import { columnAt, isPresent, joinOne, type RowPlace, reachMany, type Workbench } from './relations.ts'

type Field = Extract<Selected, { kind: 'field' }>
type One = Extract<Selected, { kind: 'one' }>
type Many = Extract<Selected, { kind: 'many' }>

export interface RowSql {
  /** An expression: the text of the array. */
  readonly array: string
  /** LEFT JOINs that belong behind the table. */
  readonly joins: string
}

/** json_array takes 1,000 arguments (SQLITE_MAX_FUNCTION_ARG). */
const ARRAY_CELLS = 900

export function rowSql(bench: Workbench, select: readonly Selected[], layout: Layout, place: RowPlace): RowSql {
  const joins: string[] = []
  const cells = layout === 'flat' ? flatCells(bench, select, place, joins) : nestedCells(bench, select, place, joins)
  return { array: arrayText(cells), joins: joins.join(' ') }
}

/** The columns of a table that selecting from it reads: its own fields, and the keys that lead on. */
export function columnsRead(select: readonly Selected[]): string[] {
  return select.flatMap((node) => (node.kind === 'field' ? [node.column] : node.join.localColumns))
}

function flatCells(bench: Workbench, select: readonly Selected[], main: RowPlace, joins: string[]): string[] {
  const places = new Map<One, RowPlace>()
  return flatLeaves(select).map(({ path, leaf }) => {
    let place = main
    for (const step of path) {
      const known = places.get(step)
      place = known ?? joined(bench, step, place, joins)
      places.set(step, place)
    }
    return leaf.kind === 'field' ? cell(bench, leaf, place) : manyCell(bench, leaf, place)
  })
}

function nestedCells(bench: Workbench, select: readonly Selected[], place: RowPlace, joins: string[]): string[] {
  return select.flatMap((node) => {
    if (node.kind === 'field') return [cell(bench, node, place)]
    if (node.kind === 'many') return [manyCell(bench, node, place)]
    const one = joined(bench, node, place, joins)
    return [isPresent(bench, node.join, one), ...nestedCells(bench, node.select, one, joins)]
  })
}

function joined(bench: Workbench, node: One, from: RowPlace, joins: string[]): RowPlace {
  const { place, clause } = joinOne(bench, node.join, from, columnsRead(node.select))
  joins.push(clause)
  return place
}

/** `'' ||` makes plain text of it: json_array would take it for JSON and nest it. */
function manyCell(bench: Workbench, node: Many, from: RowPlace): string {
  const reach = reachMany(bench, node.join, from, columnsRead(node.select))
  const joins: string[] = []
  const cells = nestedCells(bench, node.select, reach.place, joins)
  const element = cells.length > ARRAY_CELLS ? `json(${arrayText(cells)})` : arrayText(cells)
  const order = reach.order === '' ? '' : ` order by ${reach.order}`
  return `(select nullif('' || json_group_array(${element}${order}), '[]') from ${reach.from} ${joins.join(' ')} where ${reach.where})`
}

/**
 * Any column may hold bytes, on which json_array either fails or, where they happen to be valid JSONB (`x'00'` is null), turns
 * them silently into something else. Bytes sort after everything else, so one comparison finds them.
 */
function cell(bench: Workbench, field: Field, place: RowPlace): string {
  const column = columnAt(bench, place, field.column)
  if (field.mask) return maskedCell(field.mask, column)
  if (field.strict && field.type !== 'bytes' && field.type !== 'any') return column
  const bytes = `json_object('b', hex(${column}))`
  const isComputed = !place.copied && bench.facts(place.table).column(field.column).generated
  // A computed column that ends in a JSON function is JSON to json_array, not text, until it passes through `||`.
  if (isComputed) return `case typeof(${column}) when 'blob' then ${bytes} when 'text' then ${column} || '' else ${column} end`
  return `case when ${column} >= x'' then ${bytes} else ${column} end`
}

/** A number reaches the mask as the text that the file would have held. */
function maskedCell(mask: MaskName, column: string): string {
  if (mask === 'null') return 'null'
  return `freight_mask_${mask}(case typeof(${column}) when 'blob' then ${column} else cast(${column} as text) end)`
}

/**
 * Wide rows are spliced from several arrays. Each but the last gets a 0 as its last cell, so that `rtrim` with '0]' ends at the
 * comma before it whatever the cells hold; a cell never begins with '[', so `ltrim` takes off only the bracket.
 */
function arrayText(cells: readonly string[]): string {
  if (cells.length <= ARRAY_CELLS) return `json_array(${cells.join(', ')})`
  const pieces: string[] = []
  for (let from = 0; from < cells.length; from += ARRAY_CELLS) {
    const some = cells.slice(from, from + ARRAY_CELLS).join(', ')
    const isLast = from + ARRAY_CELLS >= cells.length
    const array = isLast ? `json_array(${some})` : `rtrim(json_array(${some}, 0), '0]')`
    pieces.push(from === 0 ? array : `ltrim(${array}, '[')`)
  }
  return `(${pieces.join(' || ')})`
}
