/** The resource behind clients-export with every choice of the configuration made. */
import type { listResources } from '../../exports/resources.ts'
import { FreightError } from '../../job/errors.ts'
import { findField, requireField } from '../resource-fields.ts'
import type { ColumnMapping } from './column-mapping.ts'
import { PRESET_MAPPINGS } from './preset-mappings.ts'
import type { ClientsExportConfig } from './settings.ts'
import { TARGET_FIELDS, type TargetField, usualName } from './target-fields.ts'

/** By which the product's imports find a client again; exports only keep it. */
export const MATCH_FIELDS = ['Code', 'Name', 'CompanyNumber', 'InternalReference', 'NiNumber'] as const

export interface Mapping {
  readonly code: string
  readonly name: string
  readonly columns: readonly ColumnMapping[]
  readonly matchField: (typeof MATCH_FIELDS)[number]
  /** Every tenant has it, and none can change it. */
  readonly isPreset: boolean
  /** Null of a preset. */
  readonly createdAt: Date | null
  readonly updatedAt: Date | null
}

/** By the name of a filter's member: the field that it asks. One that the resource does not have is missing. */
type FilterFields = Partial<Readonly<Record<ListFilter, string>>>

export const LIST_FILTERS = ['managerCodes', 'partnerCodes', 'associateCodes', 'statuses', 'types', 'serviceCodes'] as const
export type ListFilter = (typeof LIST_FILTERS)[number]

export interface Clients {
  readonly resource: string
  /** What the resource has, in the order of a file with every field. */
  readonly fields: ReadonlyMap<TargetField, string>
  readonly filters: FilterFields
  /** Text fields that a search term may stand in. */
  readonly search: readonly string[]
  /** Those that every tenant has: the product's presets, and those of the configuration. */
  readonly mappings: ReadonlyMap<string, Mapping>
  readonly waitSeconds: number
  /** The `{tenant}` of an address. */
  tenantCode(tenant: string): string
}

type Resources = ReturnType<typeof listResources>

const PLACE = 'protocols.clients-export'
/** As the product waits. */
const WAIT_SECONDS = 10
const SEARCHED: readonly TargetField[] = ['Name', 'Code', 'Email', 'InternalReference']
const USUAL_FILTERS: readonly (readonly [
  ListFilter,
  Exclude<keyof NonNullable<ClientsExportConfig['filters']>, 'search'>,
  string,
])[] = [
  ['managerCodes', 'managerCode', 'manager_code'],
  ['partnerCodes', 'partnerCode', 'partner_code'],
  ['associateCodes', 'associateCode', 'associate_code'],
  ['statuses', 'status', 'status'],
  ['types', 'type', 'type'],
  ['serviceCodes', 'serviceCodes', 'service_codes'],
]

/** Throws CONFIG_INVALID for a field that the resource does not have, or that cannot be asked as it would be. */
export function configuredClients(config: ClientsExportConfig, resources: Resources): Clients {
  const fields = offeredFields(config, resources)
  const { tenants = {} } = config
  return {
    resource: config.resource,
    fields,
    filters: filterFields(config, resources),
    search: searchedFields(config, resources, fields),
    mappings: presetMappings(config, fields),
    waitSeconds: config.waitSeconds ?? WAIT_SECONDS,
    tenantCode: (tenant) => (Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined) ?? tenant,
  }
}

/** As one caller has them: fields that are not for them are no columns and no filters. `resources` are the caller's. */
export function clientsFor(clients: Clients, resources: Resources): Clients {
  const has = (path: string): boolean => findField(resources, clients.resource, path) !== null
  const fields = new Map([...clients.fields].filter(([, path]) => has(path)))
  return {
    ...clients,
    fields,
    filters: Object.fromEntries(Object.entries(clients.filters).filter(([, path]) => has(path))),
    search: clients.search.filter(has),
    mappings: new Map([...clients.mappings].map(([code, mapping]) => [code, presetFor(mapping, fields)])),
  }
}

/** The product's presets hold what there is; one of the configuration says what it holds. */
function presetFor(mapping: Mapping, fields: ReadonlyMap<TargetField, string>): Mapping {
  if (!Object.hasOwn(PRESET_MAPPINGS, mapping.code)) return mapping
  return { ...mapping, columns: mapping.columns.filter(({ targetField }) => fields.has(targetField)) }
}

function offeredFields(config: ClientsExportConfig, resources: Resources): Map<TargetField, string> {
  const offered = new Map<TargetField, string>()
  for (const target of TARGET_FIELDS) {
    const named = config.fields?.[target]
    if (named !== undefined) requireField(resources, config.resource, named, `${PLACE}.fields.${target}`)
    const path = named ?? usualName(target)
    if (findField(resources, config.resource, path)) offered.set(target, path)
  }
  if (offered.size > 0) return offered
  const why = `"${config.resource}" has none of the fields that clients are exported with; name them.`
  throw new FreightError('CONFIG_INVALID', `${PLACE}.fields: ${why}`)
}

function filterFields({ resource, filters = {} }: ClientsExportConfig, resources: Resources): FilterFields {
  const found: { [Name in ListFilter]?: string } = {}
  for (const [member, setting, usual] of USUAL_FILTERS) {
    const place = `${PLACE}.filters.${setting}`
    const named = filters[setting]
    const field = named === undefined ? findField(resources, resource, usual) : requireField(resources, resource, named, place)
    if (!field) continue
    if (setting === 'serviceCodes' && field.type !== 'json') {
      throw new FreightError(
        'CONFIG_INVALID',
        `${place}: "${named ?? usual}" must hold JSON, a list of codes, not ${field.type}.`,
      )
    }
    found[member] = named ?? usual
  }
  return found
}

function searchedFields(
  { resource, filters = {} }: ClientsExportConfig,
  resources: Resources,
  fields: ReadonlyMap<TargetField, string>,
): string[] {
  const paths = filters.search ?? SEARCHED.flatMap((target) => fields.get(target) ?? [])
  return paths.map((path, index) => {
    const place = `${PLACE}.filters.search.${index}`
    const { type } = requireField(resources, resource, path, place)
    if (type === 'text' || type === 'any') return path
    throw new FreightError('CONFIG_INVALID', `${place}: "${path}" must hold text, not ${type}.`)
  })
}

/** Columns of a preset that the resource does not have are left out; those of a configured mapping stop the start. */
function presetMappings(config: ClientsExportConfig, fields: ReadonlyMap<TargetField, string>): Map<string, Mapping> {
  const common = { matchField: 'Code', isPreset: true, createdAt: null, updatedAt: null } as const
  const presets = Object.entries(PRESET_MAPPINGS).map(([code, { name, columns }]): Mapping => {
    return { code, name, columns: columns.filter(({ targetField }) => fields.has(targetField)), ...common }
  })
  const configured = Object.entries(config.mappings ?? {}).map(([code, { name = code, columns }]): Mapping => {
    const missing = columns.find(({ targetField }) => !fields.has(targetField))
    if (!missing) return { code, name, columns, ...common }
    const why = `"${config.resource}" has no field for ${missing.targetField}; name it in ${PLACE}.fields.`
    throw new FreightError('CONFIG_INVALID', `${PLACE}.mappings.${code}: ${why}`)
  })
  return new Map([...presets, ...configured].map((mapping) => [mapping.code, mapping]))
}
