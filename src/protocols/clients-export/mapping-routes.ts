/** Which request reads or changes which mapping. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { assertMayWith } from '../../exports/access.ts'
import { listResources } from '../../exports/resources.ts'
import { changeTemplate, removeTemplate, saveTemplate } from '../../exports/templates.ts'
import { FreightError } from '../../job/errors.ts'
import type { ProtocolSite } from '../protocol.ts'
import { refusal } from './body.ts'
import { type Clients, clientsFor } from './clients.ts'
import { readChangedMapping, readNewMapping, readPage } from './mapping-request.ts'
import { allMappings, findMapping, MAPPING_KIND, savedMapping } from './mappings.ts'
import { addressBelow, callerAt, type OfTenant } from './tenant-address.ts'
import { viewMapping, viewMappings } from './view.ts'

const MAPPINGS = '/csv-mappings'
/** Where a client looks for what an export may name; the import itself is not served. */
const MAPPINGS_OF_IMPORT = '/clients/import/csv/mappings'

type ByCode = { Params: { tenant?: string; code: string } }

export function mappingRoutes(
  app: FastifyInstance,
  prefix: string,
  clients: Clients,
  { context, publicUrl }: ProtocolSite,
): void {
  for (const path of [MAPPINGS, MAPPINGS_OF_IMPORT]) {
    app.get<OfTenant>(`${prefix}${path}`, async (request) => {
      const caller = callerWho('read', request)
      return viewMappings(await allMappings(context, caller, clientsOf(caller)), readPage(request.query))
    })
  }

  app.post<OfTenant>(`${prefix}${MAPPINGS}`, async (request, reply) => {
    const caller = callerWho('write', request)
    const saved = await saveTemplate(context, caller, MAPPING_KIND, readNewMapping(request.body, clientsOf(caller)))
    const location = `${publicUrl()}${addressBelow(prefix, request)}${MAPPINGS}/${saved.id}`
    return reply
      .code(201)
      .header('location', location)
      .send(viewMapping(savedMapping(saved)))
  })

  app.get<ByCode>(`${prefix}${MAPPINGS}/:code`, async (request) => {
    const caller = callerWho('read', request)
    const mapping = await findMapping(context, caller, clientsOf(caller), request.params.code, 'read')
    if (mapping) return viewMapping(mapping)
    throw new FreightError('NOT_FOUND', 'There is no mapping with this code.')
  })

  app.put<ByCode>(`${prefix}${MAPPINGS}/:code`, async (request) => {
    const caller = callerWho('write', request)
    const { code } = request.params
    assertNoPreset(code)
    const input = readChangedMapping(request.body, clientsOf(caller))
    return viewMapping(savedMapping(await changeTemplate(context, caller, MAPPING_KIND, code, input)))
  })

  app.delete<ByCode>(`${prefix}${MAPPINGS}/:code`, async (request, reply) => {
    const caller = callerWho('write', request)
    assertNoPreset(request.params.code)
    await removeTemplate(context, caller, MAPPING_KIND, request.params.code)
    return reply.code(204).send()
  })

  function clientsOf(caller: Principal): Clients {
    return clientsFor(clients, listResources(context, caller))
  }

  function assertNoPreset(code: string): void {
    if (clients.mappings.has(code)) throw refusal('/code', 'This mapping is a preset and can be neither changed nor removed.')
  }

  /** Mappings tell what clients have, so they are for who may do the same with exports of clients. */
  function callerWho(deed: 'read' | 'write', request: FastifyRequest<OfTenant>): Principal {
    const caller = callerAt(request, clients)
    assertMayWith(context, caller, [clients.resource], deed)
    return caller
  }
}
