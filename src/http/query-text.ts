/** Path and query parameters are text: those a schema wants as number or boolean are turned into one, and only if they are written as one. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FreightError } from '../job/errors.ts'

const WRITTEN_AS: Readonly<Record<string, RegExp>> = {
  integer: /^-?(?:0|[1-9][0-9]{0,14})$/,
  number: /^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?$/,
  boolean: /^(?:true|false)$/,
}

interface TextSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown }>>
}

/** A parameter given twice is refused: first or last would be a guess. Runs before the schemas; bodies are never coerced. */
export function coerceParameters(app: FastifyInstance): void {
  app.addHook('preValidation', async (request: FastifyRequest) => {
    const { querystring, params } = (request.routeOptions.schema ?? {}) as { querystring?: TextSchema; params?: TextSchema }
    if (querystring) {
      refuseRepeated(request.query as Record<string, unknown>)
      coerce(request.query as Record<string, unknown>, querystring)
    }
    if (params) coerce(request.params as Record<string, unknown>, params)
  })
}

function refuseRepeated(query: Readonly<Record<string, unknown>>): void {
  const repeated = Object.keys(query).find((name) => Array.isArray(query[name]))
  if (repeated !== undefined) {
    throw new FreightError('VALIDATION_FAILED', `The query parameter ${repeated} is given more than once. Send it once.`, {
      details: { pointer: repeated },
    })
  }
}

function coerce(values: Record<string, unknown>, schema: TextSchema): void {
  for (const [name, { type }] of Object.entries(schema.properties ?? {})) {
    const text = values[name]
    if (typeof text === 'string' && typeof type === 'string' && WRITTEN_AS[type]?.test(text)) values[name] = JSON.parse(text)
  }
}
