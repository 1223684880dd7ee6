/**
 * How PostgreSQL compares. `docs/sources.md` has the table of what each comparison means for each type.
 *
 * A value is cast to its column's type, never the column to the value's, so that indexes serve; the column is cast only where the
 * configuration says another type than the database.
 */
import type { CellType } from '../../job/row-text.ts'
import type { BoundValue, TableRef } from '../../job/spec.ts'
import type { Binder, Comparison, Dialect, Membership, Place } from '../compile.ts'
import { isText } from './column-types.ts'
import { type ColumnFacts, type KnownTables, qualified } from './facts.ts'
import { instantLiteral } from './instants.ts'
import { arrayText, quoteName } from './literals.ts'

const OPERATORS = { eq: '=', lt: '<', lteq: '<=', gt: '>', gteq: '>=' } as const
type Operator = keyof typeof OPERATORS

const FALSE = '1=0'
const BYTES = 'collate pg_catalog."C"'
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const INTEGERS = ['int2', 'int4', 'int8', 'oid']
const NUMBERS = [...INTEGERS, 'numeric', 'float4', 'float8']
const INT64_MAX = 2n ** 63n - 1n
const IS_JSON_SINCE = 160_000
/** Before, a range of places is looked for in all of the table. */
const TID_RANGE_SCAN_SINCE = 140_000

/** A row of a table, or of a subquery that stands for it and calls its columns otherwise. */
export interface RowPlace extends Place {
  readonly renamed: ReadonlyMap<string, string> | null
}

type Somewhere = Place & { readonly renamed?: RowPlace['renamed'] }

export class PostgresDialect implements Dialect {
  readonly related = 'exists'
  readonly #tables: KnownTables
  readonly #version: number

  constructor(tables: KnownTables, version: number) {
    this.#tables = tables
    this.#version = version
  }

  /** Whether rows are found by where they lie without a look at the others. */
  get findsPlaces(): boolean {
    return this.#version >= TID_RANGE_SCAN_SINCE
  }

