/** api-exports: JSON:API at `/api/exports`. */
import { FreightError } from '../../job/errors.ts'
import type { Protocol, ProtocolSite } from '../protocol.ts'
import { MEDIA_TYPE, refuse } from './errors.ts'
import { apiExportsRoutes, PATH } from './routes.ts'
import { type ApiExportsConfig, settingsOf } from './settings.ts'
import { PROTOCOL } from './view.ts'

/** Throws CONFIG_INVALID where no resource_type is named at all. */
export function apiExportsProtocol(config: ApiExportsConfig, site: ProtocolSite): Protocol {
  if (Object.keys(config.resources).length === 0) {
    throw new FreightError('CONFIG_INVALID', 'protocols.api-exports.resources: name at least one, or leave the section out.')
  }
  return {
    name: PROTOCOL,
    paths: [PATH],
    jsonTypes: [MEDIA_TYPE],
    refuse,
    routes: (app) => apiExportsRoutes(app, { ...site, settings: settingsOf(config) }),
  }
}
