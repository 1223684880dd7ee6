/** api-exports on a real store, behind the real HTTP server, asked without a socket. */
import type { Probe } from '../../src/exports/probe.ts'
import { apiExportsProtocol } from '../../src/protocols/api-exports/protocol.ts'
import type { ApiExportsConfig } from '../../src/protocols/api-exports/settings.ts'
import { type InjectedSite, openInjectedSite } from '../injected-site.ts'

export const JSON_API = 'application/vnd.api+json'

interface ResourceObject {
  readonly id: string
  readonly type: string
  readonly links: { readonly self: string }
  readonly attributes: Readonly<Record<string, unknown>>
  readonly relationships: Readonly<
    Record<string, { readonly links: unknown; readonly data: readonly { id: string; type: string }[] }>
  >
  readonly meta: unknown
}

interface ErrorObject {
  readonly status: string
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly source: { readonly pointer?: string; readonly parameter?: string }
  readonly meta: Readonly<Record<string, unknown>>
}

/** A JSON:API document of any kind; `data` is one resource object or a list of them. */
interface WireDocument {
  readonly data: ResourceObject & readonly ResourceObject[]
  readonly included: readonly ResourceObject[]
  readonly errors: readonly [ErrorObject, ...ErrorObject[]]
  readonly meta: { readonly record_count: number; readonly page_count: number }
  readonly links: Readonly<Record<'first' | 'prev' | 'next' | 'last', string>>
}

export type WireAnswer = Awaited<ReturnType<InjectedSite<WireDocument>['call']>>

export interface ApiExportsSite extends InjectedSite<WireDocument> {
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
  const site = await openInjectedSite<WireDocument>({
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
