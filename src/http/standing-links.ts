/** Where standing links are followed: the link is the permission, as with downloads. */
import type { FastifyInstance } from 'fastify'
import type { ExportsContext } from '../exports/context.ts'
import { followStandingLink } from '../exports/standing-link.ts'
import type { KeyStore, UpkeepStore } from '../store/store.ts'

export interface StandingLinkOptions {
  readonly context: ExportsContext
  readonly jobs: Pick<UpkeepStore, 'find'> & Pick<KeyStore, 'findKey'>
  publicUrl(): string
}

export function standingLinkRoutes(app: FastifyInstance, { context, jobs, publicUrl }: StandingLinkOptions): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/links/*',
    exposeHeadRoute: false,
    schema: { hide: true },
    async handler(request, reply) {
      const link = await followStandingLink(context, jobs, request.raw.url ?? '', request.ip)
      // The new link is a permission of its own: no cache may keep it.
      return reply.header('cache-control', 'no-store').redirect(`${publicUrl()}${link}`, 302)
    },
  })
}
