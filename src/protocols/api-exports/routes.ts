/** api-exports as a Fastify plugin: each route reads the wire, calls the verbs of `exports/` and shows what they gave. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { amendExport } from '../../exports/amend.ts'
import { createExport } from '../../exports/create.ts'
import { interruptExport } from '../../exports/interrupt.ts'
import { removeExport } from '../../exports/remove.ts'
import { listResources } from '../../exports/resources.ts'
import { searchExports } from '../../exports/search.ts'
import { findServedExport, type Served } from '../../exports/served.ts'
import { startExport } from '../../exports/start.ts'
import { claimValues } from '../../job/claims.ts'
import { FreightError } from '../../job/errors.ts'
import type { Job } from '../../job/job.ts'
import { callerOf, type ProtocolSite } from '../protocol.ts'
import { entriesDocument, exportDocument, exportsDocument, linkageDocument } from './document.ts'
import { EVENT_ATTRIBUTES, EVENT_STORE_ATTRIBUTES, VERSION_ATTRIBUTES } from './entries.ts'
import { invalidAttribute, MEDIA_TYPE } from './errors.ts'
import { ENTRY_SORTS, EXPORT_FILTERS, EXPORT_SORTS, entryFilters, pageOfEntries, searchOf } from './list-search.ts'
import { speakOnlyJsonApi } from './media-types.ts'
import { type QueryRules, RELATIONSHIPS, readQuery } from './query.ts'
import { atWirePlace, type ReadUpdate, readCreate, readUpdate } from './request.ts'
import type { ApiExportsSettings } from './settings.ts'
import { Showing } from './showing.ts'
import { EXPORT_ATTRIBUTES, wireStatus } from './view.ts'

export const PATH = '/api/exports'

export interface RoutesSite extends ProtocolSite {
  readonly settings: ApiExportsSettings
}

type ById = { Params: { id: string } }

const ENTRY_NAMES = { events: EVENT_ATTRIBUTES, versions: VERSION_ATTRIBUTES, event_stores: EVENT_STORE_ATTRIBUTES } as const
const DOCUMENT_FIELDS = new Map<string, readonly string[]>([
  ['exports', [...EXPORT_ATTRIBUTES, ...RELATIONSHIPS]],
  ...RELATIONSHIPS.map((type): [string, readonly string[]] => [type, ENTRY_NAMES[type]]),
])
const DOCUMENT: QueryRules = { include: 'relationships', fields: DOCUMENT_FIELDS, list: null }
const LIST: QueryRules = { ...DOCUMENT, list: { filters: EXPORT_FILTERS, sorts: EXPORT_SORTS } }
const NOTHING: QueryRules = { include: 'nothing', fields: new Map(), list: null }

export async function apiExportsRoutes(app: FastifyInstance, site: RoutesSite): Promise<void> {
  speakOnlyJsonApi(app)
  app.addHook('onSend', async (_request, reply, payload) => {
    nameRateLimit(reply)
    return payload
  })
  const served = new Set(Object.values(site.settings.resources))
  const serves: Served = (resource) => served.has(resource)
  const showing = new Showing(site, `${PATH}`)
  collectionRoutes(app, site, showing)
  exportRoutes(app, site, showing, serves)
  entryRoutes(app, site, showing, serves)
}

/** The names under which this protocol's clients look for the request limit. */
function nameRateLimit(reply: FastifyReply): void {
  const limit = reply.getHeader('ratelimit-limit')
  if (limit === undefined) return
  reply.header('x-ratelimit-limit', limit).header('x-ratelimit-interval', 60)
  reply.header('x-ratelimit-remaining', reply.getHeader('ratelimit-remaining') ?? 0)
}

function answer(reply: FastifyReply, document: unknown): FastifyReply {
  // As bytes: no charset is added, which this media type does not have.
  return reply.header('content-type', MEDIA_TYPE).send(Buffer.from(JSON.stringify(document)))
}

function queryOf(request: FastifyRequest, rules: QueryRules) {
  return readQuery(request.query as Record<string, unknown>, rules)
}

/** Without the question mark. */
function rawQueryOf({ raw }: FastifyRequest): string {
  const url = raw.url ?? ''
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1)
}

