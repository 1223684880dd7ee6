/**
 * The filters of an export, from this protocol's spelling to the catalog's: `customer_email_eq` becomes `customer.email_eq`, text with
 * commas a list, `"true"` a flag. What cannot be read is handed on as it stands, for the catalog to refuse. Throws 422 for two spellings of one.
 */
import type { listResources } from '../../exports/resources.ts'
import { escaped, invalidAttribute } from './errors.ts'
import { flagOf, listOf, PREDICATES } from './predicates.ts'

export type OfferedResource = ReturnType<typeof listResources>[number]
type Field = OfferedResource['fields'][number]

/** Relations through which one filter goes at most; the catalog takes no more either. */
const MAX_STEPS = 3
/** The catalog refuses longer ones. */
const MAX_KEY_LENGTH = 1_000

export interface ReadFilters {
  /** As the catalog spells them. */
  readonly filters: Readonly<Record<string, unknown>>
  /** From the catalog's spelling of each to the one that was sent: refusals name that. */
  readonly sent: ReadonlyMap<string, string>
}

export function readFilters(
  given: Readonly<Record<string, unknown>>,
  resource: OfferedResource | undefined,
  resources: readonly OfferedResource[],
): ReadFilters {
  const filters: Record<string, unknown> = Object.create(null)
  const sent = new Map<string, string>()
  for (const [key, value] of Object.entries(given)) {
    const reading = resource && key.length <= MAX_KEY_LENGTH ? readKey(key, resource, resources) : null
    const spelt = reading?.key ?? key
    // Two spellings of one filter: one of them would be ignored.
    if (sent.has(spelt)) throw invalidAttribute(`filters/${escaped(key)}`, 'says the same as another filter', { error: 'taken' })
    sent.set(spelt, key)
    filters[spelt] = reading ? readValue(value, reading) : value
  }
  return { filters, sent }
}

interface Reading {
  readonly key: string
  readonly predicate: string
  readonly fields: readonly Field[]
}

function readKey(key: string, resource: OfferedResource, resources: readonly OfferedResource[]): Reading | null {
  const byName = new Map(resources.map((each) => [each.name, each]))
  /** Places from which no reading leads to the end, so that `a_or_a_or_a` is not read over and over. */
  const hopeless = new Set<number>()
  const from = (start: number): Reading | null => {
    if (hopeless.has(start)) return null
    for (const { path, field, length } of attributes(resource, key.slice(start), byName, [])) {
      const tail = key.slice(start + length + 1)
      if (PREDICATES.has(tail)) return { key: `${path}_${tail}`, predicate: tail, fields: [field] }
      const more = tail.startsWith('or_') ? from(start + length + 1 + 'or_'.length) : null
      if (more) return { ...more, key: `${path}_or_${more.key}`, fields: [field, ...more.fields] }
    }
    hopeless.add(start)
    return null
  }
  return from(0)
}

interface Attribute {
  /** With dots. */
  readonly path: string
  readonly field: Field
  /** Of its spelling in the key. */
  readonly length: number
}

/** Every attribute that `text` may begin with: the resource's own before those of relations, longer names first. */
function* attributes(
  resource: OfferedResource,
  text: string,
  byName: ReadonlyMap<string, OfferedResource>,
  steps: readonly string[],
): Generator<Attribute> {
  for (const field of longestFirst(resource.fields)) {
    if (!text.startsWith(`${field.name}_`)) continue
    yield { path: [...steps, field.name].join('.'), field, length: field.name.length }
  }
  if (steps.length === MAX_STEPS) return
  for (const relation of longestFirst(resource.relations)) {
    const target = byName.get(relation.resource)
    if (!target || !text.startsWith(`${relation.name}_`)) continue
    const skipped = relation.name.length + 1
    for (const attribute of attributes(target, text.slice(skipped), byName, [...steps, relation.name])) {
      yield { ...attribute, length: attribute.length + skipped }
    }
  }
}

function longestFirst<Named extends { readonly name: string }>(named: readonly Named[]): readonly Named[] {
  return named.toSorted((a, b) => b.name.length - a.name.length)
}

function readValue(value: unknown, { predicate, fields }: Reading): unknown {
  const takes = PREDICATES.get(predicate)
  if (takes === 'flag') return flagOf(value)
  if (takes === 'document') return documentOf(value)
  // Yes and no are sent as text by clients that send nothing else; in a text column "true" stays a word.
  const one = fields.every(({ type }) => type === 'boolean') ? flagOf : (same: unknown) => same
  if (takes === 'value') return one(value)
  const list = listOf(value)
  return Array.isArray(list) ? list.map(one) : list
}

function documentOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
