/** Answers to what never becomes a request: bytes that Node's strict HTTP parser refuses, or that come too slowly. */
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyServerOptions } from 'fastify'
import type { Logger } from 'pino'
import { FreightError } from '../job/errors.ts'
import type { RefusalAnswer } from '../protocols/protocol.ts'
import { type ErrorForms, HttpFault, pathOf } from './problems.ts'

/** Methods of a path, by the route table. */
type Allowed = (path: string) => readonly string[]

/** How long a refused caller may take to read the answer and go. */
const LINGER_MS = 1_000

type ClientErrorHandler = NonNullable<FastifyServerOptions['clientErrorHandler']>

/** For Fastify's option of this name. */
export function answerRawErrors(allowed: Allowed, forms: ErrorForms, log: Logger): ClientErrorHandler {
  return (error, socket) => {
    // Node calls again for every further chunk of a broken request.
    if (!socket.writable || String(error.code) === 'ECONNRESET') return void socket.destroy()
    // An answer already begun must not have another one written into its middle.
    if ((socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent) return void socket.destroy()
    const packet: unknown = error.rawPacket
    const { thrown, path, allow } = faultOf(error.code, Buffer.isBuffer(packet) ? packet.toString('latin1') : '', allowed)
    const refusal = refusalOf(thrown, path, allow === '' ? {} : { allow }, forms)
    log.info({ status: refusal.status, reason: error.code }, 'refused what is no HTTP request')
    refuse(socket, refusal)
  }
}

export function answerExpectations(server: Server, forms: ErrorForms): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const fault = new HttpFault(417, 'Of all expectations only 100-continue is met.')
    const { status, headers, body } = refusalOf(fault, pathOf(request.url), {}, forms)
    response.writeHead(status, headers).end(body)
  })
}

interface Fault {
  readonly thrown: FreightError | HttpFault
  /** Empty where the bytes do not tell it. */
  readonly path: string
  readonly allow: string
}

/** What a packet begins with, as far as it came. */
const TARGET = /^[A-Za-z-]+ ([^\s?#]+)/
const REQUEST_LINE = /^[A-Za-z-]+ [^\s]+ HTTP\/1\.[01]\r?\n/

function faultOf(reason: string, packet: string, allowed: Allowed): Fault {
  const path = TARGET.exec(packet)?.[1] ?? ''
  const fault = (thrown: FreightError | HttpFault): Fault => ({ thrown, path, allow: '' })
  if (reason === 'HPE_HEADER_OVERFLOW') {
    // The parser counts the address among the headers; the first line tells which of them was too long.
    if (packet.slice(0, 8_192).includes('\n')) return fault(new HttpFault(431, 'The request headers are larger than 16 KiB.'))
    return fault(new FreightError('URI_TOO_LONG', 'The address is longer than 8 KiB.'))
  }
  if (reason === 'ERR_HTTP_REQUEST_TIMEOUT') return fault(new HttpFault(408, 'The request did not arrive in time.'))
  const allow = reason === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(packet) ? allowed(path).join(', ') : ''
  if (allow === '') return fault(new FreightError('INVALID_REQUEST', 'This is not a well-formed HTTP/1.1 request.'))
  return { thrown: new FreightError('METHOD_NOT_ALLOWED', `This address answers ${allow}.`), path, allow }
}

function refusalOf(thrown: unknown, path: string, headers: Record<string, string>, forms: ErrorForms): RefusalAnswer {
  const id = randomUUID()
  const answer = forms.answer(thrown, { id, method: '', path, headers: {} })
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'content-length': String(Buffer.byteLength(answer.body)),
      'x-request-id': id,
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...headers,
    },
  }
}

function refuse(socket: Socket, { status, headers, body }: RefusalAnswer): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  // Destroyed at once, what the caller still sends would be answered with a reset that can overtake the answer.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
