/** The HTTP server: everything a request meets before and after the protocol that answers it. */
import { randomUUID } from 'node:crypto'
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { Logger } from 'pino'
import type { ExportsContext } from '../exports/context.ts'
import { FreightError } from '../job/errors.ts'
import { freightRoutes } from '../protocols/freight/routes.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { KeyStore, UpkeepStore } from '../store/store.ts'
import { acceptJson, readBodies } from './bodies.ts'
import { downloadRoutes } from './downloads.ts'
import { healthRoutes } from './health.ts'
import { type Authenticate, limitRequests, refuseWhenBlocked } from './limits.ts'
import { withoutSecrets } from './log.ts'
import type { Metrics } from './metrics.ts'
import { type OAuthRoutesOptions, oauthRoutes } from './oauth.ts'
import { describeApi, openApiRoutes } from './openapi.ts'
import { answerErrors, answerProblem, ErrorForms, pathOf } from './problems.ts'
import { coerceParameters } from './query-text.ts'
import { answerExpectations, answerRawErrors } from './raw-answers.ts'
import { auditRefusals, type RefusalAudit } from './refusal-audit.ts'
import { watchRequests } from './requests.ts'
import { RouteTable } from './route-table.ts'
import { standingLinkRoutes } from './standing-links.ts'
import { limitTenants } from './tenant-rates.ts'

export interface HttpOptions {
  readonly context: ExportsContext
  /** Rejects with UNAUTHORIZED. */
  readonly authenticate: Authenticate
  readonly jobs: Pick<UpkeepStore, 'find' | 'oldestPendingAt'> & Pick<KeyStore, 'findKey'>
  readonly metrics: Metrics
  /** False while draining. */
  ready(): boolean
  readonly log: Logger
  /** Origin (and path) of every address that is given out, without a trailing slash; a request's Host is never used. */
  publicUrl(): string
  /** Of each key. Addresses without a known key share a tenth of it. */
  readonly requestsPerMinute: number
  /** Of all callers of a tenant together; default none. */
  tenantRequestsPerMinute?(tenant: string): number | null
  /** Where refused requests are recorded; default nowhere. */
  readonly refusals?: RefusalAudit
  /** The token endpoint; default none. */
  readonly oauth?: Omit<OAuthRoutesOptions, 'publicUrl'>
  readonly version: string
  /** Beside Freight's own API; default none. */
  readonly protocols?: readonly Protocol[]
  /** Default 1 MiB. */
  readonly bodyLimitBytes?: number
  /** How long a download may stand still; default 30 s. */
  readonly stallMs?: number
  /** How long answers in flight may still take once the server closes; default 10 s. */
  readonly closeGraceMs?: number
}

const BODY_LIMIT_BYTES = 1024 * 1024
const STALL_MS = 30_000
const CLOSE_GRACE_MS = 10_000
const MAX_HEADER_BYTES = 16 * 1024
/** A request's head, and the whole of it with its body. Answers may take as long as they like: these end with the request. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const TIMEOUT_CHECK_MS = 1_000
/** Longer than the 60 s after which common proxies drop an idle connection, so that they, not we, end it. */
const KEEP_ALIVE_MS = 65_000

const SECURITY_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], sandbox: [] } },
  // For whoever ends TLS in front of us to decide: a browser keeps it for the whole host.
  strictTransportSecurity: false,
}

