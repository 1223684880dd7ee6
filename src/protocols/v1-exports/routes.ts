/** Which request calls which verb. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { assertMayWith } from '../../exports/access.ts'
import type { ExportsContext } from '../../exports/context.ts'
import { createExport } from '../../exports/create.ts'
import { mintArchiveLink, mintLink } from '../../exports/link.ts'
import { countMatching } from '../../exports/matching.ts'
import { removeExport } from '../../exports/remove.ts'
import { searchExports } from '../../exports/search.ts'
import { getServedExport } from '../../exports/served.ts'
import { FreightError } from '../../job/errors.ts'
import type { Job } from '../../job/job.ts'
import type { Deed } from '../../job/scopes.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { callerOf, type ProtocolSite } from '../protocol.ts'
import type { Messages } from './messages.ts'
import { type AskedFilters, readExport, readFilters, readId } from './request.ts'
import { viewExport } from './view.ts'

type ById = { Params: { id: string } }

/** The list has no pages on this wire; beyond so many its oldest are left out. */
const LISTED = 1_000
const ALL = { op: 'and', of: [] } as const

export function v1Routes(app: FastifyInstance, messages: Messages, { context, publicUrl }: ProtocolSite): void {
  const serves = (resource: string): boolean => resource === messages.resource
  const view = (job: Job) => viewExport(job, messages, context.now())
  const found = (request: FastifyRequest<ById>, deed: Deed): Promise<Job> =>
    notFoundAs('Export not found', () => getServedExport(context, callerOf(request), readId(request.params.id), serves, deed))

  app.post('/v1/exports', async (request, reply) => {
    const caller = callerOf(request)
    const key = readIdempotencyKey('v1-exports', request.headers['idempotency-key'])
    assertMayWith(context, caller, [messages.resource], 'write')
    const asked = readFilters(request.body)
    await assertEndpoint(context, caller, messages, asked)
    const input = { ...readExport(asked, messages), idempotency: key === null ? null : { key, body: request.body } }
    return answer(reply.code(201), view(await createExport(context, caller, input)))
  })

  app.get('/v1/exports', async (request, reply) => {
    const newest = { resources: [messages.resource], where: ALL, order: [], offset: 0, limit: LISTED }
    const { jobs } = await searchExports(context, callerOf(request), newest)
    return answer(reply, jobs.map(view))
  })

  app.get<ById>('/v1/exports/:id', async (request, reply) => answer(reply, view(await found(request, 'read'))))

  app.get<ById>('/v1/exports/:id/download', async (request, reply) => {
    const { id, files } = await found(request, 'download')
    const caller = callerOf(request)
    const link = await (files.length > 1 ? mintArchiveLink(context, caller, id) : mintLink(context, caller, id, null))
    return answer(reply.code(302).header('location', `${publicUrl()}${link}`), {})
  })

  app.delete<ById>('/v1/exports/:id', async (request, reply) => {
    const { id } = await found(request, 'write')
    await notFoundAs('Export not found', () => removeExport(context, callerOf(request), id))
    return reply.code(204).send()
  })
}

function answer(reply: FastifyReply, data: object): FastifyReply {
  return reply.send({ data, meta: { request_id: reply.request.id } })
}

async function notFoundAs<T>(message: string, verb: () => Promise<T>): Promise<T> {
  try {
    return await verb()
  } catch (thrown) {
    if (thrown instanceof FreightError && thrown.code === 'NOT_FOUND') throw new FreightError('NOT_FOUND', message)
    throw thrown
  }
}

/** An endpoint that is another tenant's is as unknown as one that does not exist. */
async function assertEndpoint(
  context: ExportsContext,
  caller: Principal,
  messages: Messages,
  asked: AskedFilters,
): Promise<void> {
  const { endpoints } = messages
  if (!endpoints || asked.endpoint_id === undefined) return
  const filters = { [`${endpoints.field}_eq`]: asked.endpoint_id }
  if ((await countMatching(context, caller, endpoints.resource, filters)) !== 0) return
  throw new FreightError('NOT_FOUND', 'endpoint not found', { details: { pointer: '/endpoint_id' } })
}
