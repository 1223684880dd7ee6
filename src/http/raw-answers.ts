/** Answers to what never becomes a request: bytes that Node's strict HTTP parser refuses, or that come too slowly. */
import { randomUUID } from 'node:crypto'
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyServerOptions } from 'fastify'
import type { Logger } from 'pino'
import { FreightError } from '../job/errors.ts'
import { problemOf } from '../protocols/freight/errors.ts'
import { protocolProblem } from './problems.ts'

/** Methods of a path, by the route table. */
type Allowed = (path: string) => readonly string[]

interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How long a refused caller may take to read the answer and go. */
const LINGER_MS = 1_000

type ClientErrorHandler = NonNullable<FastifyServerOptions['clientErrorHandler']>

/** For Fastify's option of this name. */
export function answerRawErrors(allowed: Allowed, log: Logger): ClientErrorHandler {
  return (error, socket) => {
    // Node calls again for every further chunk of a broken request.
    if (!socket.writable || String(error.code) === 'ECONNRESET') return void socket.destroy()
    // An answer already begun must not have another one written into its middle.
    if ((socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent) return void socket.destroy()
    const packet: unknown = error.rawPacket
    const refusal = refusalOf(error.code, Buffer.isBuffer(packet) ? packet.toString('latin1') : '', allowed)
    log.info({ status: refusal.status, reason: error.code }, 'refused what is no HTTP request')
    refuse(socket, refusal)
  }
}

export function answerExpectations(server: Server): void {
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    const { status, headers, body } = ofStatus(417, 'Of all expectations only 100-continue is met.')
    response.writeHead(status, headers).end(body)
  })
}

function refusalOf(reason: string, packet: string, allowed: Allowed): Refusal {
  if (reason === 'HPE_HEADER_OVERFLOW') {
    // The parser counts the address among the headers; the first line tells which of them was too long.
    if (packet.slice(0, 8_192).includes('\n')) return ofStatus(431, 'The request headers are larger than 16 KiB.')
    return ofError(new FreightError('URI_TOO_LONG', 'The address is longer than 8 KiB.'))
  }
  if (reason === 'ERR_HTTP_REQUEST_TIMEOUT') return ofStatus(408, 'The request did not arrive in time.')
  const path = reason === 'HPE_INVALID_METHOD' ? /^[A-Za-z-]+ ([^ ?#]+)\S* HTTP\/1\.[01]\r?\n/.exec(packet)?.[1] : undefined
  const allow = path === undefined ? '' : allowed(path).join(', ')
  if (allow === '') return ofError(new FreightError('INVALID_REQUEST', 'This is not a well-formed HTTP/1.1 request.'))
  return ofError(new FreightError('METHOD_NOT_ALLOWED', `This address answers ${allow}.`), { Allow: allow })
}

function ofError(error: FreightError, headers: Record<string, string> = {}): Refusal {
  const id = randomUUID()
  const { status, body } = problemOf(error, id)
  return refusal(status, body, id, headers)
}

function ofStatus(status: number, detail: string): Refusal {
  const id = randomUUID()
  return refusal(status, protocolProblem(status, detail, id), id, {})
}

function refusal(status: number, problem: object, id: string, headers: Record<string, string>): Refusal {
  const body = JSON.stringify(problem)
  return {
    status,
    body,
    headers: {
      'Content-Type': 'application/problem+json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
      'X-Content-Type-Options': 'nosniff',
      Connection: 'close',
      ...headers,
    },
  }
}

function refuse(socket: Socket, { status, headers, body }: Refusal): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  // Destroyed at once, what the caller still sends would be answered with a reset that can overtake the answer.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
