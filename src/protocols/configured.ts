/** The protocols that the configuration asks for, ready to be mounted, and the webhooks that they tell. */
import type { Notify } from '../job/notice.ts'
import type { Webhook } from '../webhooks/webhook.ts'
import { apiExportsProtocol } from './api-exports/protocol.ts'
import { notifyOf, webhooksOf } from './api-exports/webhooks.ts'
import { clientsExport } from './clients-export/clients-export.ts'
import { contentExport } from './content-export/content-export.ts'
import type { Protocol, ProtocolSite, WebhookSite } from './protocol.ts'
import type { ProtocolsConfig } from './settings.ts'
import { v1Exports } from './v1-exports/v1-exports.ts'

type Making = (config: ProtocolsConfig, site: ProtocolSite) => Protocol | undefined

const MAKINGS: readonly Making[] = [
  ({ 'v1-exports': section }, site) => section && v1Exports(section, site),
  ({ 'clients-export': section }, site) => section && clientsExport(section, site),
  ({ 'content-export': section }, site) => section && contentExport(section, site),
  ({ 'api-exports': section }, site) => section && apiExportsProtocol(section, site),
]

/** Throws CONFIG_INVALID where a section names a field that its resource does not have. */
export function configuredProtocols(config: ProtocolsConfig, site: ProtocolSite): Protocol[] {
  return MAKINGS.flatMap((make) => make(config, site) ?? [])
}

/** Who is told of the changes of jobs. */
export function configuredNotify({ 'api-exports': section }: ProtocolsConfig): Notify {
  return section ? notifyOf(section) : () => []
}

export function configuredWebhooks({ 'api-exports': section }: ProtocolsConfig, site: WebhookSite): Webhook[] {
  return section ? webhooksOf(section, site) : []
}
