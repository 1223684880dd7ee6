/** The wire protocol at `/v1/exports`: message exports as HookBridge's clients ask for them. */
import { listResources } from '../../exports/resources.ts'
import type { Protocol, ProtocolSite } from '../protocol.ts'
import { refuse } from './errors.ts'
import { configuredMessages } from './messages.ts'
import { v1Routes } from './routes.ts'
import type { V1ExportsConfig } from './settings.ts'

/** Throws CONFIG_INVALID for a field that the resource does not have. */
export function v1Exports(config: V1ExportsConfig, site: ProtocolSite): Protocol {
  const messages = configuredMessages(config, listResources(site.context, null))
  return {
    name: 'v1-exports',
    paths: ['/v1'],
    refuse,
    async routes(app) {
      v1Routes(app, messages, site)
    },
  }
}
