/** What holds for every request: its own id, well-formed headers, answers that no cache keeps, one line in the log. */
import { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { FreightError } from '../job/errors.ts'
import type { Metrics } from './metrics.ts'
import { HttpFault } from './problems.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborts when the server begins to close: long answers end themselves then. */
    readonly closing: AbortSignal
  }
  interface FastifyContextConfig {
    /** Asked every few seconds by machines: logged at debug only. */
    readonly quiet?: boolean
  }
}

const MAX_URL_LENGTH = 8_192
/** A browser sends about 20, a chain of proxies a few more. */
const MAX_HEADERS = 100
/** Given once or not at all; of two, readers disagree on which one counts. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'x-api-key',
  'freight-api-key',
  'content-type',
  'idempotency-key',
])
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'freight-api-key'])
/** Visible ASCII, space and tab (RFC 9110, section 5.5, without obs-text, which has no agreed meaning). */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/

export function watchRequests(app: FastifyInstance, { metrics, closeGraceMs }: { metrics: Metrics; closeGraceMs: number }): void {
  endLongAnswers(app, closeGraceMs)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    // `close` comes once for every answer, also for one whose reader went away half-way.
    reply.raw.once('close', () => {
      record(request, reply, metrics)
      // An answer that was under way when the server began to close leaves its connection idle, and nobody else would end it.
      if (app.closing.aborted && request.raw.socket instanceof Socket) request.raw.socket.end()
    })
    checkRequest(request)
    if (app.closing.aborted)
      throw new FreightError('SHUTTING_DOWN', 'The server is stopping. Try again.', { details: { retryAfterSeconds: 2 } })
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    if (!reply.hasHeader('cache-control')) {
      reply.header('cache-control', reply.hasHeader('etag') ? 'private, max-age=0, must-revalidate' : 'no-store')
    }
    return payload
  })
}

function endLongAnswers(app: FastifyInstance, graceMs: number): void {
  const closing = new AbortController()
  let grace: NodeJS.Timeout | undefined
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  app.decorate('closing', closing.signal)
  app.addHook('preClose', async () => {
    closing.abort()
    // Clients open spare connections and never use them; to the server they are not idle, and it would wait for them.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    // A download may take hours; its reader comes back with a Range.
    grace = setTimeout(() => app.server.closeAllConnections(), graceMs)
  })
  app.addHook('onClose', async () => clearTimeout(grace))
}

function checkRequest({ raw, headers }: FastifyRequest): void {
  if (raw.rawHeaders.length > 2 * MAX_HEADERS) throw new HttpFault(431, `The request has more than ${MAX_HEADERS} headers.`)
  const url = raw.url ?? ''
  if (url.length > MAX_URL_LENGTH) throw new FreightError('URI_TOO_LONG', 'The address is longer than 8 KiB.')
  if (!/^(?:\/|https?:\/\/)/i.test(url)) throw new FreightError('INVALID_REQUEST', 'The address must begin with a slash.')
  if (raw.httpVersion !== '1.1' && raw.httpVersion !== '1.0') {
    throw new FreightError('INVALID_REQUEST', 'This server speaks HTTP/1.1.')
  }
  const seen = new Set<string>()
  for (let at = 0; at < raw.rawHeaders.length; at += 2) {
    const name = (raw.rawHeaders[at] ?? '').toLowerCase()
    if (!HEADER_VALUE.test(raw.rawHeaders[at + 1] ?? '')) {
      throw new FreightError('INVALID_REQUEST', `The header ${name} holds characters other than visible ASCII.`)
    }
    if (SINGLE_HEADERS.has(name) && seen.has(name)) throw repeated(name)
    seen.add(name)
  }
  if (raw.httpVersion === '1.1' && headers.host === undefined) {
    throw new FreightError('INVALID_REQUEST', 'The header host is missing, which HTTP/1.1 requires.')
  }
}

function repeated(name: string): FreightError {
  const message = `The header ${name} is given more than once. Send it once.`
  if (name === 'idempotency-key') return new FreightError('IDEMPOTENCY_KEY_INVALID', message)
  return new FreightError(CREDENTIALS.has(name) ? 'UNAUTHORIZED' : 'INVALID_REQUEST', message)
}

/** Never the address as asked for: a download's holds a signature, any other what a stranger chose to write. */
function record(request: FastifyRequest, reply: FastifyReply, metrics: Metrics): void {
  const route = request.routeOptions.url ?? 'none'
  const { statusCode: status, elapsedTime } = reply
  const method = request.is404 ? 'other' : request.method
  metrics.observeRequest({ method, route, status, seconds: elapsedTime / 1000 })
  const line = { method: request.method, route, status, ms: Math.round(elapsedTime * 10) / 10, whole: reply.raw.writableFinished }
  if (request.routeOptions.config.quiet === true) request.log.debug(line, 'request')
  else request.log.info(line, 'request')
}
