/**
 * How a statement gets from rows to related ones: to-many relations as derived tables that are aggregated once and joined on
 * their key, never looked up row by row (tried without an index: 57.6 s against 0.15 s).
 */
import type { CheckedPart, Join, Predicate, Selected, TableRef } from '../../job/spec.ts'
import { allOf, compilePredicate, type Place } from '../compile.ts'
import type { PostgresDialect, RowPlace } from './dialect.ts'
import type { KnownTables } from './facts.ts'
import type { LiteralBinder } from './literals.ts'

export interface Bench {
  readonly tables: KnownTables
  readonly dialect: PostgresDialect
  readonly binder: LiteralBinder
  /** What the server sends is valid UTF-8. A database in SQL_ASCII holds any bytes. */
  readonly isValidText: boolean
}

/** Rows in a FROM clause that grows by the joins that are asked for. */
export interface Rows {
  readonly place: RowPlace
  readonly joins: string[]
  /** A subselect of these columns of the rows that count; null where all rows do. Related rows of no other are read. */
  readonly keys: ((columns: readonly string[]) => string) | null
  /** Joins that exist already, by what they lead to. */
  readonly joined: Map<string, Rows>
}

export function rowsOf(place: RowPlace, keys: Rows['keys'] = null): Rows {
  return { place, joins: [], keys, joined: new Map() }
}

/** The columns of a table that selecting from it reads: its own fields, and the keys that lead on. */
export function columnsRead(select: readonly Selected[]): string[] {
  return select.flatMap((node) => (node.kind === 'field' ? [node.column] : node.join.localColumns))
}

export function conditionsOf(bench: Bench, place: Place, predicates: readonly (Predicate | null)[]): string | null {
  return allOf(predicates.map((each) => each && compilePredicate(each, place, bench.dialect, bench.binder)))
}

/**
 * Adds a LEFT JOIN that gives the one related row, or nulls, and never multiplies rows: where the columns are not unique, the first
 * row by key. `columns` are those that will be read of it.
 */
export function joinOne(bench: Bench, join: Join, from: Rows, columns: readonly string[]): Rows {
  const known = JSON.stringify([from.place.alias, join])
  const existing = from.joined.get(known)
  if (existing) return existing
  const alias = bench.binder.alias()
  if (isUnique(bench, join)) {
    const place: RowPlace = { table: join.table, alias, renamed: null }
    const on = allOf([...matches(bench, join, from.place, place), conditionsOf(bench, place, [join.scope])])
    from.joins.push(`left join ${bench.dialect.table(join.table)} ${alias} on ${on}`)
    const rows: Rows = { place, joins: from.joins, keys: keysBehind(bench, join, from), joined: from.joined }
    from.joined.set(known, rows)
    return rows
  }
  const inner: RowPlace = { table: join.table, alias: bench.binder.alias(), renamed: null }
  const renamed = new Map([...new Set([...columns, ...join.foreignColumns])].map((name, index) => [name, `c${index}`]))
  const place: RowPlace = { table: join.table, alias, renamed }
  const key = join.foreignColumns.map((name) => bench.dialect.column(inner, name))
  const select = [...renamed].map(([name, as]) => `${bench.dialect.column(inner, name)} as ${as}`)
  const order = [...key, ...orderOf(bench, join, inner)].join(', ')
  const first = `select distinct on (${key.join(', ')}) ${select.join(', ')} from ${relatedRows(bench, join, from, inner)} order by ${order}`
  from.joins.push(`left join (${first}) ${alias} on ${matches(bench, join, from.place, place).join(' and ')}`)
  return { place, joins: from.joins, keys: keysBehind(bench, join, from), joined: from.joined }
}

/** Whether the joined row is there, of one that `joinOne` gave. */
export function isPresent(bench: Bench, join: Join, one: Rows): string {
  return `${bench.dialect.column(one.place, join.foreignColumns[0] ?? '')} is not null`
}

/** `table alias joins where ...`: the related rows that may be reached, of the rows that count. */
export function relatedRows(bench: Bench, join: Join, from: Rows, inner: RowPlace, joins: readonly string[] = []): string {
  const foreign = join.foreignColumns.map((name) => bench.dialect.column(inner, name))
  const where = allOf([
    conditionsOf(bench, inner, [join.scope]),
    ...foreign.map((column) => `${column} is not null`),
    narrowed(bench, join, from, foreign),
  ])
  return `${bench.dialect.table(join.table)} ${inner.alias} ${joins.join(' ')} where ${where}`
}

function narrowed(bench: Bench, join: Join, from: Rows, foreign: readonly string[]): string | null {
  if (!from.keys) return null
  const alike = join.foreignColumns.every((name, index) =>
    bench.dialect.alike(from.place.table, join.localColumns[index] ?? '', join.table, name),
  )
  return alike ? `(${foreign.join(', ')}) in (${from.keys(join.localColumns)})` : null
}

/** The rows behind a join count where those before it do. */
export function keysBehind(bench: Bench, join: Join, from: Rows): Rows['keys'] {
  if (!from.keys) return null
  return (columns) => {
    const place: RowPlace = { table: join.table, alias: bench.binder.alias(), renamed: null }
    const select = columns.map((name) => bench.dialect.column(place, name)).join(', ')
    return `select ${select} from ${relatedRows(bench, join, from, place)}`
  }
}

function isUnique(bench: Bench, join: Join): boolean {
  const foreign = new Set(join.foreignColumns)
  return bench.tables.table(join.table).uniqueKeys.some((key) => key.length > 0 && key.every((name) => foreign.has(name)))
}

export function matches(bench: Bench, join: Join, from: RowPlace, to: RowPlace): string[] {
  return join.foreignColumns.map((name, index) => bench.dialect.equal(from, join.localColumns[index] ?? '', to, name))
}

export function orderOf(bench: Bench, join: Join, place: Place): string[] {
  return join.orderBy.map((name) => bench.dialect.order(place, name))
}

/** Every table that reading these parts touches. */
export function tablesTouched(parts: readonly CheckedPart[]): TableRef[] {
  const found = new Map<string, TableRef>()
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) walk(each)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        if (name === 'table') found.set(JSON.stringify(member), member as TableRef)
        else walk(member)
      }
    }
  }
  walk(parts)
  return [...found.values()]
}
