/** Freight's own API as a Fastify plugin: each route reads the wire, calls one verb of `exports/` and shows what it gave. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { CredentialHeaders } from '../../access/keys.ts'
import type { Principal } from '../../access/principal.ts'
import { cancelExport } from '../../exports/cancel.ts'
import type { ExportsContext } from '../../exports/context.ts'
import { createExport } from '../../exports/create.ts'
import { estimateExport } from '../../exports/estimate.ts'
import { listEvents } from '../../exports/events.ts'
import { getExport } from '../../exports/get.ts'
import { interruptExport } from '../../exports/interrupt.ts'
import { mintArchiveLink, mintLink } from '../../exports/link.ts'
import { listExports } from '../../exports/list.ts'
import { removeExport } from '../../exports/remove.ts'
import { listResources } from '../../exports/resources.ts'
import { startExport } from '../../exports/start.ts'
import { waitForEnd } from '../../exports/wait.ts'
import { FreightError } from '../../job/errors.ts'
import type { Job } from '../../job/job.ts'
import { isActive } from '../../job/transitions.ts'
import { goneSignal } from '../gone-signal.ts'
import { callerOf } from '../protocol.ts'
import { ExportSchema, ProblemSchema } from './answer-schemas.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { etagOf, matchesEtag } from './etag.ts'
import { EventStreams, nothingMore } from './events-stream.ts'
import { atWirePlace, readExport, readIdempotencyKey, readLastEventId, readWait, wantsEventStream } from './request.ts'
import type { ExportBody, ListQuery } from './request-schemas.ts'
import * as schemas from './route-schemas.ts'
import { type ExportView, viewEstimate, viewEvent, viewExport, viewResource } from './view.ts'

export interface FreightRoutesOptions {
  readonly context: ExportsContext
  /** Rejects with UNAUTHORIZED. */
  authenticate(headers: CredentialHeaders, address?: string): Promise<Principal>
  /** What every address begins with, without a trailing slash. */
  publicUrl(): string
}

type ById = { Params: { id: string } }
type WithBody = { Body: ExportBody }

const PAGE = 20

/** Errors are thrown as FreightErrors; the server's error handler writes them with `problemOf`. */
export async function freightRoutes(app: FastifyInstance, options: FreightRoutesOptions): Promise<void> {
  const streams = new EventStreams(options.context)
  const stopping = new AbortController()
  app.addHook('preClose', async () => {
    streams.stop()
    stopping.abort()
  })
  app.decorateRequest('principal', null)
  app.addHook('onRequest', async (request) => {
    request.principal = await options.authenticate(request.headers, request.ip)
  })
  app.addSchema(ExportSchema)
  app.addSchema(ProblemSchema)
  // The answers are made by view.ts; a serializer made from their schema would silently drop or turn what does not fit it.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  collectionRoutes(app, options, stopping.signal)
  exportRoutes(app, options.context)
  verbRoutes(app, options.context)
  eventRoutes(app, options, streams)
  fileRoutes(app, options)
}

function view({ now, queue }: ExportsContext, job: Job): ExportView {
  return viewExport(job, { now: now(), queuePosition: queue.position(job.id) })
}

function collectionRoutes(app: FastifyInstance, { context, publicUrl }: FreightRoutesOptions, stopping: AbortSignal): void {
  app.post<WithBody>('/exports', { schema: schemas.createSchema }, async (request, reply) => {
    const caller = callerOf(request)
    const key = readIdempotencyKey(request.headers['idempotency-key'])
    const input = { ...readExport(request.body), idempotency: key === null ? null : { key, body: request.body } }
    let job = await placed(request.body, () => createExport(context, caller, input))
    const seconds = readWait(request.headers.prefer)
    if (seconds !== null) {
      reply.header('preference-applied', `wait=${seconds}`)
      job = await waitForEnd(context, caller, job.id, seconds, AbortSignal.any([stopping, goneSignal(reply)]))
    }
    return reply.code(201).header('location', `${publicUrl()}/exports/${job.id}`).send(view(context, job))
  })

  app.get<{ Querystring: ListQuery }>('/exports', { schema: schemas.listSchema }, async (request) => {
    const { limit = PAGE, cursor, ...filter } = request.query
    const caller = callerOf(request)
    const before = cursor === undefined ? null : readCursor(cursor, caller.tenant, filter)
    const page = await listExports(context, caller, { filter, limit, before })
    return {
      data: page.jobs.map((job) => view(context, job)),
      next_cursor: page.nextBefore === null ? null : writeCursor(page.nextBefore, caller.tenant, filter),
    }
  })

  app.post<WithBody>('/exports/estimate', { schema: schemas.estimateSchema }, async (request) => {
    const { request: asked } = readExport(request.body)
    return viewEstimate(await placed(request.body, () => estimateExport(context, callerOf(request), asked)))
  })

  app.get('/resources', { schema: schemas.resourcesSchema }, async (request) => ({
    data: listResources(context, callerOf(request)).map(viewResource),
  }))
}

