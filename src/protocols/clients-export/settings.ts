/** What the configuration says of clients-export: which resource holds the clients, how its fields are called, the saved mappings. */
import type { Place } from '../../config/place.ts'
import type { ColumnMapping } from './column-mapping.ts'
import { PRESET_MAPPINGS } from './preset-mappings.ts'
import { TARGET_FIELDS, type TargetField } from './target-fields.ts'

export interface ClientsExportConfig {
  /** The resource whose rows are exported: one row per client. */
  readonly resource: string
  /**
   * Its field (or a dotted one of a related resource) for each field of the protocol; the protocol's name in snake_case when absent, as
   * `VatNumber` is `vat_number`. What the resource does not have is not offered.
   */
  readonly fields?: Partial<Readonly<Record<TargetField, string>>>
  /** Its fields that the protocol filters by. */
  readonly filters?: {
    /** Defaults `manager_code`, `partner_code`, `associate_code`, `status`, `type`. */
    readonly managerCode?: string
    readonly partnerCode?: string
    readonly associateCode?: string
    readonly status?: string
    readonly type?: string
    /** A JSON list of codes; default `service_codes`. */
    readonly serviceCodes?: string
    /** The text fields that a search term may stand in; default those of Name, Code, Email and InternalReference. */
    readonly search?: readonly string[]
  }
  /** Mappings by code that every tenant has, beside the presets `limited-company-clients` and `individual-clients`. The name is the code unless given. */
  readonly mappings?: Readonly<Record<string, { readonly name?: string; readonly columns: readonly ColumnMapping[] }>>
  /** The `{tenant}` of an address by tenant, for those whose code is not their name. */
  readonly tenants?: Readonly<Record<string, string>>
  /** How long a request to export waits for the file before it is answered with 202; at most 30, default 10. */
  readonly waitSeconds?: number
}

const FILTERS = ['managerCode', 'partnerCode', 'associateCode', 'status', 'type', 'serviceCodes', 'search']

export function checkClientsExport(place: Place, value: unknown, resources: readonly string[]): ClientsExportConfig {
  const section = place.object(value, ['resource', 'fields', 'filters', 'mappings', 'tenants', 'waitSeconds'])
  place.at('resource').oneOf(section.resource, resources, 'resource')
  if (section.fields !== undefined) checkTexts(place.at('fields'), section.fields, TARGET_FIELDS)
  if (section.filters !== undefined) {
    const { search, ...others } = place.at('filters').object(section.filters, FILTERS)
    checkTexts(place.at('filters'), others, FILTERS)
    if (search !== undefined) place.at('filters').at('search').texts(search)
  }
  if (section.mappings !== undefined) place.at('mappings').map(section.mappings, checkMapping)
  if (section.tenants !== undefined) place.at('tenants').map(section.tenants, (at, code) => at.text(code))
  if (section.waitSeconds !== undefined) place.at('waitSeconds').number(section.waitSeconds, 30)
  // Every member has been checked against its type above.
  return section as unknown as ClientsExportConfig
}

function checkTexts(place: Place, value: unknown, known: readonly string[]): void {
  for (const [name, text] of Object.entries(place.object(value, known))) place.at(name).text(text)
}

function checkMapping(place: Place, value: unknown, code: string): void {
  if (Object.hasOwn(PRESET_MAPPINGS, code))
    throw place.invalid('is a preset and cannot be changed; give the mapping another code.')
  const { name, columns } = place.object(value, ['name', 'columns'])
  if (name !== undefined) place.at('name').text(name)
  if (!Array.isArray(columns) || columns.length === 0) throw place.at('columns').invalid('must be a list of at least one column.')
  for (const [index, column] of columns.entries()) {
    const at = place.at('columns').at(String(index))
    const { csvHeader, targetField } = at.object(column, ['csvHeader', 'targetField'])
    at.at('csvHeader').text(csvHeader)
    at.at('targetField').oneOf(targetField, TARGET_FIELDS, 'field')
  }
}
