/**
 * Filters: a flat object, ANDed. Each key is cut into attributes and a predicate (`filter-keys.ts`), its value is checked
 * against each attribute's type, and the whole becomes one `Predicate`.
 */
import type { BoundValue, Predicate } from '../job/spec.ts'
import { type Attribute, readKey } from './filter-keys.ts'
import { documentText, patternProblem } from './filter-values.ts'
import { joinOf, type Scope } from './paths.ts'
import { predicatesFor, type Rule, TRUE, whenNull } from './predicates.ts'
import { member, quoted, refusal } from './refusal.ts'
import type { Relation, Resource } from './resources.ts'
import { boundValue } from './values.ts'

const MAX_KEYS = 200
const MAX_LIST = 100_000
/** SQLite's expressions are at most 1,000 deep (SQLITE_MAX_EXPR_DEPTH), and a chain of ANDs or ORs is as deep as it is long. */
const MAX_COMPARISONS = 500

/** What the filters of one part may cost together. */
interface Budget {
  comparisons: number
  listed: number
}

interface Place {
  readonly key: string
  readonly pointer: string
}

/** Null where there are no filters. */
export function filterPredicate(
  resource: Resource,
  filters: Readonly<Record<string, unknown>>,
  at: string,
  scope: Scope,
): Predicate | null {
  const keys = Object.keys(filters)
  if (keys.length > MAX_KEYS)
    throw refusal('VALIDATION_FAILED', at, `filters: at most ${MAX_KEYS} are taken, not ${keys.length}.`)
  const budget: Budget = { comparisons: 0, listed: 0 }
  const of = keys.map((key) => oneFilter(resource, { key, pointer: member(at, key) }, filters[key], scope, budget))
  if (of.length <= 1) return of[0] ?? null
  return { op: 'and', of }
}

function oneFilter(resource: Resource, place: Place, value: unknown, scope: Scope, budget: Budget): Predicate {
  const { attributes, predicate, rule } = readKey(resource, place.key, place.pointer)
  const of = attributes.map((attribute) => {
    if (attribute.field.mask !== null) throw masked(attribute, place)
    if (!rule.fits.has(attribute.field.type)) throw misfit(attribute, predicate, place)
    const own = ownTest(attribute, rule, value, place)
    spend(budget, own, place)
    return throughRelations(attribute.steps, own, scope)
  })
  return of.length === 1 && of[0] ? of[0] : { op: 'or', of }
}

/** Whether a filter lets a row through would tell what the mask hides. */
function masked({ name }: Attribute, place: Place): Error {
  return refusal('FILTER_UNKNOWN', place.pointer, `${quoted(name)} is masked for this caller, so nothing can be filtered by it.`)
}

function misfit({ name, field }: Attribute, predicate: string, place: Place): Error {
  const allowed = predicatesFor(field.type).map((fitting) => `${name}_${fitting}`)
  const why = `${quoted(name)} holds ${field.type}; "${predicate}" makes no sense for it.`
  return refusal('FILTER_UNKNOWN', place.pointer, why, { asked: place.key, allowed })
}

function ownTest({ name, field }: Attribute, rule: Rule, value: unknown, place: Place): Predicate {
  if (rule.takes === 'flag') {
    if (typeof value !== 'boolean') throw wrongValue(place.pointer, place.key, 'true or false')
    return rule.test(field, value)
  }
  if (value === null) throw wrongValue(place.pointer, place.key, `no null; ask with "${name}_null": true`)
  if (rule.takes === 'document') return rule.test(field, readDocument(value, place.pointer, place))
  if (rule.takes === 'documents') {
    const documents = readList(value, MAX_COMPARISONS, place)
    return rule.test(
      field,
      documents.map((each, index) => readDocument(each, member(place.pointer, index), place)),
    )
  }
  const read = (given: unknown, pointer: string): BoundValue => {
    if (given === null) throw wrongValue(pointer, place.key, 'no null; a predicate that ends in "_or_null" keeps NULL rows')
    const bound = boundValue(field.type, given)
    if ('problem' in bound) throw wrongValue(pointer, place.key, bound.problem)
    return bound
  }
  if (rule.takes === 'value') {
    const predicate = rule.test(field, read(value, place.pointer))
    assertPatterns(predicate, place)
    return predicate
  }
  const list = readList(value, rule.each ? MAX_COMPARISONS : MAX_LIST, place)
  const predicate = rule.test(
    field,
    list.map((given, index) => read(given, member(place.pointer, index))),
  )
  assertPatterns(predicate, place)
  return predicate
}

function readList(value: unknown, most: number, place: Place): unknown[] {
  if (!Array.isArray(value)) throw wrongValue(place.pointer, place.key, 'a list (a JSON array)')
  if (value.length > most) throw wrongValue(place.pointer, place.key, `at most ${most} values, not ${value.length}`)
  // Its holes are undefined, and refused as such.
  return Array.from(value)
}

function readDocument(value: unknown, pointer: string, place: Place): string {
  const document = documentText(value)
  if ('problem' in document) throw wrongValue(pointer, place.key, document.problem)
  return document.json
}

function wrongValue(pointer: string, key: string, takes: string): Error {
  return refusal('FILTER_VALUE_INVALID', pointer, `The filter ${quoted(key)} takes ${takes}.`)
}

function assertPatterns(predicate: Predicate, place: Place): void {
  if (predicate.op === 'like') {
    const problem = patternProblem(predicate.pattern)
    if (problem !== null) throw wrongValue(place.pointer, place.key, problem)
  } else if (predicate.op === 'not') {
    assertPatterns(predicate.of, place)
  } else if (predicate.op === 'and' || predicate.op === 'or') {
    for (const part of predicate.of) assertPatterns(part, place)
  }
}

function spend(budget: Budget, predicate: Predicate, place: Place): void {
  if (predicate.op === 'and' || predicate.op === 'or') {
    for (const part of predicate.of) spend(budget, part, place)
  } else if (predicate.op === 'not') {
    spend(budget, predicate.of, place)
  } else {
    budget.comparisons += 1
    if (predicate.op === 'in') budget.listed += predicate.values.length
  }
  if (budget.comparisons > MAX_COMPARISONS || budget.listed > MAX_LIST) {
    const most = `${MAX_COMPARISONS} comparisons and ${MAX_LIST} listed values`
    throw refusal('VALIDATION_FAILED', place.pointer, `The filters come to more than ${most} in all; ask for less at once.`)
  }
}

/**
 * To many: at least one related row satisfies it. To one: judged like the cell in the file, where the fields of a related row that
 * is not there are NULL; so what is true of NULL is true of a missing row.
 */
function throughRelations(steps: readonly Relation[], own: Predicate, scope: Scope): Predicate {
  const [step, ...others] = steps
  if (!step) return own
  const join = joinOf(step, scope)
  const related: Predicate = { op: 'related', join, where: throughRelations(others, own, scope) }
  const missingCounts = steps.every(({ kind }) => kind === 'one') && whenNull(own) === true
  if (!missingCounts) return related
  return { op: 'or', of: [related, { op: 'not', of: { op: 'related', join, where: TRUE } }] }
}
