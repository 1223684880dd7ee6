/** `filter[q][...]` of a list: attributes of exports and of their entries, with the predicates of this protocol. */
import { depthOf } from '../../exports/metadata.ts'
import { parseJson } from '../../job/json-containment.ts'
import type { Condition, JobFieldValue } from '../../job/search.ts'
import { badParameter, shortened } from './errors.ts'
import { flagOf, listOf, PREDICATES } from './predicates.ts'

export type Kind = 'text' | 'number' | 'time' | 'document'
/** What a list can be filtered and sorted by. */
export type Attributes = ReadonlyMap<string, Kind>

/** One filter: at least one of these is true of its attribute. */
export type ListFilter = readonly { readonly attribute: string; readonly condition: Condition<string> }[]

const MOST_VALUES = 500

/** `name` is the whole parameter, `key` what stands in its second brackets. */
export function readListFilter(attributes: Attributes, name: string, key: string, text: string): ListFilter {
  const reading = readKey(attributes, key)
  if (!reading) {
    const example = [...attributes.keys()].slice(0, 30).join(', ')
    throw badParameter(
      'FILTER_NOT_ALLOWED',
      name,
      `${shortened(key)} is no filter of this list: name one of ${example}, then "_" and a predicate, as in "id_eq".`,
    )
  }
  return reading.names.map((attribute) => ({
    attribute,
    condition: conditionOf(attribute, attributes.get(attribute) ?? 'text', reading.predicate, { name, key, text }),
  }))
}

function readKey(attributes: Attributes, key: string): { names: string[]; predicate: string } | null {
  for (const name of [...attributes.keys()].sort((a, b) => b.length - a.length)) {
    if (!key.startsWith(`${name}_`)) continue
    const tail = key.slice(name.length + 1)
    if (PREDICATES.has(tail)) return { names: [name], predicate: tail }
    const more = tail.startsWith('or_') ? readKey(attributes, tail.slice('or_'.length)) : null
    if (more) return { ...more, names: [name, ...more.names] }
  }
  return null
}

interface Given {
  readonly name: string
  readonly key: string
  readonly text: string
}

const SHAPE = /^(not_)?(eq|lt|lteq|gt|gteq|in|start|end|cont)(_any|_all)?(_or_null)?$/
const MATCH_SHAPE = /^(does_not_match|matches)(_any|_all)?$/

function conditionOf(field: string, kind: Kind, predicate: string, given: Given): Condition<string> {
  if (PREDICATES.get(predicate) === 'flag') return flagCondition(field, kind, predicate, given)
  if ((predicate === 'jcont') !== (kind === 'document')) throw notFor(field, predicate, given)
  if (kind === 'document') return { op: 'json_contains', field, json: documentOf(given) }
  const match = MATCH_SHAPE.exec(predicate)
  const [, not, base = '', many, orNull] = match
    ? [predicate, match[1] === 'matches' ? undefined : 'not', 'matches', match[2], undefined]
    : (SHAPE.exec(predicate) ?? [])
  const isPattern = ['matches', 'start', 'end', 'cont'].includes(base)
  if (base === '' || (isPattern && kind !== 'text')) throw notFor(field, predicate, given)
  const one = (text: string): Condition<string> => {
    const condition = isPattern ? patternCondition(field, base, text) : comparison(field, base, fieldValue(kind, text, given))
    return not === undefined ? condition : { op: 'not', of: condition }
  }
  const condition = base === 'in' ? inList(field, kind, not !== undefined, given) : each(many, one, given)
  return orNull === undefined ? condition : { op: 'or', of: [condition, { op: 'is_null', field }] }
}

function each(many: string | undefined, one: (text: string) => Condition<string>, given: Given): Condition<string> {
  if (many === undefined) return one(given.text)
  return { op: many === '_any' ? 'or' : 'and', of: texts(given).map(one) }
}

