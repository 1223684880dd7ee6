/** What the callers' verbs work with, behind the real HTTP server, asked without a socket. */
import type { FastifyInstance, InjectOptions } from 'fastify'
import { pino } from 'pino'
import { createAuthenticator, createKey } from '../src/access/keys.ts'
import type { Probe } from '../src/exports/probe.ts'
import { createMetrics } from '../src/http/metrics.ts'
import { createHttpServer } from '../src/http/server.ts'
import type { ProtocolSite as MountSite, Protocol } from '../src/protocols/protocol.ts'
import { type ExportsSite, openExportsSite } from './exports-site.ts'

interface InjectedAnswer<Body> {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  /** Parsed JSON, as a client of this API has it in mind: that it is so is for the tests to see. Undefined where there is none. */
  readonly body: Body
}

export interface InjectedSite<Body> extends ExportsSite {
  readonly app: FastifyInstance
  /** Of tenant acme, live. */
  readonly key: string
  /** Of tenant globex. */
  readonly otherKey: string
  /** With acme's key unless the headers say otherwise; text is sent as it stands, anything else as JSON. */
  call(
    method: InjectOptions['method'],
    url: string,
    payload?: unknown,
    headers?: Record<string, string>,
  ): Promise<InjectedAnswer<Body>>
  get(url: string, headers?: Record<string, string>): Promise<InjectedAnswer<Body>>
}

export async function openInjectedSite<Body>(options: {
  probe: Partial<Probe>
  otherMode: 'live' | 'test'
  protocols?: (site: MountSite) => readonly Protocol[]
  /** What the API's clients send beside the key; `payload` is undefined where there is no body. */
  headersFor: (payload: unknown) => Readonly<Record<string, string>>
}): Promise<InjectedSite<Body>> {
  const site = await openExportsSite({ probe: options.probe })
  const { secret: key } = await createKey(site.store, { tenant: 'acme', name: 'test', mode: 'live' }, site.clock.now)
  const other = { tenant: 'globex', name: 'test', mode: options.otherMode }
  const { secret: otherKey } = await createKey(site.store, other, site.clock.now)
  const publicUrl = (): string => 'https://freight.example'
  const app = await createHttpServer({
    context: site.context,
    authenticate: createAuthenticator(site.store).authenticate,
    jobs: site.store,
    metrics: createMetrics({ jobs: site.store, now: () => site.clock.now }),
    ready: () => true,
    log: pino({ level: 'silent' }),
    publicUrl,
    protocols: options.protocols?.({ context: site.context, publicUrl }) ?? [],
    requestsPerMinute: 1_000_000,
    version: '0.0.0-test',
  })
  const call: InjectedSite<Body>['call'] = async (method, url, payload, headers = {}) => {
    const answer = await app.inject({
      ...(method === undefined ? {} : { method }),
      url,
      headers: { authorization: `Bearer ${key}`, ...options.headersFor(payload), ...headers },
      ...(payload === undefined ? {} : { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
    })
    const isJson = /json/.test(String(answer.headers['content-type'])) && answer.payload !== ''
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.payload,
      body: (isJson ? answer.json() : undefined) as Body,
    }
  }
  return {
    ...site,
    app,
    key,
    otherKey,
    call,
    get: (url, headers) => call('GET', url, undefined, headers),
    async close() {
      await app.close()
      await site.close()
    },
  }
}
