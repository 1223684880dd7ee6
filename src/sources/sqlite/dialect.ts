/**
 * How SQLite compares. `docs/sources.md` has the table of what each comparison means for each type.
 *
 * SQLite compares by what a value is, not by what its column was declared as; each rule here is about that.
 */
import type { BoundValue, TableRef } from '../../job/spec.ts'
import type { Binder, Comparison, Dialect, Membership, Place } from '../compile.ts'
import type { Affinity, TableFacts } from './facts.ts'
import { canonicalInstant, dayAfter } from './instant.ts'
import { quoteName } from './names.ts'

const OPERATORS = { eq: '=', lt: '<', lteq: '<=', gt: '>', gteq: '>=' } as const
type Operator = keyof typeof OPERATORS

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** Parameters are named, so that one set of values serves every statement of a part. */
export class NamedBinder implements Binder {
  readonly values: Record<string, unknown> = {}
  #count = 0
  #aliases = 0

  bind(value: unknown): string {
    this.#count += 1
    this.values[`p${this.#count}`] = value
    return `:p${this.#count}`
  }

  alias(): string {
    this.#aliases += 1
    return `t${this.#aliases}`
  }
}

export class SqliteDialect implements Dialect {
  readonly related = 'in'
  readonly #facts: (table: TableRef) => TableFacts

  constructor(facts: (table: TableRef) => TableFacts) {
    this.#facts = facts
  }

  /** Qualified, since a temporary table of the same name would come first. */
  table(table: TableRef): string {
    return `main.${quoteName(this.#facts(table).name)}`
  }

  column(place: Place, name: string): string {
    return `${place.alias}.${quoteName(this.#facts(place.table).column(name).name)}`
  }

  equal(one: Place, name: string, other: Place, otherName: string): string {
    return `${this.column(one, name)} = ${this.column(other, otherName)}`
  }

  /** A rowid is at hand in every scan: one call in 1,024 rows costs nothing that could be measured on 1,000,000. */
  tick(place: Place): string {
    const { rowid } = this.#facts(place.table)
    return rowid === null ? 'freight_tick()' : `((${place.alias}.${rowid} & 1023) or freight_tick())`
  }

  compare(place: Place, predicate: Comparison, binder: Binder): string {
    const { op, type, value } = predicate
    const column = this.column(place, predicate.column)
    switch (type) {
      case 'integer':
      case 'decimal':
      case 'float':
        return `${asNumber(column, this.#affinity(place, predicate.column))} ${OPERATORS[op]} ${binder.bind(numericValue(value.text))}`
      case 'boolean':
        return `${column} ${OPERATORS[op]} ${binder.bind(value.text === 'true' ? 1n : 0n)}`
      case 'timestamp':
        return compareInstants(column, op, value.text, binder)
      case 'any':
        return compareAny(column, op, value, binder)
      case 'uuid':
        if (op === 'eq')
          return `${column} in (${spellings(value.text)
            .map((text) => binder.bind(text))
            .join(', ')})`
        return compareText(column, op, value.text, binder)
      default:
        return compareText(column, op, value.text, binder)
    }
  }

  /** One parameter however long the list is: SQLite takes 32,766 of them. */
  among(place: Place, predicate: Membership, binder: Binder): string {
    const column = this.column(place, predicate.column)
    const texts = predicate.values.map(({ text }) => text)
    const list = (items: readonly string[]): string => `(select value from json_each(${binder.bind(`[${items.join(',')}]`)}))`
    switch (predicate.type) {
      case 'integer':
      case 'decimal':
      case 'float':
        return `${asNumber(column, this.#affinity(place, predicate.column))} in ${list(texts.map(jsonNumber))}`
      case 'boolean':
        return `${column} in ${list(texts.map((text) => (text === 'true' ? '1' : '0')))}`
      case 'timestamp':
        return instantAmong(column, texts, binder, list)
      case 'uuid':
        return `${column} collate binary in ${list(texts.flatMap(spellings).map(jsonText))}`
      case 'any':
        return `${column} collate binary in ${list(
          predicate.values.map(({ type, text }) => (type === 'text' ? jsonText(text) : jsonNumber(text))),
        )}`
      default:
        return `${column} collate binary in ${list(texts.map(jsonText))}`
    }
  }

