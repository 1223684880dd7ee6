/** From the wire to what a caller asks for: CsvExportRequestDto. Pure. */
import type { NewExport } from '../../exports/create.ts'
import { FreightError } from '../../job/errors.ts'
import { type Members, readChoice, readColumnMappings, readMembers, readText, refusal, spoken } from './body.ts'
import { type Clients, LIST_FILTERS, type ListFilter, type Mapping } from './clients.ts'
import type { ColumnMapping } from './column-mapping.ts'

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
const CHOICES: Partial<Readonly<Record<ListFilter, readonly string[]>>> = { statuses: STATUSES, types: TYPES }
const MAX_CODES = 500
const MAX_TEXT_LENGTH = 500

/** The code of a saved mapping that the body names, if it names one at all. */
export function mappingCodeIn(body: unknown): string | null {
  const code = typeof body === 'object' && body !== null && 'mappingCode' in body ? body.mappingCode : null
  return typeof code === 'string' ? code : null
}

/**
 * `named`: the mapping behind the body's `mappingCode`, null where there is none. A member that is null counts as not given, and so does
 * an empty list of a filter. An empty object asks for everything. Throws VALIDATION_FAILED, and NOT_FOUND for a mapping that nobody has saved.
 */
export function readExport(body: unknown, clients: Clients, named: Mapping | null): Omit<NewExport, 'idempotency'> {
  const members = readMembers(body, '', MEMBERS)
  const columns = readColumns(members, clients, named)
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

function readColumns(members: Members, clients: Clients, named: Mapping | null): readonly ColumnMapping[] {
  const code = members.get('mappingCode')
  const inline = members.get('columnMappings')
  if (code !== undefined && inline !== undefined) {
    throw refusal('/mappingCode', 'Give mappingCode or columnMappings, not both.')
  }
  if (inline !== undefined) return readColumnMappings(inline, clients)
  if (code === undefined) return [...clients.fields.keys()].map((targetField) => ({ csvHeader: targetField, targetField }))
  if (typeof code !== 'string') throw refusal('/mappingCode', 'mappingCode must be text.')
  if (!named) throw new FreightError('NOT_FOUND', 'There is no mapping with this code.', { details: { pointer: '/mappingCode' } })
  const gone = named.columns.find(({ targetField }) => !clients.fields.has(targetField))
  if (!gone) return named.columns
  throw refusal('/mappingCode', `This mapping has a column of ${gone.targetField}, which is not offered here; change it.`)
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
    return choices ? readChoice(code, place, choices) : readText(code, place, MAX_TEXT_LENGTH)
  })
}
