/** The API's description, made from the same schemas that validate, as OpenAPI 3.1 and as a page for people. */
import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { type ApiDocument, docsPage } from './docs-page.ts'
import { DOCS_STYLE } from './docs-style.ts'

export interface OpenApiOptions {
  publicUrl(): string
  readonly version: string
}

/** Must be awaited before the routes that it shall describe are registered. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Freight', version, description: 'Asynchronous exports: ask for rows, watch progress, download the file.' },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description:
              'An API key, as `freight keys create` makes it; a token that `POST /oauth/token` grants for one; or a token (JWT) of an issuer that the configuration names.',
          },
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'x-api-key',
            description: 'The same key, for clients that cannot send a bearer token.',
          },
          freightApiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'freight-api-key',
            description: 'The same, where x-api-key is taken by something else on the way.',
          },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }, { freightApiKey: [] }],
    },
    stripBasePath: false,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, count) => (typeof json.$id === 'string' ? json.$id : `schema-${count}`),
    },
  })
}

/** The page has no script at all, and its one style sheet is allowed by its hash. */
const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(DOCS_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function openApiRoutes(app: FastifyInstance, { publicUrl, version }: OpenApiOptions): void {
  const schema = { hide: true }
  const once = <T>(make: () => T): (() => T) => {
    let made: { value: T } | undefined
    return () => {
      made ??= { value: make() }
      return made.value
    }
  }
  const json = once(() => JSON.stringify({ ...app.swagger(), servers: [{ url: publicUrl() }] }))
  const page = once(() => docsPage(JSON.parse(json()) as ApiDocument, publicUrl()))

  app.get('/openapi.json', { schema }, async (_request, reply) => reply.type('application/json; charset=utf-8').send(json()))
  app.get('/docs', { schema }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', DOCS_POLICY).send(page()),
  )
  app.get('/', { schema }, async (request, reply) => {
    if (/\btext\/html\b/.test(request.headers.accept ?? '')) return reply.redirect(`${publicUrl()}/docs`, 303)
    return { name: 'freight', version, docs: `${publicUrl()}/docs`, openapi: `${publicUrl()}/openapi.json` }
  })
}
