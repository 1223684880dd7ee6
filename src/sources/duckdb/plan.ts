/** The statements that read and count one part. */
import type { Layout } from '../../job/row-text.ts'
import type { CheckedPart, Join, Predicate, Selected, TableRef } from '../../job/spec.ts'
import { type Place, rowConditions } from '../compile.ts'
import { DuckDbDialect, TextBinder } from './dialect.ts'
import type { TableFacts } from './facts.ts'
import { joinOne, rowSql, type Workbench } from './row.ts'

export interface Statement {
  readonly sql: string
  readonly values: readonly string[]
}

/** The number of a row in the order in which its table is read. */
const ROW_NUMBER = '"freight row number"'

/** Gives one column: the text of each row, in order. `maskKey` null: a part with a hashed field throws. */
export function planRows(
  part: CheckedPart,
  layout: Layout,
  facts: (table: TableRef) => TableFacts,
  maskKey: string | null,
): Statement {
  const { bench, place } = workbench(part, facts, maskKey)
  const { dialect, binder } = bench
  const row = rowSql(bench, part.select, layout, place)
  const joins = [...row.joins]
  const terms = part.sort.map((key) => {
    let at = place
    for (const join of key.path) at = joinOne(bench, join, at, joins)
    return `${dialect.column(at, key.column)} ${key.descending ? 'desc nulls first' : 'asc nulls last'}`
  })
  const order = [...terms, ...part.primaryKey.map((name) => dialect.column(place, name))]
  const isNumbered = part.primaryKey.length === 0 && (terms.length > 0 || joins.length > 0)
  if (isNumbered) order.push(`${place.alias}.${ROW_NUMBER}`)
  const where = rowConditions(place, [part.scope, part.where], dialect, binder) ?? 'true'
  const table = `${dialect.table(part.table)} ${place.alias}`
  const numbered = `(select ${place.alias}.*, row_number() over () as ${ROW_NUMBER} from ${table} where ${where}) ${place.alias}`
  const from = isNumbered ? `${numbered} ${joins.join(' ')}` : `${table} ${joins.join(' ')} where ${where}`
  const by = order.length === 0 ? '' : `order by ${order.join(', ')}`
  return { sql: `select ${row.array} as line from ${from} ${by} ${limit(part)}`, values: binder.values }
}

export function planCount(part: CheckedPart, facts: (table: TableRef) => TableFacts): Statement {
  const { bench, place } = workbench(part, facts, null)
  const where = rowConditions(place, [part.scope, part.where], bench.dialect, bench.binder) ?? 'true'
  const from = `from ${bench.dialect.table(part.table)} ${place.alias} where ${where}`
  const sql = part.limit === null ? `select count(*) ${from}` : `select count(*) from (select 1 ${from} ${limit(part)})`
  return { sql, values: bench.binder.values }
}

function workbench(
  part: CheckedPart,
  facts: (table: TableRef) => TableFacts,
  maskKey: string | null,
): { bench: Workbench; place: Place } {
  const binder = new TextBinder()
  const bench: Workbench = { dialect: new DuckDbDialect(facts), binder, facts: (join) => facts(join.table), maskKey }
  return { bench, place: { table: part.table, alias: binder.alias() } }
}

function limit(part: CheckedPart): string {
  return part.limit === null ? '' : `limit ${part.limit}`
}

/** Every table that reading the part touches. */
export function tablesOf(part: CheckedPart): TableRef[] {
  const sorts = part.sort.flatMap(({ path }) => path.flatMap(ofJoin))
  return [part.table, ...ofSelect(part.select), ...ofPredicate(part.where), ...ofPredicate(part.scope), ...sorts]
}

function ofSelect(select: readonly Selected[]): TableRef[] {
  return select.flatMap((node) => (node.kind === 'field' ? [] : [...ofJoin(node.join), ...ofSelect(node.select)]))
}

function ofJoin(join: Join): TableRef[] {
  return [join.table, ...ofPredicate(join.scope)]
}

function ofPredicate(predicate: Predicate | null): TableRef[] {
  switch (predicate?.op) {
    case 'and':
    case 'or':
      return predicate.of.flatMap(ofPredicate)
    case 'not':
      return ofPredicate(predicate.of)
    case 'related':
      return [...ofJoin(predicate.join), ...ofPredicate(predicate.where)]
    default:
      return []
  }
}
