/**
 * The public predicates, each as a combination of the few comparisons every source knows. The list is closed.
 *
 * They mean what Ransack's mean (https://activerecord-hackery.github.io/ransack/getting-started/search-matches/): a negation
 * leaves NULL out unless its name ends in `_or_null`. `docs/catalog.md` has them in one table.
 */
import { CELL_TYPES, type CellType } from '../job/row-text.ts'
import type { BoundValue, Predicate } from '../job/spec.ts'
import type { Field } from './resources.ts'

/** What a predicate takes as its value: one, a list, true or false, a JSON document or a list of them. */
export type Rule = { readonly fits: ReadonlySet<CellType> } & (
  | { readonly takes: 'value'; readonly test: (field: Field, value: BoundValue) => Predicate }
  | { readonly takes: 'list'; readonly each: boolean; readonly test: (field: Field, values: readonly BoundValue[]) => Predicate }
  | { readonly takes: 'flag'; readonly test: (field: Field, flag: boolean) => Predicate }
  | { readonly takes: 'document'; readonly test: (field: Field, json: string) => Predicate }
  | { readonly takes: 'documents'; readonly test: (field: Field, jsons: readonly string[]) => Predicate }
)

type Test = (field: Field, value: BoundValue) => Predicate
type ListTest = (field: Field, values: readonly BoundValue[]) => Predicate

const ALL: ReadonlySet<CellType> = new Set(CELL_TYPES)
const ORDERED: ReadonlySet<CellType> = new Set<CellType>([
  'text',
  'integer',
  'decimal',
  'float',
  'date',
  'time',
  'timestamp',
  'uuid',
  'any',
])
const COMPARABLE: ReadonlySet<CellType> = new Set<CellType>([...ORDERED, 'boolean'])
const TEXTUAL: ReadonlySet<CellType> = new Set<CellType>(['text', 'any'])

export const TRUE: Predicate = { op: 'and', of: [] }
const FALSE: Predicate = { op: 'or', of: [] }

const and = (...of: Predicate[]): Predicate => (of.length === 1 && of[0] ? of[0] : { op: 'and', of })
const or = (...of: Predicate[]): Predicate => (of.length === 1 && of[0] ? of[0] : { op: 'or', of })
const not = (of: Predicate): Predicate => ({ op: 'not', of })
const isNull = ({ column }: Field): Predicate => ({ op: 'is_null', column })
const emptyText: BoundValue = { type: 'text', text: '' }