  table(table: TableRef): string {
    return qualified(this.#tables.table(table))
  }

  column(place: Somewhere, name: string): string {
    this.#tables.column(place.table, name)
    return `${place.alias}.${place.renamed?.get(name) ?? quoteName(name)}`
  }

  /** Types of one kind are compared as they are; others by their text. */
  equal(one: Somewhere, name: string, other: Somewhere, otherName: string): string {
    const [left, right] = [this.column(one, name), this.column(other, otherName)]
    return this.alike(one.table, name, other.table, otherName) ? `${left} = ${right}` : `${left}::text = ${right}::text`
  }

  /** Whether the two columns can be compared without a cast. */
  alike(one: TableRef, name: string, other: TableRef, otherName: string): boolean {
    const [left, right] = [this.#tables.column(one, name), this.#tables.column(other, otherName)]
    if (left.base === '' || right.base === '') return left.declaredType === right.declaredType
    return (
      left.base === right.base ||
      [left, right].every(({ base }) => isText(base)) ||
      [left, right].every(({ base }) => NUMBERS.includes(base))
    )
  }

  compare(place: Place, { op, type, column: name, value }: Comparison, binder: Binder): string {
    const facts = this.#tables.column(place.table, name)
    return compareOne(facts, this.column(place, name), op, type, value, binder)
  }

  among(place: Place, { type, column: name, values }: Membership, binder: Binder): string {
    const facts = this.#tables.column(place.table, name)
    const column = this.column(place, name)
    const texts = values.map(({ text }) => text)
    const list = (items: readonly string[], as: string): string => `any(${binder.bind(arrayText(items))}::${as}[])`
    switch (typeOf(type, facts, values[0])) {
      case 'text':
        return `${equalText(facts, column)} = ${list(texts, 'text')}`
      case 'integer':
        if (INTEGERS.includes(facts.base)) return `${column} = ${list(texts, 'int8')}`
        break
      case 'uuid':
        if (facts.base === 'uuid')
          return `${column} = ${list(
            texts.filter((text) => UUID.test(text)),
            'uuid',
          )}`
        break
      case 'date':
        if (facts.base === 'date') return `${column} = ${list(texts, 'date')}`
        break
      default:
    }
    const each = values.map((value) => compareOne(facts, column, 'eq', type, value, binder))
    return `(${each.join(' or ')})`
  }

  /** In the collation "C" only A to Z have another case. */
  like(place: Place, column: string, pattern: string, binder: Binder): string {
    return `${this.column(place, column)}::text ${BYTES} ilike ${binder.bind(pattern)} escape '\\'`
  }

  containsJson(place: Place, name: string, json: string, binder: Binder): string {
    // jsonb cannot hold it, and so contains it nowhere.
    if (/(^|[^\\])(\\\\)*\\u0000/.test(json)) return FALSE
    const { base } = this.#tables.column(place.table, name)
    const column = this.column(place, name)
    const contains = (document: string): string => `${document} @> ${binder.bind(json)}::jsonb`
    if (base === 'jsonb') return contains(column)
    if (base === 'json' || this.#version < IS_JSON_SINCE) return contains(`${column}::text::jsonb`)
    return `case when ${column}::text is json then ${contains(`${column}::text::jsonb`)} when ${column} is not null then false end`
  }

  /** A statement is ended with its session. */
  tick(): null {
    return null
  }

  /** What a column is ordered by: text by its bytes. */
  order(place: Place, name: string): string {
    const facts = this.#tables.column(place.table, name)
    const column = this.column(place, name)
    if (facts.type !== 'text' && facts.base !== 'json' && facts.base !== 'jsonb') return column
    return isText(facts.base) ? `${column} ${BYTES}` : `${column}::text ${BYTES}`
  }
}

/** Where nothing is known of the column's type, the value's own. */
function typeOf(type: CellType, facts: ColumnFacts, value: BoundValue | undefined): CellType {
  if (type !== 'any') return type
  return value?.type === 'text' || !NUMBERS.includes(facts.base) ? 'text' : (value?.type ?? 'text')
}

function compareOne(facts: ColumnFacts, column: string, op: Operator, type: CellType, value: BoundValue, binder: Binder): string {
  const { base } = facts
  const { text } = value
  const operator = OPERATORS[op]
  const as = (target: string, bound = text): string => {
    const left = base === target ? column : `${column}::text::${target}`
    return `${left} ${operator} ${binder.bind(bound)}::${target}`
  }
  switch (typeOf(type, facts, value)) {
    case 'integer':
    case 'decimal':
    case 'float':
      return compareNumber(base, column, op, text, binder)
    case 'boolean':
      return as('bool')
    case 'date':
      return as('date')
    case 'time':
      return as('time')
    case 'timestamp':
      return compareInstant(base, column, op, text, binder)
    case 'uuid':
      if (base === 'uuid') return UUID.test(text) ? as('uuid') : FALSE
      return `pg_catalog.lower(${column}::text) ${BYTES} ${operator} ${binder.bind(text.toLowerCase())}`
    default:
      return op === 'eq'
        ? `${equalText(facts, column)} = ${binder.bind(text)}`
        : `${isText(base) ? column : `${column}::text`} ${BYTES} ${operator} ${binder.bind(text)}`
  }
}

/** Equal to the byte, by an index of the column's own collation where its equality is that. */
function equalText(facts: ColumnFacts, column: string): string {
  const text = isText(facts.base) ? column : `${column}::text`
  return facts.deterministic && facts.base !== 'citext' ? text : `${text} ${BYTES}`
}

function compareNumber(base: string, column: string, op: Operator, text: string, binder: Binder): string {
  const operator = OPERATORS[op]
  if (INTEGERS.includes(base) && isInt64(text)) return `${column} ${operator} ${binder.bind(text)}::int8`
  // A float is compared with the float that the digits stand for, as it was when it was written.
  if (base === 'float8') return `${column} ${operator} ${binder.bind(floatText(Number(text)))}::float8`
  if (base === 'float4') return `${column} ${operator} ${binder.bind(floatText(Math.fround(Number(text))))}::float4`
  const left = base === 'numeric' ? column : NUMBERS.includes(base) ? `${column}::numeric` : `${column}::text::numeric`
  return `${left} ${operator} ${binder.bind(text)}::numeric`
}

function isInt64(text: string): boolean {
  if (!/^-?\d{1,30}$/.test(text)) return false
  const value = BigInt(text)
  return value <= INT64_MAX && value >= -INT64_MAX - 1n
}

function floatText(value: number): string {
  return Number.isFinite(value) ? String(value) : `${value < 0 ? '-' : ''}Infinity`
}

/** A column without a zone is UTC. PostgreSQL would round a finer value to the microsecond; what lies between two of them is decided here. */
function compareInstant(base: string, column: string, op: Operator, text: string, binder: Binder): string {
  const instant = instantLiteral(text)
  if (instant === null) return FALSE
  if (!instant.isExact && op === 'eq') return FALSE
  const rounded: Operator = instant.isExact ? op : op === 'lt' ? 'lteq' : op === 'gteq' ? 'gt' : op
  const bound = `${binder.bind(instant.text)}::timestamptz`
  const right = base === 'timestamp' ? `(${bound} at time zone 'UTC')` : bound
  const left = base === 'timestamptz' || base === 'timestamp' ? column : `${column}::text::timestamptz`
  return `${left} ${OPERATORS[rounded]} ${right}`
}
