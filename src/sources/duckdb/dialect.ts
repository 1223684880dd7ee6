/**
 * How DuckDB compares. `docs/sources.md` has the table of what each comparison means for each type.
 *
 * DuckDB has types, so a value is cast to its column's; text that stands for something else, as all columns of a CSV file, is cast where it can
 * be, and satisfies nothing where it cannot.
 */
import type { CellType } from '../../job/row-text.ts'
import type { BoundValue, TableRef } from '../../job/spec.ts'
import type { Binder, Comparison, Dialect, Membership, Place } from '../compile.ts'
import type { TableFacts } from './facts.ts'
import { containsJson } from './json-containment.ts'
import { quoteName } from './names.ts'

const OPERATORS = { eq: '=', lt: '<', lteq: '<=', gt: '>', gteq: '>=' } as const
const WHOLE = /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|HUGEINT|UHUGEINT)$/
const CASTS: Partial<Record<CellType, string>> = {
  boolean: 'BOOLEAN',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMPTZ',
}
/** What DECIMAL(38, scale) holds of an integer with the scale of the value. */
const DECIMAL_DIGITS = 38

/** Parameters are `$1` and so on, all text. */
export class TextBinder implements Binder {
  readonly values: string[] = []
  #aliases = 0

  bind(value: unknown): string {
    this.values.push(String(value))
    return `$${this.values.length}`
  }

  alias(): string {
    this.#aliases += 1
    return `t${this.#aliases}`
  }
}

export class DuckDbDialect implements Dialect {
  readonly related = 'exists'
  readonly #facts: (table: TableRef) => TableFacts

  constructor(facts: (table: TableRef) => TableFacts) {
    this.#facts = facts
  }

  table(table: TableRef): string {
    const { schema, name } = this.#facts(table).description
    return `${quoteName(schema ?? 'main')}.${quoteName(name)}`
  }

  column({ table, alias }: Place, name: string): string {
    return `${alias}.${quoteName(this.#facts(table).column(name).name)}`
  }

  type({ table }: Place, name: string): string {
    return this.#facts(table).column(name).type
  }

  /** Text and anything else are compared as text; a text that is no number must not end the query. */
  equal(one: Place, name: string, other: Place, otherName: string): string {
    const [left, right] = [this.column(one, name), this.column(other, otherName)]
    const isText = [this.type(one, name), this.type(other, otherName)].map((type) => type === 'VARCHAR')
    if (isText[0] === isText[1]) return `${left} = ${right}`
    return `cast(${left} as varchar) = cast(${right} as varchar)`
  }

  compare(place: Place, { op, column, type, value }: Comparison, binder: Binder): string {
    const [left, right] = this.#sides(place, column, type, [value])
    return `${left} ${OPERATORS[op]} ${right(binder.bind(literal(type, value)))}`
  }

  /** One parameter, however long the list is. */
  among(place: Place, { column, type, values }: Membership, binder: Binder): string {
    const [left, right] = this.#sides(place, column, type, values)
    const list = binder.bind(JSON.stringify(values.map((value) => literal(type, value))))
    return `${left} in (select ${right('value')} from (select unnest(from_json(${list}, '["VARCHAR"]')) as value))`
  }

  like(place: Place, column: string, pattern: string, binder: Binder): string {
    return `cast(${this.column(place, column)} as varchar) ilike ${binder.bind(pattern)} escape '\\'`
  }

  containsJson(place: Place, column: string, json: string, binder: Binder): string {
    return containsJson(`try_cast(${this.column(place, column)} as json)`, json, binder)
  }

  /** A process can be ended in the middle of anything. */
  tick(): null {
    return null
  }

  /** The column, and how to write a value beside it. */
  #sides(place: Place, name: string, type: CellType, values: readonly BoundValue[]): [string, (text: string) => string] {
    const column = this.column(place, name)
    const actual = this.type(place, name)
    if (isNumber(type) || (type === 'any' && values.every((value) => value.type !== 'text'))) {
      return numbers(
        column,
        actual,
        values.map(({ text }) => text),
      )
    }
    const cast = CASTS[type]
    if (cast !== undefined) return [`try_cast(${column} as ${cast})`, (text) => `cast(${text} as ${cast})`]
    if (type === 'uuid') return [`lower(cast(${column} as varchar))`, (text) => `lower(${text})`]
    return [actual === 'VARCHAR' ? column : `cast(${column} as varchar)`, (text) => text]
  }
}

function isNumber(type: CellType): boolean {
  return type === 'integer' || type === 'decimal' || type === 'float'
}

/** Exactly where the column and all values are decimal numbers of at most 38 digits together, else as doubles. */
function numbers(column: string, actual: string, texts: readonly string[]): [string, (text: string) => string] {
  const scales = texts.map(scaleOf)
  const scale = scales.includes(null) ? null : Math.max(...scales.map(Number))
  const [, precision = '', columnScale = ''] = /^DECIMAL\((\d+),(\d+)\)$/.exec(actual) ?? []
  const whole = Math.max(...texts.map((text) => text.replace(/^-|\..*$/g, '').length))
  if (scale === 0 && WHOLE.test(actual) && whole < DECIMAL_DIGITS) return [column, (text) => `cast(${text} as hugeint)`]
  if (scale !== null && (WHOLE.test(actual) || precision !== '' || actual === 'VARCHAR')) {
    const common = Math.max(scale, Number(columnScale), actual === 'VARCHAR' ? TEXT_SCALE : 0)
    const digits = precision === '' ? 20 : Number(precision) - Number(columnScale)
    if (Math.max(whole, digits) + common <= DECIMAL_DIGITS) {
      const type = `decimal(${DECIMAL_DIGITS},${common})`
      return [`try_cast(${column} as ${type})`, (text) => `cast(${text} as ${type})`]
    }
  }
  return [`try_cast(${column} as double)`, (text) => `cast(${text} as double)`]
}

/** Decimals of a CSV file that count in a comparison. */
const TEXT_SCALE = 9

/** Digits behind the point; null for a number with an exponent. */
function scaleOf(text: string): number | null {
  const fraction = /^-?\d+(?:\.(\d*))?$/.exec(plainNumber(text))
  return fraction === null ? null : (fraction[1]?.length ?? 0)
}

/** Without the zeros behind that say nothing. */
function plainNumber(text: string): string {
  return /^[-+]?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text
}

function literal(type: CellType, { text }: BoundValue): string {
  if (isNumber(type)) return plainNumber(text)
  // DuckDB reads six decimals and cuts the rest.
  return type === 'timestamp' ? text.replace(/(\.\d{6})\d+/, '$1') : text
}
