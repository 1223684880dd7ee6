/** What the configuration says of content-export: which resources stand behind its three types. */
import type { Place } from '../../config-check.ts'

export interface ContentExportConfig {
  readonly articles: string
  readonly topics: string
  readonly portals: string
}

const TYPES = ['articles', 'topics', 'portals'] as const

export function checkContentExport(place: Place, value: unknown, resources: readonly string[]): ContentExportConfig {
  const section = place.object(value, TYPES)
  const [articles, topics, portals] = TYPES.map((type) => place.at(type).oneOf(section[type], resources, 'resource'))
  return { articles: articles ?? '', topics: topics ?? '', portals: portals ?? '' }
}
