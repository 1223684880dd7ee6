/**
 * How a wire protocol plugs into the HTTP server: the paths it owns, its routes as a Fastify plugin, and the form of its errors.
 *
 * The server does for every protocol what it does for Freight's own API: limits, strict headers and bodies, one log line. It finds out who is
 * calling before a route is reached. Whatever is refused below a protocol's paths, by a route or before one was found, is answered in that
 * protocol's form.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from '../access/principal.ts'
import type { ExportsContext } from '../exports/context.ts'
import { FreightError } from '../job/errors.ts'
import type { KeyStore } from '../store/store.ts'

/** What a protocol is made with, beside its own section of the configuration. */
export interface ProtocolSite {
  readonly context: ExportsContext
  /** What every address begins with, without a trailing slash. */
  publicUrl(): string
}

/** What messages that go out by themselves are made with: nobody is calling, so who may have what is looked up. */
export interface WebhookSite extends ProtocolSite {
  readonly keys: Pick<KeyStore, 'findKey'>
}

/** A request that is refused, before a protocol has given the refusal its form. */
export interface Refusal {
  /** Its message may be shown as it stands; its `cause` never. */
  readonly error: FreightError
  /** What HTTP calls it. 408, 416, 417 and 431 come with the code INVALID_REQUEST, since no code stands for them alone. */
  readonly status: number
  /** Those that go with the status: `retry-after`, `www-authenticate`. `allow` of a 405 is already on the answer. */
  readonly headers: Readonly<Record<string, string>>
  /** What was thrown: for a protocol whose routes have schemas, Fastify's own error with its `validation`. */
  readonly thrown: unknown
}

/** As much of the refused request as a form may need: also known where no route was found. */
export interface RefusedRequest {
  readonly id: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export interface RefusalAnswer {
  readonly status: number
  /** With `content-type`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type RefusalForm = (refusal: Refusal, request: RefusedRequest) => RefusalAnswer

export interface Protocol {
  /** As in the configuration; what a job remembers it by. */
  readonly name: string
  /** Beginnings of paths, without a trailing slash. Everything below one is answered in this protocol's form. */
  readonly paths: readonly string[]
  /** Media types of JSON bodies beside `application/json`. */
  readonly jsonTypes?: readonly string[]
  readonly refuse: RefusalForm
  /** `request.principal` is who is calling. `app.closing` aborts when the server stops: answers that wait end then. */
  routes(app: FastifyInstance): Promise<void>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null until it is known who is calling. */
    principal: Principal | null
  }
}

export function callerOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new FreightError('UNAUTHORIZED', 'A valid API key is needed.')
  return request.principal
}

/** Whether `path` is `beginning` or lies below it; a letter more makes it another word. */
export function isBelow(path: string, beginning: string): boolean {
  return path.startsWith(beginning) && !/^[A-Za-z0-9_.-]/.test(path.slice(beginning.length))
}
