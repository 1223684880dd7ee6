/** The wire protocol at `.../clients/export/csv`: client exports as SodiumHQ's clients ask for them. */
import { listResources } from '../../exports/resources.ts'
import type { Protocol, ProtocolSite } from '../protocol.ts'
import { configuredClients } from './clients.ts'
import { refuse } from './errors.ts'
import { clientsRoutes } from './routes.ts'
import type { ClientsExportConfig } from './settings.ts'

/** Throws CONFIG_INVALID for a field that the resource does not have. */
export function clientsExport(config: ClientsExportConfig, site: ProtocolSite): Protocol {
  const clients = configuredClients(config, listResources(site.context, null))
  return {
    name: 'clients-export',
    paths: ['/clients', '/api/clients', '/csv-mappings', '/api/csv-mappings', '/tenants', '/api/tenants'],
    refuse,
    async routes(app) {
      clientsRoutes(app, clients, site)
    },
  }
}
