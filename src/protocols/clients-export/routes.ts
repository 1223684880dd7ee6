/** Which request calls which verb. */
import type { FastifyInstance } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { assertMayWith } from '../../exports/access.ts'
import { createExport } from '../../exports/create.ts'
import { listResources } from '../../exports/resources.ts'
import { getServedExport } from '../../exports/served.ts'
import { standingLink } from '../../exports/standing-link.ts'
import { waitForEnd } from '../../exports/wait.ts'
import type { Job } from '../../job/job.ts'
import { goneSignal } from '../gone-signal.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import type { ProtocolSite } from '../protocol.ts'
import { type Clients, clientsFor } from './clients.ts'
import { mappingRoutes } from './mapping-routes.ts'
import { findMapping } from './mappings.ts'
import { mappingCodeIn, readExport } from './request.ts'
import { addressBelow, callerAt, type OfTenant, PREFIXES } from './tenant-address.ts'
import { viewJob } from './view.ts'

const EXPORTS = '/clients/export/csv'

type ByCode = { Params: { tenant?: string; code: string } }

export function clientsRoutes(app: FastifyInstance, clients: Clients, site: ProtocolSite): void {
  for (const prefix of PREFIXES) {
    exportRoutes(app, prefix, clients, site)
    mappingRoutes(app, prefix, clients, site)
  }
}

function exportRoutes(app: FastifyInstance, prefix: string, clients: Clients, { context, publicUrl }: ProtocolSite): void {
  const serves = (resource: string): boolean => resource === clients.resource
  const view = (caller: Principal, job: Job) => {
    const link = standingLink(context, caller, job, context.now())
    return viewJob(job, link === null ? null : `${publicUrl()}${link}`)
  }

  app.post<OfTenant>(`${prefix}${EXPORTS}`, async (request, reply) => {
    const caller = callerAt(request, clients)
    assertMayWith(context, caller, [clients.resource], 'write')
    const key = readIdempotencyKey('clients-export', request.headers['idempotency-key'])
    const code = mappingCodeIn(request.body)
    const own = clientsFor(clients, listResources(context, caller))
    const named = code === null ? null : await findMapping(context, caller, own, code, 'write')
    const input = { ...readExport(request.body, own, named), idempotency: key === null ? null : { key, body: request.body } }
    const { id } = await createExport(context, caller, input)
    const over = AbortSignal.any([app.closing, goneSignal(reply)])
    const shown = view(caller, await waitForEnd(context, caller, id, clients.waitSeconds, over))
    // 201 is for the caller who needs not come back: there is a file. Whatever else has come of it, the status says.
    if (shown.downloadUrl !== null) return reply.code(201).send(shown)
    return reply
      .code(202)
      .header('location', `${publicUrl()}${addressBelow(prefix, request)}${EXPORTS}/${id}`)
      .send(shown)
  })

  app.get<ByCode>(`${prefix}${EXPORTS}/:code`, async (request) => {
    const caller = callerAt(request, clients)
    return view(caller, await getServedExport(context, caller, request.params.code.toLowerCase(), serves))
  })
}
