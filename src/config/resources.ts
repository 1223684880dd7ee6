/** The check of the resources that a configuration file offers, as far as it can be done without looking at a source. */

import { CELL_TYPES } from '../job/row-text.ts'
import { didYouMean } from '../job/suggestion.ts'
import { checkResourceAccess } from './access.ts'
import type { ResourceConfig } from './freight-config.ts'
import { checkName, type Members, type Place } from './place.ts'
import type { ResolvedResource } from './resolved.ts'

const RESOURCE_KEYS =
  'source table tenant scope ownScope fieldScopes masks hide rename types relations sort retentionDays maxRows dryDataOmits'.split(
    ' ',
  )

export function checkResources(
  place: Place,
  { resources: value, code }: Members,
  sources: Readonly<Record<string, unknown>>,
): Record<string, ResolvedResource> {
  if (value === undefined && code !== undefined) return {}
  if (value === undefined) throw place.invalid('is missing: it lists what may be exported.')
  const resources = place.map(value, (at, resource, name) => checkResource(at, resource, name, Object.keys(sources)))
  if (Object.keys(resources).length === 0 && code === undefined)
    throw place.invalid('is empty: list at least one table that may be exported.')
  return resources
}

function checkResource(place: Place, value: unknown, name: string, sources: readonly string[]): ResolvedResource {
  checkName(place, name)
  const resource = place.object(value, RESOURCE_KEYS)
  for (const key of ['table', 'tenant', 'source', 'sort']) if (resource[key] !== undefined) place.at(key).text(resource[key])
  if (resource.tenant === undefined) {
    const how = "Name the column that holds the tenant, or write 'shared' for rows that every tenant may read."
    throw place.at('tenant').invalid(`is missing: it says whose the rows are. ${how}`)
  }
  checkResourceAccess(place, resource)
  for (const key of ['hide', 'dryDataOmits']) if (resource[key] !== undefined) place.at(key).texts(resource[key])
  if (resource.rename !== undefined) place.at('rename').map(resource.rename, checkName)
  if (resource.types !== undefined) place.at('types').map(resource.types, checkType)
  if (resource.relations !== undefined) place.at('relations').map(resource.relations, checkRelation)
  if (resource.retentionDays !== undefined) place.at('retentionDays').number(resource.retentionDays, 3_650)
  if (resource.maxRows !== undefined) place.at('maxRows').count(resource.maxRows, Number.MAX_SAFE_INTEGER)
  // Every member has been checked against its type above.
  const checked = resource as unknown as ResourceConfig
  return { ...checked, source: chooseSource(place, checked.source, sources), table: checked.table ?? name }
}

function chooseSource(place: Place, asked: string | undefined, sources: readonly string[]): string {
  const usual = sources.length === 1 ? sources[0] : sources.find((source) => source === 'main')
  const name = asked ?? usual
  if (name === undefined) throw place.at('source').invalid(`is missing: there are several sources (${sources.join(', ')}).`)
  if (sources.includes(name)) return name
  throw place.at('source').invalid(`there is no source "${name}".${didYouMean(name, sources)}`)
}

function checkType(place: Place, value: unknown): void {
  const type = place.text(value)
  if ((CELL_TYPES as readonly string[]).includes(type)) return
  throw place.invalid(`"${type}" is not a type; known: ${CELL_TYPES.join(', ')}.${didYouMean(type, CELL_TYPES)}`)
}

function checkRelation(place: Place, value: unknown, name: string): void {
  checkName(place, name)
  if (value === false) return
  const relation = place.object(value, ['resource', 'columns', 'foreignColumns', 'kind'])
  place.at('resource').text(relation.resource)
  place.at('columns').texts(relation.columns)
  place.at('foreignColumns').texts(relation.foreignColumns)
  if (relation.kind !== 'one' && relation.kind !== 'many') throw place.at('kind').invalid("must be 'one' or 'many'.")
}
