/** From the wire to what a caller asks for: the documents of POST and PATCH. Pure. */
import type { NewExport } from '../../exports/create.ts'
import { FreightError } from '../../job/errors.ts'
import type { Amendment } from '../../store/store.ts'
import { type Members, readDocument, readFlag, readMetadata, readNames, readObject, readOneOf, readText } from './body.ts'
import { attributePointer, badBody, escaped, invalidAttribute, WireRefusal } from './errors.ts'
import { type OfferedResource, readFilters } from './filters.ts'
import type { ApiExportsSettings } from './settings.ts'
import { PROTOCOL, type SentAttributes } from './view.ts'

const CREATED_WITH = [
  'resource_type',
  'format',
  'includes',
  'fields',
  'filters',
  'dry_data',
  'jwt_filters',
  'reference',
  'reference_origin',
  'metadata',
]
const CHANGED_WITH = ['_start', '_interrupt', 'reference', 'reference_origin', 'metadata']

/** Long enough for an exact count of what the limits allow; clients give up after 15 s. */
const COUNT_MS = 5_000

export interface RequestSite {
  readonly settings: ApiExportsSettings
  readonly resources: readonly OfferedResource[]
  /** Of the caller's token, by the path that the configuration names. Null where it has none. */
  claim(path: string): readonly unknown[] | null
}

export interface ReadCreate {
  readonly input: NewExport
  /** From the catalog's spelling of a filter to the one that was sent. */
  readonly sent: ReadonlyMap<string, string>
}

export function readCreate(body: unknown, site: RequestSite): ReadCreate {
  const { id, attributes } = readDocument(body, CREATED_WITH)
  if (id !== undefined) throw givenId()
  const { settings } = site
  const type = readType(attributes, site)
  const asked: SentAttributes = {
    includes: readNames(attributes, 'includes'),
    fields: readNames(attributes, 'fields'),
    filters: readObject(attributes, 'filters'),
    jwt_filters: readFlag(attributes, 'jwt_filters'),
  }
  const { part, sent } = readPart(type, asked, site)
  return {
    input: {
      request: {
        parts: [part],
        format: readOneOf(attributes, 'format', ['json', 'csv'], 'json'),
        compression: 'gzip',
        options: { times: 'rfc3339' },
        dryData: readFlag(attributes, 'dry_data'),
      },
      reference: readText(attributes, 'reference'),
      referenceOrigin: readText(attributes, 'reference_origin'),
      metadata: readMetadata(attributes),
      protocol: { name: PROTOCOL, data: { ...asked } },
      bounds: { maxRows: settings.maxRecords, maxActive: settings.maxConcurrent, countMs: COUNT_MS, judge: judgeRows },
      idempotency: null,
    },
    sent,
  }
}

function givenId(): WireRefusal {
  const detail = 'id is not allowed: ids are given by the server.'
  const source = { pointer: '/data/id' }
  return new WireRefusal({ status: 400, code: 'PARAM_NOT_ALLOWED', title: 'Param not allowed', detail, source })
}

/** What a caller may do nothing with does not exist for them. */
function readType(attributes: Members, { settings, resources }: RequestSite): string {
  const offered = new Set(resources.map(({ name }) => name))
  const types = Object.entries(settings.resources).flatMap(([type, resource]) => (offered.has(resource) ? [type] : []))
  return readOneOf(attributes, 'resource_type', types)
}

function readPart(type: string, asked: SentAttributes, site: RequestSite) {
  const resource = site.resources.find(({ name }) => name === site.settings.resources[type])
  const { filters, sent } = readFilters(asked.filters, resource, site.resources)
  const part = {
    resource: site.settings.resources[type] ?? type,
    ...readColumns(asked, resource, site),
    filters: asked.jwt_filters ? { ...filters, ...tokenFilters(type, resource, site, sent) } : filters,
    sort: [],
    limit: null,
  }
  return { part, sent }
}

/**
 * With fields, includes are redundant: a relation is in the file where a field of it is. `*` stands for every field of the resource and of
 * those it is directly related to, as far as they are served.
 */
