/** The wire protocol at `.../content/export`: knowledge exports as eGain's clients ask for them, pushed to a place of theirs. */
import { listResources } from '../../exports/resources.ts'
import type { Protocol, ProtocolSite } from '../protocol.ts'
import { requireField } from '../resource-fields.ts'
import { refuse } from './errors.ts'
import { contentRoutes, PREFIXES } from './routes.ts'
import type { ContentExportConfig } from './settings.ts'

/** Throws CONFIG_INVALID for a field that its resource does not have. */
export function contentExport(config: ContentExportConfig, site: ProtocolSite): Protocol {
  assertFields(config, listResources(site.context, null))
  return {
    name: 'content-export',
    paths: PREFIXES.map((prefix) => prefix || '/content'),
    refuse,
    async routes(app) {
      contentRoutes(app, config, site)
    },
  }
}

function assertFields(config: ContentExportConfig, resources: ReturnType<typeof listResources>): void {
  const { portals, topics, articles, unpublishedArticles } = config
  for (const [name, part] of Object.entries({ portals, topics, articles, unpublishedArticles })) {
    if (!part) continue
    const at = `protocols.content-export.${name}`
    requireField(resources, part.resource, part.portal, `${at}.portal`)
    if ('language' in part && part.language) requireField(resources, part.resource, part.language, `${at}.language`)
    for (const [index, path] of (part.fields ?? []).entries()) {
      requireField(resources, part.resource, path, `${at}.fields.${index}`)
    }
  }
}
