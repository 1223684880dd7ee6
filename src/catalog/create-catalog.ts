/**
 * The catalog over the sources as they were described: pure, so it is made anew when a schema changes.
 *
 * What is hidden is unknown: it is no field, filter, sort key or include, and no message names it.
 */
import type { ResolvedResource } from '../config/resolved.ts'
import { FreightError } from '../job/errors.ts'
import { DEEDS, type Deed, mayOn } from '../job/scopes.ts'
import type { CheckedPart, CheckedSpec, ExportRequest, PartRequest, Selected } from '../job/spec.ts'
import { didYouMean } from '../job/suggestion.ts'
import type { TableDescription } from '../sources/source.ts'
import type { Caller, Catalog, PublicResource } from './catalog.ts'
import { assertCodeFilters, checkOnRowError, codeRequest } from './code.ts'
import { maskedType, selectFields } from './fields.ts'
import { filterPredicate } from './filters.ts'
import { KeptAccess } from './kept-access.ts'
import { chooseOutput } from './output.ts'
import type { Scope } from './paths.ts'
import { refusal, unknownResource } from './refusal.ts'
import { relateResources } from './relations.ts'
import { configInvalid, type Resource, resolveResource } from './resources.ts'
import { Restricted } from './restricted.ts'
import { MetResources, scopeOf } from './scope.ts'
import { type SessionVariables, sessionVariables } from './session-variables.ts'
import { sortKeys } from './sort.ts'
import { checkSplit } from './split.ts'

const MAX_PARTS = 20

export interface CatalogInput {
  /** Empty: nothing is offered. */
  readonly resources: Readonly<Record<string, ResolvedResource>>
  /** By resource name; one that is missing has no table in its source. */
  readonly descriptions: ReadonlyMap<string, TableDescription>
  /** Every table by source name, for a suggestion where one is missing. */
  readonly tables?: ReadonlyMap<string, readonly string[]>
  /** For resources that say nothing of their own. */
  readonly retentionMs: number
  /** By source name. */
  readonly sessionVariables?: Readonly<Record<string, SessionVariables>>
}

interface Offer {
  readonly resource: Resource
  readonly defaultSort: readonly string[]
}

/** Throws CONFIG_INVALID, naming the place, for a table or column that the source does not have. */
export function createCatalog(input: CatalogInput): Catalog {
  const resources = new Map(Object.keys(input.resources).map((name) => [name, resolve(input, name)]))
  relateResources(resources, input.resources)
  for (const resource of resources.values()) assertCodeFilters(resource)
  const restricted = new Restricted(resources)
  const whole = [...restricted.for(null, DEEDS)]
  const sorts = new Map(whole.map(([name, resource]) => [name, defaultSort(resource, input.resources[name]?.sort)]))
  const offersTo = (caller: Caller | null, deeds: readonly Deed[]): ReadonlyMap<string, Offer> =>
    new Map(
      [...restricted.for(caller, deeds)].map(([name, resource]): [string, Offer] => {
        return [name, { resource, defaultSort: sortsLeft(resource, sorts.get(name) ?? []) }]
      }),
    )
  const variablesOf = (source: string): SessionVariables => input.sessionVariables?.[source] ?? {}
  const keptAccess = new KeptAccess(resources, variablesOf)
  return {
    resources: (caller) => [...offersTo(caller, DEEDS).values()].map(publicResource),
    check(request, caller) {
      const met = new MetResources()
      const { scopes, ...spec } = checkRequest(offersTo(caller, ['write']), request, {
        scope: scopeOf(caller, met),
        tenant: caller?.tenant ?? null,
      })
      const variables = sessionVariables(variablesOf(spec.source), caller)
      const access = { resources: met.resources, scopes, rows: met.rows, rules: keptAccess.rulesOf(met.resources) }
      return { ...spec, sessionVariables: variables, access }
    },
    narrows: () =>
      [...resources.values()].some(({ source, rows, needsOwn }) => {
        return needsOwn || rows.length > 0 || Object.keys(variablesOf(source)).length > 0
      }),
    covers: (spec, caller) => keptAccess.covers(spec, caller),
    allows(name, caller, deed) {
      const resource = resources.get(name)
      return resource !== undefined && mayOn(caller.scopes, deed, resource)
    },
    permits: (spec, caller, deed) => keptAccess.permits(spec, caller, deed),
    outdated: (spec) => keptAccess.outdated(spec),
  }
}

/** A key that a caller may not sort by would tell them the order of what they may not see. */
function sortsLeft(resource: Resource, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => {
    try {
      return sortKeys(resource, [key], '', () => null).length > 0
    } catch (error) {
      if (error instanceof FreightError) return false
      throw error
    }
  })
}

function resolve(input: CatalogInput, name: string): Resource {
  const config = input.resources[name]
  const description = input.descriptions.get(name)
  if (config && description) return resolveResource(name, config, description, input.retentionMs)
  const table = config?.table ?? name
  const known = didYouMean(table, input.tables?.get(config?.source ?? '') ?? [])
  throw configInvalid(`resources.${name}.table`, `the source "${config?.source}" has no table or view "${table}".${known}`)
}

