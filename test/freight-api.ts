/** Freight's own API on a real store, behind the real HTTP server, asked without a socket. */
import type { FastifyInstance, InjectOptions } from 'fastify'
import { pino } from 'pino'
import { createAuthenticator, createKey } from '../src/access/keys.ts'
import type { Probe } from '../src/exports/probe.ts'
import { createMetrics } from '../src/http/metrics.ts'
import { createHttpServer } from '../src/http/server.ts'
import { type ExportsSite, openExportsSite } from './exports-site.ts'

interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at by the tests, not by the compiler.
  readonly body: any
}

export interface ApiSite extends ExportsSite {
  readonly app: FastifyInstance
  /** Of tenant acme. */
  readonly key: string
  /** Of tenant globex. */
  readonly otherKey: string
  /** With acme's key unless the headers say otherwise; text is sent as it stands, anything else as JSON. */
  call(method: InjectOptions['method'], url: string, payload?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>
  get(url: string, headers?: Record<string, string>): Promise<ApiAnswer>
  post(url: string, payload?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>
}

export async function openApiSite(probe: Partial<Probe> = {}): Promise<ApiSite> {
  const site = await openExportsSite({ probe })
  const { secret: key } = await createKey(site.store, { tenant: 'acme', name: 'test', mode: 'live' }, site.clock.now)
  const { secret: otherKey } = await createKey(site.store, { tenant: 'globex', name: 'test', mode: 'live' }, site.clock.now)
  const app = await createHttpServer({
    context: site.context,
    authenticate: createAuthenticator(site.store).authenticate,
    jobs: site.store,
    metrics: createMetrics({ jobs: site.store, now: () => site.clock.now }),
    ready: () => true,
    log: pino({ level: 'silent' }),
    publicUrl: () => 'https://freight.example',
    requestsPerMinute: 1_000_000,
    version: '0.0.0-test',
  })
  const call: ApiSite['call'] = async (method, url, payload, headers = {}) => {
    const json = payload === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await app.inject({
      ...(method === undefined ? {} : { method }),
      url,
      headers: { authorization: `Bearer ${key}`, ...json, ...headers },
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
    post: (url, payload, headers) => call('POST', url, payload, headers),
    async close() {
      await app.close()
      await site.close()
    },
  }
}
