/**
 * Every error of the server in the form of whoever owns the address: a wire protocol's own, else problem+json (RFC 9457) with a stable
 * code and the request's id. Nothing else of an error leaves.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asFreightError, FreightError } from '../job/errors.ts'
import { problemOf, refusalOf } from '../protocols/freight/errors.ts'
import { isBelow, type Protocol, type RefusalAnswer, type RefusedRequest } from '../protocols/protocol.ts'

/** An error of HTTP itself that no code of Freight's stands for alone: 408, 416, 417, 431. */
export class HttpFault extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** Whose form an error takes. */
export class ErrorForms {
  readonly #protocols: readonly Protocol[]

  constructor(protocols: readonly Protocol[]) {
    this.#protocols = protocols
  }

  /** `thrown` may be anything; what is no error of Freight's, of HTTP or of Fastify's gives nothing away. */
  answer(thrown: unknown, request: RefusedRequest): RefusalAnswer {
    const owner = this.#protocols.find(({ paths }) => paths.some((beginning) => isBelow(request.path, beginning)))
    if (!owner) return problemAnswer(thrown, request.id)
    if (!(thrown instanceof HttpFault)) return owner.refuse(refusalOf(thrown), request)
    const error = new FreightError('INVALID_REQUEST', thrown.message)
    return owner.refuse({ error, status: thrown.status, headers: { 'cache-control': 'no-store' }, thrown }, request)
  }
}

function problemAnswer(thrown: unknown, requestId: string): RefusalAnswer {
  if (thrown instanceof HttpFault) {
    const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
    return { status: thrown.status, headers, body: JSON.stringify(protocolProblem(thrown.status, thrown.message, requestId)) }
  }
  const { status, headers, body } = problemOf(thrown, requestId)
  return { status, headers, body: JSON.stringify(body) }
}

export function answerErrors(app: FastifyInstance, forms: ErrorForms): void {
  app.setErrorHandler((thrown, request, reply) => answerProblem(forms, thrown, request, reply))
}

export function answerProblem(forms: ErrorForms, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { id, method, headers: sent } = request
  const { status, headers, body } = forms.answer(thrown, { id, method, path: pathOf(request.raw.url), headers: sent })
  if (status >= 500) logFault(thrown, status, request)
  // As bytes: neither does a route's response schema cut the body down to the members it knows, nor is a charset added, which
  // problem+json does not have (RFC 9457, section 6.1).
  return reply.code(status).headers(headers).send(Buffer.from(body))
}

/** Of an address as it came. */
export function pathOf(url: string | undefined): string {
  const [path = ''] = (url ?? '').split(/[?#]/)
  return path
}

/** The cause goes here and nowhere else. A fault of the moment (503, 507) is somebody else's, and expected to pass. */
function logFault(thrown: unknown, status: number, request: FastifyRequest): void {
  const { code, message, cause } = asFreightError(thrown)
  const line = { code, err: cause }
  if (status === 500) request.log.error(line, message)
  else request.log.warn(line, message)
}

/** For the statuses of HTTP itself that no code of Freight's stands for alone: 408, 416, 417, 431. */
export function protocolProblem(status: number, detail: string, requestId: string): Readonly<Record<string, unknown>> {
  const { body } = problemOf(new FreightError('INVALID_REQUEST', detail), requestId)
  return { ...body, title: STATUS_CODES[status] ?? body.title, status }
}
