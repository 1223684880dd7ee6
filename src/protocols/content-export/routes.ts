/** Which request calls which verb. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { assertMayWith } from '../../exports/access.ts'
import { createExport } from '../../exports/create.ts'
import { countMatching } from '../../exports/matching.ts'
import { getServedExport } from '../../exports/served.ts'
import { FreightError } from '../../job/errors.ts'
import { callerOf, type ProtocolSite } from '../protocol.ts'
import { WireFault } from './faults.ts'
import { assertLanguage, readExport, readJobId, readKnowledgeExport, refuseQuery } from './request.ts'
import type { ContentExportConfig } from './settings.ts'
import { viewStatus } from './view.ts'

/** Where the product has it, and where the document that Freight was made from has it. */
export const PREFIXES = ['/knowledge/portalmgr/v4', ''] as const

type ById = { Params: { jobID: string } }

export function contentRoutes(app: FastifyInstance, config: ContentExportConfig, { context }: ProtocolSite): void {
  const resources = [config.portals, config.topics, config.articles, config.unpublishedArticles].map((part) => part?.resource)
  const serves = (resource: string): boolean => resources.includes(resource)

  const status = async (request: FastifyRequest<ById>) => {
    const caller = applicationOf(request, config)
    assertLanguage(request.headers['accept-language'], 'status')
    refuseQuery(request.query)
    const { jobID } = request.params
    try {
      return viewStatus(await getServedExport(context, caller, readJobId(jobID), serves), context.now())
    } catch (thrown) {
      throw thrown instanceof FreightError && thrown.code === 'NOT_FOUND' ? unknownJob(jobID) : thrown
    }
  }

  for (const prefix of PREFIXES) {
    app.post(`${prefix}/content/export`, async (request, reply) => {
      const caller = applicationOf(request, config)
      assertLanguage(request.headers['accept-language'], 'create')
      refuseQuery(request.query)
      const asked = readKnowledgeExport(request.body)
      const input = { ...readExport(asked, config), idempotency: null }
      const named = input.request.parts.map((part) => part.resource)
      assertMayWith(context, caller, named, 'write')
      const { resource, portal } = config.portals
      const portals = await countMatching(context, caller, resource, { [`${portal}_eq`]: asked.portalID })
      // Not told in the time there was: to refuse a portal that may be there would be worse.
      if (portals === 0) throw unknownPortal(asked.portalID)
      const job = await createExport(context, caller, input)
      return reply.code(202).header('location', `${prefix}/content/export/${job.id.toUpperCase()}`).send()
    })
    app.get<ById>(`${prefix}/content/export/:jobID/status`, status)
    // The address that a creation answers with: "the URL to check the status".
    app.get<ById>(`${prefix}/content/export/:jobID`, status)
  }
}

/** Only a client application may call, and only under a licence. */
function applicationOf(request: FastifyRequest, { licensed = true }: ContentExportConfig): Principal {
  const caller = callerOf(request)
  if (licensed && caller.kind === 'application') return caller
  throw new FreightError('FORBIDDEN', 'Only a client application of a licensed site may call.')
}

function unknownJob(jobID: string): WireFault {
  const shown = jobID.slice(0, 100)
  return new WireFault('404-100', `The following IDs supplied in the URI path were not found: '${shown}'.`, [
    { key: 'jobID', value: shown },
  ])
}

function unknownPortal(portalID: string): WireFault {
  return new WireFault('404-101', `The following IDs provided in the URI path were not found: ${portalID}`, [
    { key: 'portalID', value: portalID },
  ])
}
