/** Every error of the server as problem+json (RFC 9457) with a stable code and the request's id; nothing else of it leaves. */
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asFreightError, FreightError } from '../job/errors.ts'
import { problemOf } from '../protocols/freight/errors.ts'

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => answerProblem(thrown, request, reply))
}

export function answerProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = problemOf(thrown, request.id)
  if (status >= 500) logFault(thrown, status, request)
  return (
    reply
      .code(status)
      .headers(headers)
      .header('content-type', 'application/problem+json')
      // As bytes: neither does a route's response schema cut the body down to the members it knows, nor is a charset added, which
      // this media type does not have (RFC 9457, section 6.1).
      .send(Buffer.from(JSON.stringify(body)))
  )
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
