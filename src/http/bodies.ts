/** Which bodies are read, and how: JSON in UTF-8, nothing else. What is refused is refused before its bytes are read. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FreightError } from '../job/errors.ts'
import { readJson } from './json-body.ts'

export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  acceptJson(app, 'application/json')
  // Clients send a Content-Type with a DELETE that has no body, of whatever type they use otherwise.
  app.addContentTypeParser('*', (request, _payload, done) => {
    done(hasBody(request) && !request.is404 ? unsupported('Send the body as application/json in UTF-8.') : null, undefined)
  })
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (hasBody(request) && !request.is404) checkEncoding(request)
    return payload
  })
}

export function acceptJson(app: FastifyInstance, mediaType: string): void {
  app.addContentTypeParser<Buffer>(mediaType, { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      done(null, bodyOf(request, bytes))
    } catch (refusal) {
      done(asFreightRefusal(refusal))
    }
  })
}

function bodyOf(request: FastifyRequest, bytes: Buffer): unknown {
  // Nobody reads the body of an unknown address; its answer is about the address.
  if (request.is404) return undefined
  if (bytes.length === 0 && mayBeEmpty(request)) return undefined
  return readJson(bytes)
}

/** DELETE, and a route whose schema lets the body be null or has none: no document is no fault there. */
function mayBeEmpty(request: FastifyRequest): boolean {
  const { type } = (request.routeOptions.schema?.body ?? { type: 'null' }) as { type?: unknown }
  return request.method === 'DELETE' || [type].flat().includes('null')
}

function asFreightRefusal(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('body', { cause: thrown })
}

function hasBody({ headers, method }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function checkEncoding({ headers }: FastifyRequest): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw unsupported('The body must be UTF-8: send Content-Type: application/json.')
  }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw unsupported('Compressed bodies are not read. Send the body without Content-Encoding.')
  }
}

function unsupported(message: string): FreightError {
  return new FreightError('UNSUPPORTED_MEDIA_TYPE', message)
}
