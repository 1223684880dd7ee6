/** The token endpoint on the wire (RFC 6749, sections 4.4 and 5), the keys that verify its tokens (RFC 7517), and where both are (RFC 8414). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError, type OAuthServer } from '../access/oauth.ts'
import type { SigningKeys } from '../access/signing-keys.ts'
import { FreightError } from '../job/errors.ts'
import type { AuditStore } from '../store/store.ts'

export interface OAuthRoutesOptions {
  readonly server: OAuthServer
  readonly keys: Pick<SigningKeys, 'published'>
  readonly audit: Pick<AuditStore, 'addAudit'>
  publicUrl(): string
}

const MOST_BYTES = 16 * 1024
/** Verifiers may keep the keys for so long: a new one is used at once, and a verifier that does not know it asks again. */
const KEYS_MAX_AGE_SECONDS = 300

export async function oauthRoutes(app: FastifyInstance, options: OAuthRoutesOptions): Promise<void> {
  app.addContentTypeParser<string>('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, readForm(text))
    } catch (refusal) {
      done(refusal instanceof Error ? refusal : new Error('form'), undefined)
    }
  })
  app.setErrorHandler((thrown, _request, reply) => refuse(thrown, reply))
  const schema = { hide: true }
  app.post('/oauth/token', { schema, bodyLimit: MOST_BYTES }, async (request, reply) => grant(request, reply, options))
  app.get('/.well-known/jwks.json', { schema }, async (_request, reply) =>
    reply
      .header('cache-control', `public, max-age=${KEYS_MAX_AGE_SECONDS}`)
      .type('application/jwk-set+json')
      .send(JSON.stringify(await options.keys.published())),
  )
  app.get('/.well-known/oauth-authorization-server', { schema }, async () => metadata(options.publicUrl()))
}

async function grant(request: FastifyRequest, reply: FastifyReply, { server, audit }: OAuthRoutesOptions): Promise<FastifyReply> {
  // Addresses are kept in logs and histories, where no secret may stand.
  if (request.raw.url?.includes('?'))
    throw new OAuthError('invalid_request', 'Send every parameter in the body, none in the address.')
  const granted = await server.grant({ authorization: request.headers.authorization, parameters: parametersOf(request.body) })
  const { accessToken, expiresInSeconds, scope, createdAt, client } = granted
  const actor = { by: client.id, from: request.ip }
  await audit.addAudit({ at: createdAt, tenant: client.tenant, action: 'token_granted', actor, exportId: null, data: { scope } })
  return reply.headers(UNCACHED).send({
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    scope,
    // Not in the RFC; clients of api-exports read it.
    created_at: Math.floor(createdAt.getTime() / 1000),
  })
}

const UNCACHED = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** RFC 6749, section 3.2: no parameter more than once, and one without a value counts as left out. */
function readForm(text: string): Record<string, string> {
  const parameters = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) throw new OAuthError('invalid_request', 'A parameter is given more than once.')
    parameters.set(name, value)
  }
  return Object.fromEntries(parameters)
}

function parametersOf(body: unknown): ReadonlyMap<string, string> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new OAuthError('invalid_request', 'Send the parameters as a form, or as one JSON object.')
  }
  const given = Object.entries(body).filter(([, value]) => value !== '' && value !== null)
  const texts = given.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  if (texts.length < given.length) throw new OAuthError('invalid_request', 'Every parameter is text.')
  return new Map(texts)
}

/** What the request as such has against it; anything else, such as a limit, is answered as everywhere. */
const MALFORMED: ReadonlySet<string> = new Set(['INVALID_JSON', 'INVALID_REQUEST', 'VALIDATION_FAILED', 'UNSUPPORTED_MEDIA_TYPE'])

function refuse(thrown: unknown, reply: FastifyReply): FastifyReply {
  if (thrown instanceof OAuthError) {
    if (thrown.code === 'invalid_client') reply.header('www-authenticate', 'Basic realm="freight"')
    const body = { error: thrown.code, error_description: thrown.message }
    return reply
      .code(thrown.code === 'invalid_client' ? 401 : 400)
      .headers(UNCACHED)
      .send(body)
  }
  if (thrown instanceof FreightError && MALFORMED.has(thrown.code)) {
    return reply.code(400).headers(UNCACHED).send({ error: 'invalid_request', error_description: thrown.message })
  }
  throw thrown
}

function metadata(publicUrl: string): Record<string, unknown> {
  return {
    issuer: publicUrl,
    token_endpoint: `${publicUrl}/oauth/token`,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  }
}
