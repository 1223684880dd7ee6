/** api-exports on a real store, behind the real HTTP server, asked without a socket. */
import type { FastifyInstance, InjectOptions } from 'fastify'
import { pino } from 'pino'
import { createAuthenticator, createKey } from '../../src/access/keys.ts'
import type { Probe } from '../../src/exports/probe.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { apiExportsProtocol } from '../../src/protocols/api-exports/protocol.ts'
import type { ApiExportsConfig } from '../../src/protocols/api-exports/settings.ts'
import { type ExportsSite, openExportsSite } from '../exports-site.ts'

export const JSON_API = 'application/vnd.api+json'

export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at by the tests, not by the compiler.
  readonly body: any
}

export interface ApiExportsSite extends ExportsSite {
  readonly app: FastifyInstance
  /** Of tenant acme, live. */
  readonly key: string
  /** Of tenant globex, test. */
  readonly otherKey: string
  /** As acme unless the headers say otherwise; text is sent as it stands. */
  call(method: InjectOptions['method'], url: string, payload?: unknown, headers?: Record<string, string>): Promise<WireAnswer>
  get(url: string, headers?: Record<string, string>): Promise<WireAnswer>
  /** POST of a document with these attributes. */
  create(attributes: Record<string, unknown>, headers?: Record<string, string>): Promise<WireAnswer>
  /** PATCH of a document with these attributes. */
  update(id: string, attributes: Record<string, unknown>): Promise<WireAnswer>
}

export const ADDRESS = 'https://freight.example/api/exports'

export async function openApiExports(
  config: Partial<ApiExportsConfig> = {},
  probe: Partial<Probe> = {},
): Promise<ApiExportsSite> {
  const site = await openExportsSite({ probe })
  const { secret: key } = await createKey(site.store, { tenant: 'acme', name: 'test', mode: 'live' }, site.clock.now)
  const { secret: otherKey } = await createKey(site.store, { tenant: 'globex', name: 'test', mode: 'test' }, site.clock.now)
  const publicUrl = (): string => 'https://freight.example'
  const section = { resources: { orders: 'orders', customers: 'customers' }, ...config }
  const app = await createHttpServer({
    context: site.context,
    authenticate: createAuthenticator(site.store).authenticate,
    jobs: site.store,
    metrics: createMetrics({ jobs: site.store, now: () => site.clock.now }),
    ready: () => true,
    log: pino({ level: 'silent' }),
    publicUrl,
    protocols: [apiExportsProtocol(section, { context: site.context, publicUrl })],
    requestsPerMinute: 1_000_000,
    version: '0.0.0-test',
  })
  const call: ApiExportsSite['call'] = async (method, url, payload, headers = {}) => {
    // The vendor's client sends both with every request.
    const sent = { accept: JSON_API, 'content-type': JSON_API, authorization: `Bearer ${key}` }
    const answer = await app.inject({
      ...(method === undefined ? {} : { method }),
      url,
      headers: { ...sent, ...headers },
      ...(payload === undefined ? {} : { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
    })
    const isJson = /json/.test(String(answer.headers['content-type'])) && answer.payload !== ''
    return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: isJson ? answer.json() : undefined }
  }
  return {
    ...site,
    app,
    key,
    otherKey,
    call,
    get: (url, headers) => call('GET', url, undefined, headers),
    create: (attributes, headers) =>
      call('POST', '/api/exports', { data: { type: 'exports', attributes, relationships: {} } }, headers),
    update: (id, attributes) =>
      call('PATCH', `/api/exports/${id}`, { data: { type: 'exports', attributes, relationships: {}, id } }),
    async close() {
      await app.close()
      await site.close()
    },
  }
}