function inList(field: string, kind: Kind, negated: boolean, given: Given): Condition<string> {
  const condition = { op: 'in', field, values: texts(given).map((text) => fieldValue(kind, text, given)) } as const
  return negated ? { op: 'not', of: condition } : condition
}

function texts(given: Given): readonly string[] {
  const list = listOf(given.text)
  const strings = Array.isArray(list) ? list.map(String) : []
  if (strings.length > MOST_VALUES) throw badValue(given, `at most ${MOST_VALUES} values`)
  return strings
}

function comparison(field: string, op: string, value: JobFieldValue): Condition<string> {
  if (op === 'lt' || op === 'lteq' || op === 'gt' || op === 'gteq') return { op, field, value }
  return { op: 'eq', field, value }
}

function patternCondition(field: string, base: string, text: string): Condition<string> {
  const literal = text.replace(/[\\%_]/g, '\\$&')
  if (base === 'start') return { op: 'like', field, pattern: `${literal}%` }
  if (base === 'end') return { op: 'like', field, pattern: `%${literal}` }
  if (base === 'cont') return { op: 'like', field, pattern: `%${literal}%` }
  // A backslash before anything else escapes nothing; some databases would stop at it.
  return { op: 'like', field, pattern: text.replace(/\\(?![\\%_])/g, '\\\\') }
}

/** What counts as blank beside NULL. */
const BLANK: Readonly<Partial<Record<Kind, string>>> = { text: '', document: '{}' }

function flagCondition(field: string, kind: Kind, predicate: string, given: Given): Condition<string> {
  if (predicate === 'true' || predicate === 'false') throw notFor(field, predicate, given)
  const flag = flagOf(given.text)
  if (typeof flag !== 'boolean') throw badValue(given, 'true or false')
  const isNull: Condition<string> = { op: 'is_null', field }
  const blank = BLANK[kind]
  const isEmpty: Condition<string> =
    predicate.endsWith('null') || blank === undefined ? isNull : { op: 'or', of: [isNull, { op: 'eq', field, value: blank }] }
  const asksForEmpty = (predicate === 'null' || predicate === 'blank') === flag
  return asksForEmpty ? isEmpty : { op: 'not', of: isEmpty }
}

const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/

function fieldValue(kind: Kind, text: string, given: Given): JobFieldValue {
  if (kind === 'text') {
    if (text.includes('\0') || !text.isWellFormed()) throw badValue(given, 'well-formed text without NUL')
    return text
  }
  if (kind === 'number') {
    if (!/^-?\d{1,15}$/.test(text)) throw badValue(given, 'a whole number')
    return Number(text)
  }
  const [, day, clock = '00:00', zone = 'Z'] = INSTANT.exec(text) ?? []
  const instant = new Date(`${day}T${clock}${zone}`)
  // JavaScript reads 30 February as 1 March.
  const isReal = day !== undefined && new Date(`${day}T00:00Z`).toJSON()?.startsWith(day)
  if (!isReal || Number.isNaN(instant.getTime())) throw badValue(given, 'an instant, as 2026-01-31 or 2026-01-31T12:00:00Z')
  return instant
}

/** Deeper than anything that it could be found in. */
const MAX_DEPTH = 50

function documentOf(given: Given): string {
  try {
    const document = parseJson(given.text)
    // Throws for a whole number that JavaScript has no exact value for.
    const json = JSON.stringify(document)
    if (depthOf(document) <= MAX_DEPTH && !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(json)) return json
  } catch {
    // The same answer as for what can be read and not be found.
  }
  throw badValue(given, `a JSON document of at most ${MAX_DEPTH} levels, with exact numbers and well-formed text without NUL`)
}

function badValue({ name, key }: Given, takes: string): Error {
  return badParameter('INVALID_FILTER_VALUE', name, `${shortened(key)} takes ${takes}.`)
}

function notFor(field: string, predicate: string, { name }: Given): Error {
  return badParameter('FILTER_NOT_ALLOWED', name, `${predicate} makes no sense for ${field}.`)
}
