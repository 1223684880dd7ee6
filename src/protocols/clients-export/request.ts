/** From the wire to what a caller asks for: CsvExportRequestDto. Pure. */
import type { NewExport } from '../../exports/create.ts'
import { FreightError } from '../../job/errors.ts'
import { didYouMean } from '../../job/suggestion.ts'
import { type Clients, LIST_FILTERS, type ListFilter } from './clients.ts'
import type { ColumnMapping } from './settings.ts'
import { TARGET_FIELDS, type TargetField } from './target-fields.ts'

const STATUSES = ['Active', 'Inactive', 'Prospect', 'LostProspect'] as const
const TYPES = [
  'PrivateLimitedCompany',
  'PublicLimitedCompany',
  'LimitedLiabilityPartnership',
  'Partnership',
  'Individual',
  'Trust',
  'Charity',
  'SoleTrader',
] as const

const MEMBERS = ['mappingCode', 'columnMappings', 'includeHeaders', 'filter']
const READ_ONLY = 'code status totalItems processedItems downloadUrl startedDate completedDate createdDate'.split(' ')
const CHOICES: Partial<Readonly<Record<ListFilter, readonly string[]>>> = { statuses: STATUSES, types: TYPES }
const MAX_COLUMNS = 500
const MAX_HEADER_LENGTH = 200
const MAX_CODES = 500
const MAX_TEXT_LENGTH = 500

/**
 * A member that is null counts as not given, and so does an empty list of a filter. An empty object asks for everything.
 * Throws VALIDATION_FAILED, and NOT_FOUND for a mapping that nobody has saved.
 */
export function readExport(body: unknown, clients: Clients): Omit<NewExport, 'idempotency'> {
  const members = readMembers(body, '', MEMBERS)
  const columns = readColumns(members, clients)
  const header = members.get('includeHeaders') ?? true
  if (typeof header !== 'boolean') throw refusal('/includeHeaders', 'includeHeaders must be true or false.')
  return {
    request: {
      parts: [
        {
          resource: clients.resource,
          fields: columns.map(({ targetField }) => clients.fields.get(targetField) ?? ''),
          titles: columns.map(({ csvHeader }) => csvHeader),
          includes: [],
          filters: readFilter(members.get('filter') ?? {}, clients),
          sort: [],
          limit: null,
        },
      ],
      format: 'csv',
      compression: null,
      options: { header, times: 'rfc3339' },
      dryData: false,
    },
    reference: null,
    referenceOrigin: null,
    metadata: {},
    protocol: { name: 'clients-export', data: {} },
  }
}

type Members = ReadonlyMap<string, unknown>

function readMembers(value: unknown, at: string, known: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusal(at, at === '' ? 'The body must be a JSON object.' : `${spoken(at)} must be an object.`)
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const shown = `${at}/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (READ_ONLY.includes(name)) throw refusal(shown, `${spoken(shown)} is set by the server and cannot be sent.`)
    throw refusal(shown, `${spoken(shown)} is not known here.${didYouMean(name, known)}`, known)
  }
  return new Map(Object.entries(value).filter(([, member]) => member !== null))
}

/** `/filter/statuses/0` is `filter.statuses[0]`. */
export function spoken(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
}

function refusal(pointer: string, message: string, allowed?: readonly string[]): FreightError {
  return new FreightError('VALIDATION_FAILED', message, { details: { pointer, ...(allowed ? { allowed } : {}) } })
}

function readColumns(members: Members, clients: Clients): readonly ColumnMapping[] {
  const code = members.get('mappingCode')
  const inline = members.get('columnMappings')
  if (code !== undefined && inline !== undefined) {
    throw refusal('/mappingCode', 'Give mappingCode or columnMappings, not both.')
  }
  if (inline !== undefined) return readInline(inline, clients)
  if (code === undefined) return [...clients.fields.keys()].map((targetField) => ({ csvHeader: targetField, targetField }))
  if (typeof code !== 'string') throw refusal('/mappingCode', 'mappingCode must be text.')
  const mapping = clients.mappings.get(code)
  if (mapping) return mapping.columns
  throw new FreightError('NOT_FOUND', 'There is no mapping with this code.', { details: { pointer: '/mappingCode' } })
}

function readInline(value: unknown, clients: Clients): ColumnMapping[] {
  if (!Array.isArray(value)) throw refusal('/columnMappings', 'columnMappings must be a list.')
  if (value.length === 0 || value.length > MAX_COLUMNS) {
    throw refusal('/columnMappings', `columnMappings must have 1 to ${MAX_COLUMNS} columns, not ${value.length}.`)
  }
  const headers = new Set<string>()
  return Array.from(value, (column: unknown, index) => {
    const at = `/columnMappings/${index}`
    const members = readMembers(column, at, ['csvHeader', 'targetField'])
    const csvHeader = readText(members.get('csvHeader'), `${at}/csvHeader`, MAX_HEADER_LENGTH)
    if (headers.has(csvHeader))
      throw refusal(`${at}/csvHeader`, `${spoken(`${at}/csvHeader`)} is the name of another column, too.`)
    headers.add(csvHeader)
    return { csvHeader, targetField: readTarget(members.get('targetField'), `${at}/targetField`, clients) }
  })
}

function readTarget(value: unknown, at: string, { fields }: Clients): TargetField {
  const target = TARGET_FIELDS.find((known) => known === value)
  if (target !== undefined && fields.has(target)) return target
  const offered = [...fields.keys()]
  if (target !== undefined) throw refusal(at, `${spoken(at)}: ${target} is not offered here.`, offered)
  const hint = typeof value === 'string' ? didYouMean(value, offered) : ''
  throw refusal(at, `${spoken(at)} must be a field that is known here.${hint}`, offered)
}

function readText(value: unknown, at: string, most: number): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= most) return value
  throw refusal(at, `${spoken(at)} must be text of 1 to ${most} characters.`)
}

function readFilter(value: unknown, clients: Clients): Record<string, unknown> {
  const members = readMembers(value, '/filter', [...LIST_FILTERS, 'search'])
  const filters: Record<string, unknown> = {}
  for (const name of LIST_FILTERS) {
    const codes = readCodes(members.get(name) ?? [], `/filter/${name}`, CHOICES[name])
    if (codes.length === 0) continue
    const field = clients.filters[name]
    if (field === undefined) throw refusal(`/filter/${name}`, `filter.${name} is not offered here.`)
    filters[`${field}_${name === 'serviceCodes' ? 'jcont_any' : 'in'}`] = codes
  }
  const search = members.get('search')
  if (search === undefined) return filters
  const term = readText(search, '/filter/search', MAX_TEXT_LENGTH)
  if (clients.search.length === 0) throw refusal('/filter/search', 'filter.search is not offered here.')
  return { ...filters, [`${clients.search.join('_or_')}_cont`]: term }
}

function readCodes(value: unknown, at: string, choices: readonly string[] | undefined): string[] {
  if (!Array.isArray(value)) throw refusal(at, `${spoken(at)} must be a list.`)
  if (value.length > MAX_CODES) throw refusal(at, `${spoken(at)} takes at most ${MAX_CODES} values, not ${value.length}.`)
  return Array.from(value, (code: unknown, index) => {
    const place = `${at}/${index}`
    if (!choices) return readText(code, place, MAX_TEXT_LENGTH)
    const choice = choices.find((known) => known === code)
    if (choice !== undefined) return choice
    throw refusal(place, `${spoken(place)} must be one of ${choices.join(', ')}.`, choices)
  })
}
