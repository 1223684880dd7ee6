/** The fields that a protocol's section names, looked up in the resource as its source describes it. */
import type { listResources } from '../exports/resources.ts'
import { FreightError } from '../job/errors.ts'
import { didYouMean } from '../job/suggestion.ts'

type Resource = ReturnType<typeof listResources>[number]
type Field = Resource['fields'][number]

/** `path` is a field's name, or a dotted one through to-one or to-many relations. Null where there is no such field. */
export function findField(resources: readonly Resource[], resource: string, path: string): Field | null {
  const [step = '', ...rest] = path.split('.')
  const here = resources.find(({ name }) => name === resource)
  if (rest.length === 0) return here?.fields.find(({ name }) => name === step) ?? null
  const relation = here?.relations.find(({ name }) => name === step)
  return relation ? findField(resources, relation.resource, rest.join('.')) : null
}

/** Throws CONFIG_INVALID naming `place`, as in `protocols.v1-exports.fields.time`. */
export function requireField(resources: readonly Resource[], resource: string, path: string, place: string): Field {
  const field = findField(resources, resource, path)
  if (field) return field
  const known = resources.find(({ name }) => name === resource)?.fields.map(({ name }) => name) ?? []
  throw new FreightError('CONFIG_INVALID', `${place}: "${resource}" has no field "${path}".${didYouMean(path, known)}`)
}
