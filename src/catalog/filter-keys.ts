/**
 * Cuts a filter's key: attributes joined by `_or_`, then `_` and a predicate. `customer.email_or_name_cont` asks `customer.email` and
 * the resource's own `name`.
 *
 * Names and predicates both hold underscores, so every way to read the key is tried. A longer name alone gives no other reading
 * (`created_at_gt` is not `created` and `at_gt`); where two readings stand, the key is refused rather than guessed.
 */
import { nearestName } from '../job/suggestion.ts'
import { MAX_STEPS, prefixed } from './paths.ts'
import { PREDICATES, predicatesFor, type Rule } from './predicates.ts'
import { quoted, refusal } from './refusal.ts'
import type { Field, Relation, Resource } from './resources.ts'

const MAX_KEY_LENGTH = 1_000

export interface Attribute {
  /** As the caller wrote it, relations included. */
  readonly name: string
  readonly steps: readonly Relation[]
  readonly field: Field
}

export interface FilterKey {
  readonly attributes: readonly Attribute[]
  readonly predicate: string
  readonly rule: Rule
}

export function readKey(resource: Resource, key: string, at: string): FilterKey {
  if (key.length > MAX_KEY_LENGTH)
    throw refusal('FILTER_UNKNOWN', at, `A filter's name has at most ${MAX_KEY_LENGTH} characters.`)
  const [reading, other] = readings(resource, key, 0, new Map())
  if (reading && other) {
    const why = `The filter ${quoted(key)} can be read as ${spoken(reading)} or as ${spoken(other)}. Have one of the fields renamed in the configuration.`
    throw refusal('FILTER_AMBIGUOUS', at, why)
  }
  if (!reading) throw unreadable(resource, key, at)
  return reading
}

/** Readings of what follows `from`; two are enough to refuse. Kept by place, or `a_or_a_or_a` would be read over and over. */
function readings(resource: Resource, key: string, from: number, known: Map<number, FilterKey[]>): FilterKey[] {
  const before = known.get(from)
  if (before) return before
  const found: FilterKey[] = []
  for (const attribute of attributesAt(resource, key.slice(from), [])) {
    const end = from + attribute.name.length + 1
    const tail = key.slice(end)
    const rule = PREDICATES.get(tail)
    if (rule) found.push({ attributes: [attribute], predicate: tail, rule })
    if (!tail.startsWith('or_')) continue
    for (const more of readings(resource, key, end + 'or_'.length, known)) {
      found.push({ ...more, attributes: [attribute, ...more.attributes] })
    }
  }
  const enough = found.slice(0, 2)
  known.set(from, enough)
  return enough
}

/** Every attribute that `text` begins with and that an underscore follows. */
function* attributesAt(resource: Resource, text: string, steps: readonly Relation[]): Generator<Attribute> {
  for (const field of resource.fields.values()) {
    if (!text.startsWith(`${field.name}_`)) continue
    yield { name: prefixed(steps, [field.name])[0] ?? field.name, steps, field }
  }
  if (steps.length === MAX_STEPS) return
  for (const relation of resource.relations.values()) {
    if (!text.startsWith(`${relation.name}.`)) continue
    yield* attributesAt(relation.target, text.slice(relation.name.length + 1), [...steps, relation])
  }
}

function spoken({ attributes, predicate }: FilterKey): string {
  return `${attributes.map(({ name }) => quoted(name)).join(' or ')} with "${predicate}"`
}

function unreadable(resource: Resource, key: string, at: string): Error {
  const last = lastAttribute(resource, key)
  if (last) {
    const allowed = predicatesFor(last.field.type).map((predicate) => `${last.name}_${predicate}`)
    const why = `The filter ${quoted(key)} names "${last.name}", but no predicate that is known follows.`
    return refusal('FILTER_UNKNOWN', at, why, { asked: key, allowed })
  }
  const filterable = ({ fields }: Resource): string[] =>
    [...fields.values()].filter(({ mask }) => mask === null).map(({ name }) => name)
  const allowed = [
    ...filterable(resource),
    ...[...resource.relations.values()].flatMap(({ name, target }) => filterable(target).map((field) => `${name}.${field}`)),
  ]
  const nearest = nearestName(withoutPredicate(key), allowed)
  const hint = nearest === null ? '' : ` Did you mean ${JSON.stringify(nearest)}?`
  const why = `The filter ${quoted(key)} begins with no field of "${resource.name}"; a filter is a field, "_" and a predicate, as in "id_eq".${hint}`
  return refusal('FILTER_UNKNOWN', at, why, { asked: '', allowed })
}

/** The longest attribute at the beginning of the key, or at the beginning of what follows its last `_or_` that has one. */
function lastAttribute(resource: Resource, key: string): Attribute | null {
  let longest: Attribute | null = null
  for (const attribute of attributesAt(resource, `${key}_`, [])) {
    if (attribute.name.length > (longest?.name.length ?? 0)) longest = attribute
  }
  if (!longest) return null
  const tail = key.slice(longest.name.length + 1)
  return tail.startsWith('or_') ? lastAttribute(resource, tail.slice('or_'.length)) : longest
}

function withoutPredicate(key: string): string {
  let shortest = key
  for (const predicate of PREDICATES.keys()) {
    const cut = key.length - predicate.length - 1
    if (key.endsWith(`_${predicate}`) && cut < shortest.length) shortest = key.slice(0, cut)
  }
  return shortest
}