function defaultSort(resource: Resource, sort: string | undefined): readonly string[] {
  const keys = (sort ?? '').split(',').flatMap((key) => key.trim() || [])
  if (resource.code && keys.length > 0)
    throw configInvalid(`resources.${resource.name}.sort`, 'a resource made by code cannot be sorted.')
  try {
    sortKeys(resource, keys, '', () => null)
  } catch (error) {
    if (error instanceof FreightError) throw configInvalid(`resources.${resource.name}.sort`, error.message)
    throw error
  }
  return keys
}

function publicResource({ resource, defaultSort: sort }: Offer): PublicResource {
  const fields = [...resource.fields.values()]
  return {
    name: resource.name,
    fields: fields.map(({ name, type, nullable, mask }) => ({
      name,
      type: maskedType(type, mask),
      nullable,
      ...(mask === null ? {} : { mask }),
    })),
    relations: [...resource.relations.values()].map(({ name, target, kind }) => ({ name, resource: target.name, kind })),
    primaryKey: resource.primaryKey.flatMap((column) => fields.find((field) => field.column === column)?.name ?? []),
    defaultSort: sort,
    maxRows: resource.maxRows,
    retentionMs: resource.retentionMs,
  }
}

type CheckedRequest = Omit<CheckedSpec, 'access' | 'sessionVariables'> & { readonly scopes: readonly string[] }

/** Whose rows: as a predicate, and for code by name. */
interface Whose {
  readonly scope: Scope
  readonly tenant: string | null
}

function checkRequest(offers: ReadonlyMap<string, Offer>, request: ExportRequest, whose: Whose): CheckedRequest {
  const { parts } = request
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    throw refusal('VALIDATION_FAILED', '/parts', `An export has 1 to ${MAX_PARTS} parts, not ${parts.length}.`)
  }
  const { format, compression, output } = chooseOutput(request)
  const asked = parts.map((part, index) => {
    // A request for one resource names it at the top of its body.
    const at = parts.length === 1 ? '' : `/parts/${index}`
    return { part, at, offer: offered(offers, part, at) }
  })
  const source = asked[0]?.offer.resource.source ?? ''
  for (const { at, offer } of asked) {
    if (offer.resource.source === source) continue
    const why = `"${offer.resource.name}" is of another source than "${asked[0]?.part.resource}"; one export reads one source.`
    throw refusal('VALIDATION_FAILED', `${at}/resource`, why)
  }
  const checked = asked.map(({ part, at, offer }) => checkPart(offer, part, at, whose, request.dryData))
  const scopes = asked.flatMap(({ offer }, index) => scopesUsed(offer.resource, checked[index]?.select ?? []))
  return {
    source,
    parts: checked,
    scopes: [...new Set(scopes)].sort(),
    format,
    compression,
    output,
    onRowError: checkOnRowError(request.onRowError),
    // Files of one export go together: none is kept longer than its strictest resource allows.
    retentionMs: Math.min(...asked.map(({ offer }) => offer.resource.retentionMs)),
  }
}

/** Through which the selected fields are there, or unmasked. */
function scopesUsed(resource: Resource, select: readonly Selected[]): string[] {
  return select.flatMap((node) => {
    if (node.kind !== 'field') {
      const target = resource.relations.get(node.name)?.target
      return target ? scopesUsed(target, node.select) : []
    }
    const field = resource.fields.get(node.name)
    return [field?.needs ?? [], field?.unmaskedWith ?? []].flat()
  })
}

function offered(offers: ReadonlyMap<string, Offer>, part: PartRequest, at: string): Offer {
  const offer = offers.get(part.resource)
  if (offer) return offer
  throw unknownResource(`${at}/resource`, { asked: part.resource, allowed: offers.keys() })
}

function checkPart(offer: Offer, part: PartRequest, at: string, { scope, tenant }: Whose, dryData: boolean): CheckedPart {
  const { resource } = offer
  const { limit } = part
  if (limit !== null && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw refusal('LIMIT_INVALID', `${at}/limit`, 'limit must be a whole number from 1; leave it out for all rows.')
  }
  const sort = part.sort.length > 0 ? part.sort : offer.defaultSort
  return {
    resource: resource.name,
    table: resource.table,
    kind: resource.kind,
    primaryKey: resource.primaryKey,
    select: selectFields(resource, part, at, scope, dryData),
    where: resource.code ? null : filterPredicate(resource, part.filters, `${at}/filters`, scope),
    scope: scope(resource),
    sort: sortKeys(resource, sort, `${at}/sort`, scope),
    limit,
    maxRows: resource.maxRows,
    split: checkSplit(part.split, at),
    ...(resource.code ? { code: codeRequest(resource, part, at, tenant) } : {}),
  }
}