/** Not listening yet. `close()` ends long answers and idle connections, and lets the others finish within their grace. */
export async function createHttpServer(options: HttpOptions): Promise<FastifyInstance> {
  const routes = new RouteTable()
  const forms = new ErrorForms(options.protocols ?? [])
  const app = createApp(options, routes, forms)
  routes.watch(app)
  answerExpectations(app.server, forms)
  answerErrors(app, forms)
  watchRequests(app, { metrics: options.metrics, closeGraceMs: options.closeGraceMs ?? CLOSE_GRACE_MS })
  if (options.refusals) auditRefusals(app, options.refusals, () => options.context.now())
  await app.register(helmet, SECURITY_HEADERS)
  await refuseWhenBlocked(app)
  const authenticate = await limitRequests(app, options)
  readBodies(app)
  coerceParameters(app)
  await describeApi(app, options.version)

  const { context, jobs, metrics, oauth } = options
  if (options.tenantRequestsPerMinute) {
    limitTenants(app, (tenant) => options.tenantRequestsPerMinute?.(tenant) ?? null, Date.now)
  }
  const now = (): Date => context.now()
  const publicUrl = (): string => options.publicUrl()
  await app.register(async (scope) => freightRoutes(scope, { context, authenticate, publicUrl }))
  for (const protocol of options.protocols ?? []) await mountProtocol(app, protocol, authenticate)
  if (oauth) await app.register(async (scope) => oauthRoutes(scope, { ...oauth, publicUrl }))
  downloadRoutes(app, { context, jobs, stallMs: options.stallMs ?? STALL_MS })
  standingLinkRoutes(app, { context, jobs, publicUrl })
  healthRoutes(app, { ready: () => options.ready(), jobs, storage: context.storage, metrics, now })
  openApiRoutes(app, { publicUrl, version: options.version })
  answerUnknown(app, routes)
  options.log.debug({ routes: routes.all }, 'routes')
  return app
}

/** In a scope of its own: what a protocol adds to it, no other meets. */
async function mountProtocol(app: FastifyInstance, protocol: Protocol, authenticate: Authenticate): Promise<void> {
  await app.register(async (scope) => {
    scope.decorateRequest('principal', null)
    scope.addHook('onRequest', async (request) => {
      request.principal = await authenticate(request.headers, request.ip)
    })
    // Only Freight's own API is described at /openapi.json.
    scope.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true }
    })
    for (const mediaType of protocol.jsonTypes ?? []) acceptJson(scope, mediaType)
    await protocol.routes(scope)
  })
}

function createApp({ log, bodyLimitBytes }: HttpOptions, routes: RouteTable, forms: ErrorForms): FastifyInstance {
  const app = Fastify({
    loggerInstance: withoutSecrets(log),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => randomUUID(),
    bodyLimit: bodyLimitBytes ?? BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    trustProxy: false,
    // Answered by our own hooks, each in the form of its address.
    return503OnClosing: false,
    http: {
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    clientErrorHandler: answerRawErrors((path) => routes.allowed(path), forms, log),
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id).header('cache-control', 'no-store')
      // An id that is too long is an unknown id like any other.
      const unknown = error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      answerProblem(forms, unknown ? nothingHere() : error, request, reply)
    },
  })
  // Node drops header lines beyond its count in silence; `requests.ts` refuses them instead.
  app.server.maxHeadersCount = 0
  return app as unknown as FastifyInstance
}

function answerUnknown(app: FastifyInstance, routes: RouteTable): void {
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = routes.allowed(pathOf(request.raw.url))
    if (allowed.length === 0) throw nothingHere()
    reply.header('allow', allowed.join(', '))
    if (request.method === 'OPTIONS') return reply.code(204).send()
    throw new FreightError('METHOD_NOT_ALLOWED', `This address answers ${allowed.join(', ')}, not ${request.method}.`, {
      details: { allowed },
    })
  })
}

function nothingHere(): FreightError {
  return new FreightError('NOT_FOUND', 'There is nothing at this address.')
}

/** Resolves with the address listened on. Throws PORT_TAKEN, or CONFIG_INVALID for a host or port that cannot be had. */
export async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
    if (code === 'EADDRINUSE') throw new FreightError('PORT_TAKEN', `Port ${port} is taken; set PORT to a free one.`, { cause })
    if (code === 'EACCES')
      throw new FreightError('CONFIG_INVALID', `This user may not listen on port ${port}; set PORT to one above 1023.`, { cause })
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new FreightError('CONFIG_INVALID', `This machine has no address ${host}; set HOST to one it has.`, { cause })
    }
    throw cause
  }
}
