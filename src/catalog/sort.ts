/** `sort`: fields of the main resource or of to-one relations; a leading minus sorts descending. */
import type { SortKey } from '../job/spec.ts'
import { follow, joinOf, MAX_STEPS, type Scope } from './paths.ts'
import { member, quoted, refusal } from './refusal.ts'
import type { Field, Resource } from './resources.ts'

const MAX_KEYS = 10

export function sortKeys(resource: Resource, sort: readonly string[], at: string, scope: Scope): SortKey[] {
  if (sort.length > MAX_KEYS) {
    throw refusal('VALIDATION_FAILED', at, `sort: at most ${MAX_KEYS} keys are taken, not ${sort.length}.`)
  }
  const keys = new Map<string, SortKey>()
  sort.forEach((entry, index) => {
    const descending = entry.startsWith('-')
    const path = descending ? entry.slice(1) : entry
    const { steps, field } = follow(resource, path)
    const isToOne = steps.length <= MAX_STEPS && steps.every((step) => step.kind === 'one')
    if (!field || !isToOne || !isSortable(field)) throw unknownKey(resource, path, member(at, index))
    // Sorting by the same field again changes nothing.
    if (!keys.has(path)) keys.set(path, { path: steps.map((step) => joinOf(step, scope)), column: field.column, descending })
  })
  return [...keys.values()]
}

/** PostgreSQL has no order for json, and no database a useful one. The order of masked values would tell what they are. */
function isSortable(field: Field): boolean {
  return field.type !== 'json' && field.mask === null
}

function unknownKey(resource: Resource, path: string, at: string): Error {
  const fieldsOf = (of: Resource): string[] => [...of.fields.values()].filter(isSortable).map((field) => field.name)
  const toOne = [...resource.relations.values()].filter((relation) => relation.kind === 'one')
  const allowed = [
    ...fieldsOf(resource),
    ...toOne.flatMap(({ name, target }) => fieldsOf(target).map((field) => `${name}.${field}`)),
  ]
  const why = `${quoted(path)} is nothing "${resource.name}" can be sorted by: fields of its own and of to-one relations are, json and masked ones are not.`
  return refusal('SORT_UNKNOWN', at, why, { asked: path, allowed })
}
