/** How much a caller may ask of this process: requests per minute, and nothing while it is blocked. In memory: each process counts its own. */
import { createHash } from 'node:crypto'
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticator, CredentialHeaders } from '../access/keys.ts'
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'

export type Authenticate = Authenticator['authenticate']

declare module 'fastify' {
  interface FastifyContextConfig {
    /** No limit of requests and no refusal under pressure: health, metrics, and downloads, which carry their own permission. */
    readonly unlimited?: boolean
  }
}

const MINUTE_MS = 60_000
const BLOCKED_MS = 1_000
/**
 * The mean delay of this long decides: a process that does one long task after the other is blocked, while one that stood still once (a
 * busy machine, a laptop that slept) has caught up and refuses nobody. With samples of 1 s a loaded 2-core machine flapped (tried).
 */
const PRESSURE_SAMPLE_MS = 5_000
const RETRY_SECONDS = 2
/** Keys that are remembered as good; beyond it the longest known is forgotten and counts by address once more. */
const REMEMBERED_KEYS = 10_000

/**
 * Which credentials were good lately, by hash. A known one has an allowance of its own; everything else shares that of its address, a
 * tenth as large: so guessing keys runs dry soon and never uses up what a caller with a key is allowed.
 */
class KnownKeys {
  readonly #callers = new Map<string, Caller>()

  remembering(authenticate: Authenticate): Authenticate {
    return async (headers, address) => {
      const credential = fingerprint(headers)
      try {
        const principal = await authenticate(headers, address)
        if (credential !== null) this.#remember(credential, principal)
        return principal
      } catch (error) {
        if (credential !== null) this.#callers.delete(credential)
        throw error
      }
    }
  }

  callerOf(headers: CredentialHeaders): Caller | null {
    const credential = fingerprint(headers)
    return credential === null ? null : (this.#callers.get(credential) ?? null)
  }

  #remember(credential: string, { id, tenant }: Caller): void {
    if (this.#callers.has(credential)) return
    const [oldest] = this.#callers.keys()
    if (this.#callers.size >= REMEMBERED_KEYS && oldest !== undefined) this.#callers.delete(oldest)
    this.#callers.set(credential, { id, tenant })
  }
}

type Caller = Pick<Principal, 'id' | 'tenant'>

/** The same for a header as text and as the list of its values. */
function fingerprint(headers: CredentialHeaders): string | null {
  const sent = [headers.authorization, headers['x-api-key'], headers['freight-api-key']]
  const values = sent.map((value) => [value ?? []].flat())
  return values.flat().length === 0 ? null : createHash('sha256').update(JSON.stringify(values)).digest('base64')
}

/** Must be awaited before routes are registered. Gives back `authenticate`, which from then on tells the limit who is known. */
export async function limitRequests(
  app: FastifyInstance,
  { authenticate, requestsPerMinute }: { authenticate: Authenticate; requestsPerMinute: number },
): Promise<Authenticate> {
  const known = new KnownKeys()
  const unknownPerMinute = Math.max(1, Math.ceil(requestsPerMinute / 10))
  await app.register(rateLimit, {
    global: false,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => keyOf(request, known),
    max: (_request, key) => (key.startsWith('key:') ? requestsPerMinute : unknownPerMinute),
    allowList: (request) => request.routeOptions.config.unlimited === true,
    enableDraftSpec: true,
    errorResponseBuilder: (request, { ttl }) => tooMany(keyOf(request, known), Math.max(1, Math.ceil(ttl / 1000))),
  })
  app.decorateRequest('lastKnownAs', null)
  // A hook of the whole server and the first one to ask, so that it also counts unknown addresses and refused keys.
  app.addHook('onRequest', app.rateLimit())
  return known.remembering(authenticate)
}

function keyOf(request: FastifyRequest, known: KnownKeys): string {
  const caller = known.callerOf(request.headers)
  request.lastKnownAs = caller
  return caller === null ? `address:${normalizeIP(request.ip)}` : `key:${caller.id}`
}

function tooMany(key: string, seconds: number): FreightError {
  return new FreightError('RATE_LIMITED', `Too many requests in this minute. Try again in ${seconds} s.`, {
    details: { retryAfterSeconds: seconds, subject: key.startsWith('key:') ? 'caller' : 'address' },
  })
}

export async function refuseWhenBlocked(app: FastifyInstance, sampleMs = PRESSURE_SAMPLE_MS): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: BLOCKED_MS,
    sampleInterval: sampleMs,
    pressureHandler: async (request) => {
      if (request.routeOptions.config.unlimited === true) return
      throw new FreightError('OVERLOADED', `The server is overloaded. Try again in ${RETRY_SECONDS} s.`, {
        details: { retryAfterSeconds: RETRY_SECONDS },
      })
    },
  })
}