/** Runs a verb so that what it refuses names the place in the body as it was sent. */
async function placed<T>(body: ExportBody, verb: () => Promise<T>): Promise<T> {
  try {
    return await verb()
  } catch (thrown) {
    throw atWirePlace(thrown, body)
  }
}

function exportRoutes(app: FastifyInstance, context: ExportsContext): void {
  app.get<ById>('/exports/:id', { schema: schemas.getSchema }, async (request, reply) => {
    const job = await getExport(context, callerOf(request), request.params.id)
    const shown = view(context, job)
    const etag = etagOf(shown)
    reply.header('etag', etag)
    if (isActive(job.status)) reply.header('retry-after', retryAfterSeconds(shown, context.now()))
    if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return shown
  })

  app.delete<ById>('/exports/:id', { schema: schemas.removeSchema }, async (request, reply) => {
    await removeExport(context, callerOf(request), request.params.id)
    return reply.code(204).send()
  })
}

/** When to look again: at the expected end, but neither in a rush nor so late that a progress bar stands still. */
function retryAfterSeconds({ estimated_completion_at: expected }: ExportView, now: Date): number {
  if (expected === null) return 1
  return Math.min(10, Math.max(1, Math.ceil((Date.parse(expected) - now.getTime()) / 1000)))
}

function verbRoutes(app: FastifyInstance, context: ExportsContext): void {
  const verbs = [
    ['interrupt', schemas.interruptSchema, interruptExport],
    ['start', schemas.startSchema, startExport],
    ['cancel', schemas.cancelSchema, cancelExport],
  ] as const
  for (const [name, schema, verb] of verbs) {
    app.post<ById>(`/exports/:id/${name}`, { schema }, async (request) => {
      refuseBody(request.body)
      return view(context, await verb(context, callerOf(request), request.params.id))
    })
  }
}

/** A verb has nothing to say beyond its address: no body, or an empty object. */
function refuseBody(body: unknown): void {
  if (body === undefined || body === null) return
  if (typeof body === 'object' && !Array.isArray(body) && Object.keys(body).length === 0) return
  throw new FreightError('VALIDATION_FAILED', 'This address takes no body. Send none, or an empty object.', {
    details: { pointer: '' },
  })
}

function eventRoutes(app: FastifyInstance, { context, authenticate }: FreightRoutesOptions, streams: EventStreams): void {
  const config = { schema: schemas.eventsSchema, exposeHeadRoute: false }
  app.get<ById>('/exports/:id/events', config, async (request, reply) => {
    const caller = callerOf(request)
    if (!wantsEventStream(request.headers.accept)) {
      const events = await listEvents(context, caller, request.params.id, 0)
      return { data: events.map(viewEvent) }
    }
    const stream = {
      caller,
      job: await getExport(context, caller, request.params.id),
      afterSeq: readLastEventId(request.headers['last-event-id']),
      reauthenticate: () => authenticate(request.headers, request.ip),
    }
    if (await nothingMore(context, stream)) return reply.code(204).send()
    await streams.serve(reply, stream)
    return reply
  })
}

function fileRoutes(app: FastifyInstance, { context, publicUrl }: FreightRoutesOptions): void {
  const redirect = (reply: FastifyReply, link: string) =>
    // The link is a permission of its own: no cache may keep it.
    reply.header('cache-control', 'no-store').redirect(`${publicUrl()}${link}`, 302)
  app.get<ById>('/exports/:id/file', { schema: schemas.fileSchema }, async (request, reply) =>
    redirect(reply, await mintLink(context, callerOf(request), request.params.id, null)),
  )
  app.get<{ Params: { id: string; n: string } }>(
    '/exports/:id/files/:n',
    { schema: schemas.numberedFileSchema },
    async (request, reply) => {
      const { id, n } = request.params
      // What is no number is no file either: 0 is the one that no export has.
      const index = /^[1-9][0-9]{0,5}$/.test(n) ? Number(n) : 0
      return redirect(reply, await mintLink(context, callerOf(request), id, index))
    },
  )
  app.get<ById>('/exports/:id/files.zip', { schema: schemas.archiveSchema }, async (request, reply) =>
    redirect(reply, await mintArchiveLink(context, callerOf(request), request.params.id)),
  )
}