  like(place: Place, column: string, pattern: string, binder: Binder): string {
    return `${this.column(place, column)} like ${binder.bind(pattern)} escape '\\'`
  }

  containsJson(place: Place, column: string, json: string, binder: Binder): string {
    return `freight_json_contains(${this.column(place, column)}, ${binder.bind(json)})`
  }

  #affinity(place: Place, column: string): Affinity {
    return this.#facts(place.table).column(column).affinity
  }
}

/** Numbers kept as text (money, often) would be compared as text; their index cannot help, but the answer is right. */
function asNumber(column: string, affinity: Affinity): string {
  return affinity === 'numeric' ? column : `cast(${column} as numeric)`
}

/** As SQLite itself keeps a number: 64-bit integer where it is one, else a double. */
function numericValue(text: string): bigint | number {
  if (!/^[+-]?\d+$/.test(text)) return Number(text)
  const exact = BigInt(text)
  return exact >= INT64_MIN && exact <= INT64_MAX ? exact : Number(text)
}

function jsonNumber(text: string): string {
  const value = numericValue(text)
  return typeof value === 'number' && !Number.isFinite(value) ? `${value < 0 ? '-' : ''}9e999` : String(value)
}

function jsonText(text: string): string {
  return JSON.stringify(text)
}

function compareText(column: string, op: Operator, text: string, binder: Binder): string {
  return `${column} collate binary ${OPERATORS[op]} ${binder.bind(text)}`
}

/** In a column without a type numbers are compared with numbers and text with text; SQLite alone would order the two. */
function compareAny(column: string, op: Operator, value: BoundValue, binder: Binder): string {
  const isText = value.type === 'text'
  const bound = binder.bind(isText ? value.text : numericValue(value.text))
  const comparison = `${column} collate binary ${OPERATORS[op]} ${bound}`
  if (op === 'eq') return comparison
  return `(${comparison} and typeof(${column}) in (${isText ? "'text'" : "'integer', 'real'"}))`
}

/** A UUID is the same in upper and lower case; both spellings together can still be looked up in an index. */
function spellings(text: string): string[] {
  return [...new Set([text, text.toLowerCase(), text.toUpperCase()])]
}

/**
 * Instants are compared exactly only where the date leaves a doubt: text that begins with a date two days later or earlier is
 * decided by its text alone, whatever its form and offset. So an index on the column narrows the search, and the function runs for
 * the rows of three days. Numbers and text that is no moment satisfy nothing.
 */
function compareInstants(column: string, op: Operator, text: string, binder: Binder): string {
  const instant = canonicalInstant(text)
  if (instant === null) return compareText(column, op, text, binder)
  const from = binder.bind(dayAfter(instant, -1))
  const until = binder.bind(dayAfter(instant, 2))
  const exact = `freight_instant(${column}) ${OPERATORS[op]} ${binder.bind(instant)}`
  switch (op) {
    case 'eq':
      return `(${column} >= ${from} and ${column} < ${until} and ${exact})`
    case 'gt':
    case 'gteq':
      // ':' follows '9', so that no other text and no bytes come after it.
      return `(${column} >= ${from} and ${column} < ':' and (${column} >= ${until} or ${exact}))`
    default:
      // `+`, or a numeric column would make a number of '0'. Numbers come before any text.
      return `(${column} < ${until} and +${column} >= '0' and (${column} < ${from} or ${exact}))`
  }
}

function instantAmong(
  column: string,
  texts: readonly string[],
  binder: Binder,
  list: (items: readonly string[]) => string,
): string {
  const instants = texts.map(canonicalInstant).filter((instant) => instant !== null)
  const sorted = instants.toSorted()
  const [first, last] = [sorted[0], sorted.at(-1)]
  if (first === undefined || last === undefined) return '1=0'
  const from = binder.bind(dayAfter(first, -1))
  const until = binder.bind(dayAfter(last, 2))
  return `(${column} >= ${from} and ${column} < ${until} and freight_instant(${column}) in ${list(instants.map(jsonText))})`
}
