/** api-exports on a real store, behind the real HTTP server, asked without a socket. */
import type { Probe } from '../../src/exports/probe.ts'
import { apiExportsProtocol } from '../../src/protocols/api-exports/protocol.ts'
import type { ApiExportsConfig } from '../../src/protocols/api-exports/settings.ts'
import { type InjectedSite, openInjectedSite } from '../injected-site.ts'

export const JSON_API = 'application/vnd.api+json'

export type WireAnswer = Awaited<ReturnType<InjectedSite['call']>>

export interface ApiExportsSite extends InjectedSite {
  /** POST of a document with these attributes. */
  create(attributes: Record<string, unknown>, headers?: Record<string, string>): Promise<WireAnswer>
  /** PATCH of a document with these attributes. */
  update(id: string, attributes: Record<string, unknown>): Promise<WireAnswer>
}

export const ADDRESS = 'https://freight.example/api/exports'

/** The other tenant's key is one for tests. */
export async function openApiExports(
  config: Partial<ApiExportsConfig> = {},
  probe: Partial<Probe> = {},
): Promise<ApiExportsSite> {
  const section = { resources: { orders: 'orders', customers: 'customers' }, ...config }
  const site = await openInjectedSite({
    probe,
    otherMode: 'test',
    protocols: (mount) => [apiExportsProtocol(section, mount)],
    // The vendor's client sends both with every request.
    headersFor: () => ({ accept: JSON_API, 'content-type': JSON_API }),
  })
  return {
    ...site,
    create: (attributes, headers) =>
      site.call('POST', '/api/exports', { data: { type: 'exports', attributes, relationships: {} } }, headers),
    update: (id, attributes) =>
      site.call('PATCH', `/api/exports/${id}`, { data: { type: 'exports', attributes, relationships: {}, id } }),
  }
}
