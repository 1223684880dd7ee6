/** The `protocols` section of the configuration: one entry for each wire protocol that is served. An absent one has no address at all. */
import type { Place } from '../config/place.ts'
import { type ApiExportsConfig, checkApiExports } from './api-exports/settings.ts'
import { type ClientsExportConfig, checkClientsExport } from './clients-export/settings.ts'
import { type ContentExportConfig, checkContentExport } from './content-export/settings.ts'
import { checkV1Exports, type V1ExportsConfig } from './v1-exports/settings.ts'

export interface ProtocolsConfig {
  /** At `/v1/exports`. */
  readonly 'v1-exports'?: V1ExportsConfig
  /** At `.../clients/export/csv`. */
  readonly 'clients-export'?: ClientsExportConfig
  /** At `/api/exports`. */
  readonly 'api-exports'?: ApiExportsConfig
  /** At `.../content/export`. */
  readonly 'content-export'?: ContentExportConfig
}

/** Of one protocol; `resources` are the names that the configuration offers. Gives back plain data. Throws CONFIG_INVALID. */
type SectionCheck<Section> = (place: Place, value: unknown, resources: readonly string[]) => Section

const CHECKS: { readonly [Name in keyof ProtocolsConfig]-?: SectionCheck<NonNullable<ProtocolsConfig[Name]>> } = {
  'v1-exports': checkV1Exports,
  'clients-export': checkClientsExport,
  'api-exports': checkApiExports,
  'content-export': checkContentExport,
}

/** Fields are checked later, against the resource as its source describes it. */
export function checkProtocols(place: Place, value: unknown, resources: readonly string[]): ProtocolsConfig {
  if (value === undefined) return {}
  const sections = place.object(value, Object.keys(CHECKS))
  return Object.fromEntries(
    Object.entries(CHECKS).flatMap(([name, check]) =>
      sections[name] === undefined ? [] : [[name, check(place.at(name), sections[name], resources)]],
    ),
  )
}
