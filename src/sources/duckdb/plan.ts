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

/** How a part is read: its rows by one statement or, where they are large, a few at a time. */
export interface PartPlan {
  /** Gives the number of rows. */
  readonly count: Statement
  readonly all: Statement
  /** Null where a few of the rows cannot be had in the same order without making all of them. */
  readonly few: RowWindows | null
}

/** Of `rows` rows behind the first `from`, which are counted from 0. */
export interface RowWindows {
  lines(from: number, rows: number): Statement
  /** How many bytes each of `fields` has. */
  sizes(from: number, rows: number): Statement
  /** Those of the table itself that may be large. */
  readonly fields: readonly string[]
}

/** The number of a row in the order in which its table is read. */
const ROW_NUMBER = '"freight row number"'

/** Statements of rows give one column: the text of each row, in order. `maskKey` null: a part with a hashed field throws. */
export function planPart(
  part: CheckedPart,
  layout: Layout,
  facts: (table: TableRef) => TableFacts,
  maskKey: string | null,
): PartPlan {
  const { bench, place } = workbench(part, facts, maskKey)
  const { dialect, binder } = bench
  const line = rowSql(bench, part.select, layout, place)
  const sortJoins: string[] = []
  const order = part.sort.map((key) => {
    let at = place
    for (const join of key.path) at = joinOne(bench, join, at, sortJoins)
    return `${dialect.column(at, key.column)} ${key.descending ? 'desc nulls first' : 'asc nulls last'}`
  })
  order.push(...part.primaryKey.map((name) => dialect.column(place, name)))
  const where = rowConditions(place, [part.scope, part.where], dialect, binder) ?? 'true'
  const rows: Rows = {
    alias: place.alias,
    table: dialect.table(part.table),
    joins: [...line.joins, ...sortJoins],
    sortJoins,
    where,
    order,
  }
  const statement = (sql: string): Statement => ({ sql, values: binder.values })
  const windows = facts(part.table).hasRowid ? byRowid(rows) : byPlace(rows, part)
  const sizes = sizesOf(bench, part, place)
  return {
    count: planCount(part, facts),
    all: statement(`${selectSql(rows, `${line.array} as line`, part.primaryKey.length === 0)} ${limit(part)}`),
    few: windows && {
      lines: (from, count) => statement(windows(`${line.array} as line`, from, count)),
      sizes: (from, count) => statement(windows(sizes.map(({ bytes }) => bytes).join(', ') || '0', from, count)),
      fields: sizes.map(({ field }) => field),
    },
  }
}

/** The parts of a statement that reads rows of one table, with what is joined to them. */
interface Rows {
  readonly alias: string
  readonly table: string
  readonly joins: readonly string[]
  /** Those of them that the order needs. */
  readonly sortJoins: readonly string[]
  readonly where: string
  readonly order: readonly string[]
}

/** Rows that no key tells apart are numbered, where something might change their order. */
function selectSql({ alias, table, joins, where, order }: Rows, select: string, isKeyless: boolean): string {
  if (!isKeyless || (order.length === 0 && joins.length === 0))
    return `select ${select} from ${table} ${alias} ${joins.join(' ')} where ${where} ${orderBy(order)}`
  const numbered = `(select ${alias}.*, row_number() over () as ${ROW_NUMBER} from ${table} ${alias} where ${where}) ${alias}`
  return `select ${select} from ${numbered} ${joins.join(' ')} ${orderBy([...order, `${alias}.${ROW_NUMBER}`])}`
}

type Window = (select: string, from: number, count: number) => string

/** Found by their keys alone first: DuckDB then reads nothing else of all other rows. */
function byRowid({ alias, table, joins, sortJoins, where, order }: Rows): Window {
  const by = orderBy([...order, `${alias}.rowid`])
  const found = `select ${alias}.rowid from ${table} ${alias} ${sortJoins.join(' ')} where ${where} ${by}`
  return (select, from, count) =>
    `select ${select} from ${table} ${alias} ${joins.join(' ')} where ${alias}.rowid in (${found} limit ${count} offset ${from}) ${by}`
}

/** Files are read from their start each time, without making text of the rows in front. The rows of a view may come in another order each time. */
function byPlace(rows: Rows, { kind }: CheckedPart): Window | null {
  if (kind === 'view' || rows.order.length > 0 || rows.joins.length > 0) return null
  return (select, from, count) => `${selectSql(rows, select, true)} limit ${count} offset ${from}`
}

function sizesOf({ dialect }: Workbench, { select }: CheckedPart, place: Place): { field: string; bytes: string }[] {
  return select.flatMap((node) => {
    if (node.kind !== 'field') return []
    const column = dialect.column(place, node.column)
    const type = dialect.type(place, node.column)
    if (type === 'VARCHAR') return [{ field: node.name, bytes: `strlen(${column})` }]
    return type === 'BLOB' ? [{ field: node.name, bytes: `octet_length(${column})` }] : []
  })
}

function orderBy(order: readonly string[]): string {
  return order.length === 0 ? '' : `order by ${order.join(', ')}`
}

function planCount(part: CheckedPart, facts: (table: TableRef) => TableFacts): Statement {
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