function readColumns({ fields, includes }: SentAttributes, resource: OfferedResource | undefined, { settings }: RequestSite) {
  if (fields.length === 0) return { fields, includes }
  const served = new Set(Object.values(settings.resources))
  const related = (resource?.relations ?? []).filter((relation) => served.has(relation.resource)).map(({ name }) => `${name}.*`)
  return { fields: fields.flatMap((field) => (field === '*' ? ['*', ...related] : [field])), includes: [] }
}

/** The caller's own claims, as filters beside the others. A claim that is missing or empty matches nothing, never everything. */
function tokenFilters(
  type: string,
  resource: OfferedResource | undefined,
  site: RequestSite,
  sent: ReadonlyMap<string, string>,
): Members {
  const rules = Object.entries(site.settings.jwtFilters[type] ?? {})
  const claimed = Object.fromEntries(rules.map(([filter, path]) => [filter, site.claim(path) ?? []]))
  const { filters } = readFilters(claimed, resource, site.resources)
  const taken = Object.keys(filters).find((name) => sent.has(name))
  if (taken === undefined) return filters
  const name = escaped(sent.get(taken) ?? taken)
  throw invalidAttribute(`filters/${name}`, 'is set by jwt_filters and cannot be sent with it', { error: 'taken' })
}

/** The two refusals that clients tell apart by `meta.error`. */
function judgeRows(rows: number, allowed: number): void {
  if (rows === 0) {
    throw invalidAttribute('records_count', 'must be greater than 0', { error: 'greater_than', value: 0, count: 0 })
  }
  if (rows > allowed) {
    const title = `must be less than or equal to ${allowed}`
    throw invalidAttribute('records_count', title, { error: 'less_than_or_equal_to', value: rows, count: allowed })
  }
}

export interface ReadUpdate {
  readonly verb: 'start' | 'interrupt' | null
  readonly amendment: Amendment
}

/** `id`: the one in the address. */
export function readUpdate(body: unknown, id: string): ReadUpdate {
  const { id: named, attributes } = readDocument(body, CHANGED_WITH)
  if (named === undefined) throw badBody('PARAM_MISSING', 'The required parameter, id, is missing.', '/data/id')
  if (named !== id) {
    const detail = 'The id of the document is not the one in the address.'
    const title = 'Key is not included in URL'
    throw new WireRefusal({ status: 400, code: 'KEY_NOT_INCLUDED_IN_URL', title, detail, source: { pointer: '/data/id' } })
  }
  const start = readFlag(attributes, '_start')
  const interrupt = readFlag(attributes, '_interrupt')
  if (start && interrupt) throw invalidAttribute('_start', 'cannot be sent together with _interrupt', { error: 'invalid' })
  return {
    verb: start ? 'start' : interrupt ? 'interrupt' : null,
    amendment: {
      ...('reference' in attributes ? { reference: readText(attributes, 'reference') } : {}),
      ...('reference_origin' in attributes ? { referenceOrigin: readText(attributes, 'reference_origin') } : {}),
      ...('metadata' in attributes ? { metadata: readMetadata(attributes) } : {}),
    },
  }
}

/** What the catalog refuses names a place in Freight's own request; clients are told the one in the document they sent. */
export function atWirePlace(thrown: unknown, sent: ReadonlyMap<string, string>): unknown {
  if (!(thrown instanceof FreightError) || thrown instanceof WireRefusal) return thrown
  const { pointer } = thrown.details
  if (pointer === undefined) return thrown
  const [, name = '', ...rest] = pointer.split('/')
  const place = [name === 'resource' ? 'resource_type' : name, ...rest]
  if (name === 'filters' && rest[0] !== undefined) place[1] = escaped(sent.get(unescaped(rest[0])) ?? unescaped(rest[0]))
  const details = { ...thrown.details, pointer: `${attributePointer('')}${place.join('/')}` }
  return new FreightError(thrown.code, thrown.message, { details, cause: thrown.cause })
}

const unescaped = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')
