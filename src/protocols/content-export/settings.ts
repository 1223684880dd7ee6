/** What the configuration says of content-export: which resources stand behind its types, and what of them a file holds. */
import type { Place } from '../../config/place.ts'

export interface ContentPartConfig {
  readonly resource: string
  /** The field, dotted through relations where need be, that holds the id of the portal to which a row belongs. */
  readonly portal: string
  /** The fields in the file, in order, under the names they have in the resource; every field when absent. */
  readonly fields?: readonly string[]
  readonly includes?: readonly string[]
  /** Rows that are exported at all. */
  readonly filters?: Readonly<Record<string, unknown>>
}

export interface ContentArticlesConfig extends ContentPartConfig {
  /** The field that holds the language's code, as in `en-US`; articles of every language when absent. */
  readonly language?: string
  /** What makes an article searchable; articles of every category when absent. */
  readonly searchable?: Readonly<Record<string, unknown>>
}

export interface ContentExportConfig {
  readonly portals: ContentPartConfig
  readonly topics: ContentPartConfig
  /** The latest published version of each article that has one. */
  readonly articles: ContentArticlesConfig
  /** The latest unpublished version of each that has one; `exportUnpublishedOnly` is refused when absent. */
  readonly unpublishedArticles?: ContentArticlesConfig
  /** Default true; false answers every request with 403, as the product does without its licence. */
  readonly licensed?: boolean
}

const PART = ['resource', 'portal', 'fields', 'includes', 'filters']
const ARTICLES = [...PART, 'language', 'searchable']

export function checkContentExport(place: Place, value: unknown, resources: readonly string[]): ContentExportConfig {
  const section = place.object(value, ['portals', 'topics', 'articles', 'unpublishedArticles', 'licensed'])
  checkPart(place.at('portals'), section.portals, PART, resources)
  checkPart(place.at('topics'), section.topics, PART, resources)
  checkPart(place.at('articles'), section.articles, ARTICLES, resources)
  if (section.unpublishedArticles !== undefined) {
    checkPart(place.at('unpublishedArticles'), section.unpublishedArticles, ARTICLES, resources)
  }
  if (section.licensed !== undefined && typeof section.licensed !== 'boolean') {
    throw place.at('licensed').invalid('must be true or false.')
  }
  // Every member has been checked against its type above.
  return section as unknown as ContentExportConfig
}

function checkPart(place: Place, value: unknown, known: readonly string[], resources: readonly string[]): void {
  const part = place.object(value, known)
  place.at('resource').oneOf(part.resource, resources, 'resource')
  place.at('portal').text(part.portal)
  if (part.language !== undefined) place.at('language').text(part.language)
  for (const name of ['fields', 'includes']) if (part[name] !== undefined) place.at(name).texts(part[name])
  for (const name of ['filters', 'searchable']) if (part[name] !== undefined) place.at(name).object(part[name], null)
}