function collectionRoutes(app: FastifyInstance, site: RoutesSite, showing: Showing): void {
  const { context, settings } = site
  app.post(PATH, async (request, reply) => {
    const caller = callerOf(request)
    const query = queryOf(request, DOCUMENT)
    const resources = listResources(context, caller)
    const { input, sent } = readCreate(request.body, { settings, resources, claim: (path) => claimValues(caller.claims, path) })
    const job = await createExport(context, caller, input).catch((thrown: unknown) => {
      throw atWirePlace(thrown, sent)
    })
    const document = exportDocument(await showing.shown(caller, job, query.include), query, showing.base)
    return answer(reply.code(201).header('location', document.data.links.self), document)
  })

  app.get(PATH, async (request, reply) => {
    const caller = callerOf(request)
    const query = queryOf(request, LIST)
    const { jobs, total } = await searchExports(context, caller, searchOf(query, settings))
    const shown = await Promise.all(jobs.map((job) => showing.shown(caller, job, query.include)))
    const page = { ...query.page, total, address: showing.base, rawQuery: rawQueryOf(request) }
    return answer(reply, exportsDocument(shown, query, showing.base, page))
  })
}

function exportRoutes(app: FastifyInstance, { context }: RoutesSite, showing: Showing, serves: Served): void {
  app.get<ById>(`${PATH}/:id`, async (request, reply) => {
    const caller = callerOf(request)
    const query = queryOf(request, DOCUMENT)
    const job = await findServedExport(context, caller, request.params.id, serves)
    return answer(reply, exportDocument(await showing.shown(caller, job, query.include), query, showing.base))
  })

  app.patch<ById>(`${PATH}/:id`, async (request, reply) => {
    const caller = callerOf(request)
    const query = queryOf(request, DOCUMENT)
    const job = await findServedExport(context, caller, request.params.id, serves)
    const updated = await update(context, caller, job, readUpdate(request.body, job.shortId))
    return answer(reply, exportDocument(await showing.shown(caller, updated, query.include), query, showing.base))
  })

  app.delete<ById>(`${PATH}/:id`, async (request, reply) => {
    const caller = callerOf(request)
    queryOf(request, NOTHING)
    const job = await findServedExport(context, caller, request.params.id, serves)
    await removeExport(context, caller, job.id)
    return reply.code(204).send()
  })
}

/** The verb first: where it is refused, nothing has changed. */
async function update(
  context: RoutesSite['context'],
  caller: Principal,
  job: Job,
  { verb, amendment }: ReadUpdate,
): Promise<Job> {
  // Freight's own API starts failed exports again; this protocol knows only interrupted ones.
  if (verb === 'start' && job.status === 'failed') throw notNow(verb, job.status)
  let updated = job
  try {
    if (verb === 'start') updated = await startExport(context, caller, job.id)
    if (verb === 'interrupt') updated = await interruptExport(context, caller, job.id)
  } catch (thrown) {
    const isIllegal = thrown instanceof FreightError && thrown.code === 'TRANSITION_ILLEGAL'
    throw isIllegal ? notNow(verb ?? '', (thrown.details.status ?? job.status) as Job['status']) : thrown
  }
  return Object.keys(amendment).length === 0 ? updated : amendExport(context, caller, job.id, amendment)
}

function notNow(verb: string, status: Job['status']): Error {
  const shown = wireStatus(status)
  return invalidAttribute(`_${verb}`, `is not possible while the export is ${shown}`, {
    error: 'invalid',
    value: true,
    status: shown,
  })
}

function entryRoutes(app: FastifyInstance, { context }: RoutesSite, showing: Showing, serves: Served): void {
  for (const type of RELATIONSHIPS) {
    const names = ENTRY_NAMES[type]
    const rules: QueryRules = {
      include: 'nothing',
      fields: new Map([[type, names]]),
      list: { filters: entryFilters(names), sorts: ENTRY_SORTS },
    }
    app.get<ById>(`${PATH}/:id/${type}`, async (request, reply) => {
      const caller = callerOf(request)
      const query = queryOf(request, rules)
      const job = await findServedExport(context, caller, request.params.id, serves)
      const { page, total } = pageOfEntries(await showing.entries(caller, job, type), query)
      const address = `${showing.base}/${job.shortId}/${type}`
      const facts = { ...query.page, total, address, rawQuery: rawQueryOf(request) }
      return answer(reply, entriesDocument(type, page, job.mode, query.fields, facts))
    })
    app.get<ById>(`${PATH}/:id/relationships/${type}`, async (request, reply) => {
      const caller = callerOf(request)
      queryOf(request, NOTHING)
      const job = await findServedExport(context, caller, request.params.id, serves)
      const self = `${showing.base}/${job.shortId}`
      const entries = await showing.entries(caller, job, type)
      return answer(reply, linkageDocument(type, entries, `${self}/relationships/${type}`, `${self}/${type}`))
    })
  }
}
