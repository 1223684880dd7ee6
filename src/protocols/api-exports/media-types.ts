/** The one media type that this protocol speaks, on the way in and out (JSON:API 1.0, section 5). */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FreightError } from '../../job/errors.ts'
import { MEDIA_TYPE } from './errors.ts'

const ACCEPTED = new Set([MEDIA_TYPE, 'application/*', '*/*'])

export function speakOnlyJsonApi(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    if (headers.accept !== undefined && !accepts(headers.accept)) {
      throw new FreightError('NOT_ACCEPTABLE', `All requests must use the '${MEDIA_TYPE}' Accept without media type parameters.`)
    }
  })
  app.addHook('preValidation', async (request) => {
    if ((request.method === 'POST' || request.method === 'PATCH') && !isJsonApi(request)) {
      const detail = `All requests that create or update must use the '${MEDIA_TYPE}' Content-Type.`
      throw new FreightError('UNSUPPORTED_MEDIA_TYPE', detail)
    }
  })
}

/** A charset is harmless, and common clients add one; every other parameter asks for something that is not offered. */
function isJsonApi({ headers }: FastifyRequest): boolean {
  return /^application\/vnd\.api\+json\s*(?:;\s*charset="?utf-?8"?\s*)?$/i.test(headers['content-type'] ?? '')
}

function accepts(header: string): boolean {
  return header.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((text) => text.trim().toLowerCase())
    return ACCEPTED.has(type) && !parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter))
  })
}
