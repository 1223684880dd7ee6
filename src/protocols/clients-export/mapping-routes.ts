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

interface MappingSite extends ProtocolSite {
  readonly clients: Clients
  /** One of `PREFIXES`. */
  readonly prefix: string
}

export function mappingRoutes(app: FastifyInstance, prefix: string, clients: Clients, site: ProtocolSite): void {
  const mappings = { ...site, clients, prefix }
  collectionRoutes(app, mappings)
  mappingByCodeRoutes(app, mappings)
}

function collectionRoutes(app: FastifyInstance, site: MappingSite): void {
  const { context, prefix, publicUrl } = site
  for (const path of [MAPPINGS, MAPPINGS_OF_IMPORT]) {
    app.get<OfTenant>(`${prefix}${path}`, async (request) => {
      const caller = callerWho('read', request, site)
      return viewMappings(await allMappings(context, caller, clientsOf(caller, site)), readPage(request.query))
    })
  }

  app.post<OfTenant>(`${prefix}${MAPPINGS}`, async (request, reply) => {
    const caller = callerWho('write', request, site)
    const saved = await saveTemplate(context, caller, MAPPING_KIND, readNewMapping(request.body, clientsOf(caller, site)))
    const location = `${publicUrl()}${addressBelow(prefix, request)}${MAPPINGS}/${saved.id}`
    return reply
      .code(201)
      .header('location', location)
      .send(viewMapping(savedMapping(saved)))
  })
}

function mappingByCodeRoutes(app: FastifyInstance, site: MappingSite): void {
  const { context } = site
  const path = `${site.prefix}${MAPPINGS}/:code`

  app.get<ByCode>(path, async (request) => {
    const caller = callerWho('read', request, site)
    const mapping = await findMapping(context, caller, clientsOf(caller, site), request.params.code, 'read')
    if (mapping) return viewMapping(mapping)
    throw new FreightError('NOT_FOUND', 'There is no mapping with this code.')
  })

  app.put<ByCode>(path, async (request) => {
    const caller = callerWho('write', request, site)
    const { code } = request.params
    assertNoPreset(code, site)
    const input = readChangedMapping(request.body, clientsOf(caller, site))
    return viewMapping(savedMapping(await changeTemplate(context, caller, MAPPING_KIND, code, input)))
  })

  app.delete<ByCode>(path, async (request, reply) => {
    const caller = callerWho('write', request, site)
    assertNoPreset(request.params.code, site)
    await removeTemplate(context, caller, MAPPING_KIND, request.params.code)
    return reply.code(204).send()
  })
}

function clientsOf(caller: Principal, { clients, context }: MappingSite): Clients {
  return clientsFor(clients, listResources(context, caller))
}

function assertNoPreset(code: string, { clients }: MappingSite): void {
  if (clients.mappings.has(code)) throw refusal('/code', 'This mapping is a preset and can be neither changed nor removed.')
}

/** Mappings tell what clients have, so they are for who may do the same with exports of clients. */
function callerWho(deed: 'read' | 'write', request: FastifyRequest<OfTenant>, { clients, context }: MappingSite): Principal {
  const caller = callerAt(request, clients)
  assertMayWith(context, caller, [clients.resource], deed)
  return caller
}