const compare =
  (op: 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq'): Test =>
  ({ column, type }, value) => ({ op, column, type, value })
const eq = compare('eq')
const isIn: ListTest = ({ column, type }, values) => (values.length === 0 ? FALSE : { op: 'in', column, type, values })
const isNotIn: ListTest = (field, values) => (values.length === 0 ? TRUE : not(isIn(field, values)))

const like =
  (pattern: (text: string) => string): Test =>
  ({ column }, { text }) => ({ op: 'like', column, pattern: pattern(text) })
const literal = (text: string): string => text.replace(/[\\%_]/g, '\\$&')
const matches = like((text) => text)
const start = like((text) => `${literal(text)}%`)
const end = like((text) => `%${literal(text)}`)
const cont = like((text) => `%${literal(text)}%`)

const negated =
  (test: Test): Test =>
  (field, value) =>
    not(test(field, value))
const orNull =
  <Value>(test: (field: Field, value: Value) => Predicate) =>
  (field: Field, value: Value): Predicate =>
    or(test(field, value), isNull(field))

/** Text columns are blank when empty, too; in other types there is no empty value. */
const isBlank = (field: Field): Predicate => (TEXTUAL.has(field.type) ? or(isNull(field), eq(field, emptyText)) : isNull(field))
const isPresent = (field: Field): Predicate =>
  TEXTUAL.has(field.type) ? and(not(isNull(field)), not(eq(field, emptyText))) : not(isNull(field))
const flagValue = (field: Field, flag: boolean): Predicate => eq(field, { type: 'boolean', text: String(flag) })

const one = (fits: ReadonlySet<CellType>, test: Test): Rule => ({ takes: 'value', fits, test })
const list = (fits: ReadonlySet<CellType>, test: ListTest): Rule => ({ takes: 'list', each: false, fits, test })
const any = (fits: ReadonlySet<CellType>, test: Test): Rule => ({
  takes: 'list',
  each: true,
  fits,
  test: (field, values) => or(...values.map((value) => test(field, value))),
})
const all = (fits: ReadonlySet<CellType>, test: Test): Rule => ({
  takes: 'list',
  each: true,
  fits,
  test: (field, values) => and(...values.map((value) => test(field, value))),
})
const flag = (fits: ReadonlySet<CellType>, yes: (field: Field) => Predicate, no: (field: Field) => Predicate): Rule => ({
  takes: 'flag',
  fits,
  test: (field, given) => (given ? yes(field) : no(field)),
})
const isNotNull = (field: Field): Predicate => not(isNull(field))
const BOOLEAN: ReadonlySet<CellType> = new Set<CellType>(['boolean'])
const JSON_ONLY: ReadonlySet<CellType> = new Set<CellType>(['json'])
const contains = ({ column }: Field, json: string): Predicate => ({ op: 'json_contains', column, json })

export const PREDICATES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['eq', one(COMPARABLE, eq)],
  ['eq_or_null', one(COMPARABLE, orNull(eq))],
  ['not_eq', one(COMPARABLE, negated(eq))],
  ['not_eq_or_null', one(COMPARABLE, orNull(negated(eq)))],
  ['not_eq_all', list(COMPARABLE, isNotIn)],
  ['in', list(COMPARABLE, isIn)],
  ['in_or_null', list(COMPARABLE, orNull(isIn))],
  ['not_in', list(COMPARABLE, isNotIn)],
  ['not_in_or_null', list(COMPARABLE, orNull(isNotIn))],
  ...(['lt', 'lteq', 'gt', 'gteq'] as const).flatMap((op): [string, Rule][] => [
    [op, one(ORDERED, compare(op))],
    [`${op}_any`, any(ORDERED, compare(op))],
    [`${op}_all`, all(ORDERED, compare(op))],
  ]),
  ['matches', one(TEXTUAL, matches)],
  ['matches_any', any(TEXTUAL, matches)],
  ['matches_all', all(TEXTUAL, matches)],
  ['does_not_match', one(TEXTUAL, negated(matches))],
  ['does_not_match_any', any(TEXTUAL, negated(matches))],
  ['does_not_match_all', all(TEXTUAL, negated(matches))],
  ...[['start', start] as const, ['end', end] as const].flatMap(([name, test]): [string, Rule][] => [
    [name, one(TEXTUAL, test)],
    [`${name}_any`, any(TEXTUAL, test)],
    [`${name}_all`, all(TEXTUAL, test)],
    [`not_${name}`, one(TEXTUAL, negated(test))],
    [`not_${name}_any`, any(TEXTUAL, negated(test))],
    [`not_${name}_all`, all(TEXTUAL, negated(test))],
  ]),
  ['cont', one(TEXTUAL, cont)],
  ['cont_any', any(TEXTUAL, cont)],
  ['cont_all', all(TEXTUAL, cont)],
  ['not_cont', one(TEXTUAL, negated(cont))],
  ['not_cont_all', all(TEXTUAL, negated(cont))],
  ['jcont', { takes: 'document', fits: JSON_ONLY, test: contains }],
  [
    'jcont_any',
    { takes: 'documents', fits: JSON_ONLY, test: (field, jsons) => or(...jsons.map((json) => contains(field, json))) },
  ],
  ['present', flag(ALL, isPresent, isBlank)],
  ['blank', flag(ALL, isBlank, isPresent)],
  ['null', flag(ALL, isNull, isNotNull)],
  ['not_null', flag(ALL, isNotNull, isNull)],
  [
    'true',
    flag(
      BOOLEAN,
      (field) => flagValue(field, true),
      (field) => not(flagValue(field, true)),
    ),
  ],
  [
    'false',
    flag(
      BOOLEAN,
      (field) => flagValue(field, false),
      (field) => not(flagValue(field, false)),
    ),
  ],
])

/** The names of those that make sense for a type. */
export function predicatesFor(type: CellType): string[] {
  return [...PREDICATES].filter(([, rule]) => rule.fits.has(type)).map(([name]) => name)
}

/** Whether a row satisfies it whose value is NULL. Null stands for SQL's unknown. */
export function whenNull(predicate: Predicate): boolean | null {
  if (predicate.op === 'is_null') return true
  if (predicate.op === 'not') {
    const inner = whenNull(predicate.of)
    return inner === null ? null : !inner
  }
  if (predicate.op !== 'and' && predicate.op !== 'or') return null
  const decisive = predicate.op === 'or'
  const parts = predicate.of.map(whenNull)
  if (parts.includes(decisive)) return decisive
  return parts.includes(null) ? null : !decisive
}
