/**
 * Predicates of a checked spec as SQL text with bound parameters. What differs between databases stands behind `Dialect`;
 * a value reaches SQL only through `Binder.bind`, a name only through the dialect's quoting.
 */
import type { Join, Predicate, TableRef } from '../job/spec.ts'

export type Comparison = Extract<Predicate, { op: 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq' }>
export type Membership = Extract<Predicate, { op: 'in' }>

/** A table as it stands in a FROM clause. */
export interface Place {
  readonly table: TableRef
  readonly alias: string
}

/** Collects the values of one or more statements and hands out names that are used nowhere else in them. */
export interface Binder {
  /** The placeholder to write into the SQL text. */
  bind(value: unknown): string
  alias(): string
}

export interface Dialect {
  /**
   * How a related row is looked for. `in`: the related rows are read once whether or not their table has an index. `exists`: the planner
   * chooses between that and a look-up per row, and makes joins of it, of its negation too.
   */
  readonly related: 'in' | 'exists'
  /** The table, quoted, for a FROM clause. */
  table(table: TableRef): string
  /** A column, quoted, with its alias. Throws SOURCE_CHANGED where the table no longer has it. */
  column(place: Place, name: string): string
  /** Whether two columns are equal. */
  equal(one: Place, name: string, other: Place, otherName: string): string
  compare(place: Place, predicate: Comparison, binder: Binder): string
  /** `values` is not empty. */
  among(place: Place, predicate: Membership, binder: Binder): string
  like(place: Place, column: string, pattern: string, binder: Binder): string
  containsJson(place: Place, column: string, json: string, binder: Binder): string
  /** A condition, always true, through which a running statement over this table can be stopped; null where none is needed. */
  tick(place: Place): string | null
}

const TRUE = '1=1'
const FALSE = '1=0'

export function compilePredicate(predicate: Predicate, place: Place, dialect: Dialect, binder: Binder): string {
  switch (predicate.op) {
    case 'and':
      return balanced(compileAll(predicate.of, place, dialect, binder), 'and') ?? TRUE
    case 'or':
      return balanced(compileAll(predicate.of, place, dialect, binder), 'or') ?? FALSE
    case 'not':
      return `not (${compilePredicate(predicate.of, place, dialect, binder)})`
    case 'is_null':
      return `${dialect.column(place, predicate.column)} is null`
    case 'in':
      return predicate.values.length === 0 ? FALSE : dialect.among(place, predicate, binder)
    case 'like':
      return dialect.like(place, predicate.column, predicate.pattern, binder)
    case 'json_contains':
      return dialect.containsJson(place, predicate.column, predicate.json, binder)
    case 'related':
      return related(predicate.join, predicate.where, place, dialect, binder)
    default:
      return dialect.compare(place, predicate, binder)
  }
}

/** Conditions joined by AND, those that are null left out; null when none is left. */
export function allOf(conditions: readonly (string | null)[]): string | null {
  return balanced(
    conditions.filter((condition) => condition !== null),
    'and',
  )
}

/** Conditions of a table's rows in the order in which they should be tried: the tick first, or a filter hides it. */
export function rowConditions(
  place: Place,
  predicates: readonly (Predicate | null)[],
  dialect: Dialect,
  binder: Binder,
): string | null {
  const compiled = predicates.map((predicate) => (predicate ? compilePredicate(predicate, place, dialect, binder) : null))
  return allOf([dialect.tick(place), ...compiled])
}

function compileAll(predicates: readonly Predicate[], place: Place, dialect: Dialect, binder: Binder): string[] {
  return predicates.map((each) => compilePredicate(each, place, dialect, binder))
}

/** A list of a thousand would nest a thousand deep as written from left to right; SQLite refuses that (SQLITE_MAX_EXPR_DEPTH). */
function balanced(conditions: readonly string[], operator: 'and' | 'or'): string | null {
  if (conditions.length === 0) return null
  if (conditions.length === 1) return conditions[0] ?? null
  const middle = conditions.length >> 1
  return `(${balanced(conditions.slice(0, middle), operator)} ${operator} ${balanced(conditions.slice(middle), operator)})`
}

/** Two-valued, however NULLs lie: without a related row it is false. */
function related(join: Join, where: Predicate, place: Place, dialect: Dialect, binder: Binder): string {
  const inner: Place = { table: join.table, alias: binder.alias() }
  const conditions = rowConditions(inner, [join.scope, where], dialect, binder)
  return dialect.related === 'exists'
    ? relatedByExists(join, place, inner, dialect, conditions)
    : relatedByIn(join, place, inner, dialect, conditions)
}

function relatedByExists(join: Join, place: Place, inner: Place, dialect: Dialect, conditions: string | null): string {
  const equal = join.foreignColumns.map((name, index) => dialect.equal(place, join.localColumns[index] ?? '', inner, name))
  return `exists (select 1 from ${dialect.table(join.table)} ${inner.alias} where ${allOf([...equal, conditions])})`
}

/** The null tests make IN two-valued. */
function relatedByIn(join: Join, place: Place, inner: Place, dialect: Dialect, where: string | null): string {
  const local = join.localColumns.map((name) => dialect.column(place, name))
  const foreign = join.foreignColumns.map((name) => dialect.column(inner, name))
  const present = (columns: readonly string[]): string[] => columns.map((column) => `${column} is not null`)
  const conditions = allOf([where, ...present(foreign)])
  const left = local.length === 1 ? local[0] : `(${local.join(', ')})`
  const select = `select ${foreign.join(', ')} from ${dialect.table(join.table)} ${inner.alias} where ${conditions}`
  return `(${present(local).join(' and ')} and ${left} in (${select}))`
}
