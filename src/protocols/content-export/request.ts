/** From the wire to what a caller asks for: the KnowledgeExport body, `Accept-Language`, a job's id. Pure. */
import type { NewExport } from '../../exports/create.ts'
import type { DestinationRequest } from '../../exports/destination.ts'
import type { FreightError } from '../../job/errors.ts'
import type { PartRequest } from '../../job/spec.ts'
import { Members } from './body.ts'
import { invalidValue, missing, WireFault } from './faults.ts'
import { ACCEPTED_LANGUAGES, CONTENT_LANGUAGES } from './languages.ts'
import type { ContentArticlesConfig, ContentExportConfig, ContentPartConfig } from './settings.ts'

/** Files of the product hold so many articles. */
const ARTICLES_PER_FILE = 250
const TYPES = ['articles', 'topics', 'portals'] as const
type ContentType = (typeof TYPES)[number]

const PORTAL_ID = /^[a-zA-Z0-9]{2,4}-\d{4,15}$/
const S3_PATH = /^s3:\/\/([^/]+)(?:\/(.*))?$/
const HOST = /^(?!:\/\/)([a-zA-Z0-9-]{1,63}\.)+[a-zA-Z]{2,63}$/

export interface KnowledgeExport {
  readonly portalID: string
  readonly language: string
  readonly types: readonly ContentType[]
  readonly searchableOnly: boolean
  readonly unpublishedOnly: boolean
  readonly destination: DestinationRequest
}

/** Throws a WireFault that names the first attribute that is missing or does not fit. */
export function readKnowledgeExport(body: unknown): KnowledgeExport {
  const known = ['portalID', 'language', 'resourceTypes', 'articleCategories', 'exportUnpublishedOnly', 'dataDestination']
  const members = new Members(body, '', known)
  const portalID = members.text('portalID', 20, PORTAL_ID)
  const language = members.object('language', ['code']).oneOf('code', CONTENT_LANGUAGES)
  const types = members.someOf('resourceTypes', [...TYPES, 'all'])
  const categories = members.has('articleCategories') ? members.oneOf('articleCategories', ['searchable', 'all']) : 'searchable'
  const unpublishedOnly = members.flag('exportUnpublishedOnly')
  return {
    portalID,
    language,
    types: TYPES.filter((type) => types.includes('all') || types.includes(type)),
    searchableOnly: categories === 'searchable',
    unpublishedOnly,
    destination: readDestination(members),
  }
}

/** The present revision, and the one before it: S3 only, its region and `credentials` beside the path. */
function readDestination(body: Members): DestinationRequest {
  const known = ['destinationType', 'path', 's3Details', 'sftpDetails', 'region', 'credentials']
  const members = body.object('dataDestination', known)
  const type = members.oneOf('destinationType', ['AWS S3 bucket', 'SFTP server'])
  const path = members.text('path', 1_024)
  return type === 'AWS S3 bucket' ? readBucket(members, path) : readServer(members, path)
}

function readBucket(members: Members, path: string): DestinationRequest {
  const [, bucket, folder = ''] = S3_PATH.exec(path) ?? []
  if (bucket === undefined) throw invalidValue(members.at('path'), 'an address like s3://bucket/folder')
  const isEarlier = !members.has('s3Details') && (members.has('credentials') || members.has('region'))
  if (!isEarlier && !members.has('s3Details')) throw invalidValue(members.at('s3Details'), 'an object, for an AWS S3 bucket')
  const details = isEarlier ? members : members.object('s3Details', ['region', 'accessKey', 'secretKey'])
  const region = details.text('region', 20)
  const keys = isEarlier ? members.object('credentials', ['accessKey', 'secretKey']) : details
  const credentials = { accessKey: keys.text('accessKey', 128), secretKey: keys.text('secretKey', 128) }
  return { kind: 's3', bucket, folder: withoutEndSlashes(folder), region, endpoint: null, credentials }
}

function readServer(members: Members, path: string): DestinationRequest {
  if (!members.has('sftpDetails')) throw invalidValue(members.at('sftpDetails'), 'an object, for an SFTP server')
  const details = members.object('sftpDetails', ['username', 'password', 'host', 'port'])
  const username = details.text('username', 128)
  const password = details.has('password') ? details.text('password', 128) : null
  const host = details.text('host', 253, HOST)
  const port = details.port('port', 22)
  return { kind: 'sftp', host, port, folder: path.replace(/\/+$/, ''), credentials: { username, password } }
}

function withoutEndSlashes(folder: string): string {
  return folder.replace(/^\/+|\/+$/g, '')
}

/** Articles, topics and portals as parts of one job, read in one snapshot. Throws where the configuration offers no unpublished articles. */
export function readExport(asked: KnowledgeExport, config: ContentExportConfig): Omit<NewExport, 'idempotency'> {
  return {
    request: {
      parts: asked.types.map((type) => partOf(type, asked, config)),
      format: 'json',
      compression: null,
      options: { times: 'rfc3339' },
      dryData: false,
    },
    reference: null,
    referenceOrigin: null,
    metadata: {},
    protocol: { name: 'content-export', data: { portalID: asked.portalID } },
    destination: asked.destination,
    exclusive: `content-export ${asked.portalID}`,
  }
}

function partOf(type: ContentType, asked: KnowledgeExport, config: ContentExportConfig): PartRequest {
  if (type !== 'articles') return contentPart(config[type], asked, {})
  const articles = asked.unpublishedOnly ? config.unpublishedArticles : config.articles
  if (!articles) throw invalidValue('exportUnpublishedOnly', 'false: this server has no unpublished articles')
  return { ...contentPart(articles, asked, articleFilters(articles, asked)), split: { rows: ARTICLES_PER_FILE } }
}

function contentPart(
  part: ContentPartConfig,
  { portalID }: KnowledgeExport,
  filters: Readonly<Record<string, unknown>>,
): PartRequest {
  return {
    resource: part.resource,
    fields: part.fields ?? [],
    includes: part.includes ?? [],
    filters: { ...part.filters, ...filters, [`${part.portal}_eq`]: portalID },
    sort: [],
    limit: null,
  }
}

function articleFilters(articles: ContentArticlesConfig, asked: KnowledgeExport): Record<string, unknown> {
  return {
    ...(asked.searchableOnly ? articles.searchable : {}),
    ...(articles.language === undefined ? {} : { [`${articles.language}_eq`]: asked.language }),
  }
}

/** What a refused destination is called in the body, by its pointer from `exports/destination.ts`. */
const DESTINATION_ATTRIBUTES: Readonly<Record<string, string>> = {
  folder: 'path',
  bucket: 'path',
  endpoint: 'path',
  region: 's3Details.region',
  host: 'sftpDetails.host',
  port: 'sftpDetails.port',
  'credentials/accessKey': 's3Details.accessKey',
  'credentials/secretKey': 's3Details.secretKey',
  'credentials/username': 'sftpDetails.username',
  'credentials/password': 'sftpDetails.password',
}

/** The same refusal in the wire's words; null for what is no destination's. */
export function refusedDestination({ details, message }: FreightError): WireFault | null {
  const attribute = DESTINATION_ATTRIBUTES[details.pointer?.replace('/destination/', '') ?? '']
  if (attribute === undefined || !details.pointer?.startsWith('/destination/')) return null
  return invalidValue(`dataDestination.${attribute}`, message)
}

/** Throws 400-112 when it is absent; when it is none of the wire's: 406-100 for a creation, 400-152 for a status, which has no 406. */
export function assertLanguage(header: string | undefined, operation: 'create' | 'status'): void {
  if (header === undefined || header.trim() === '') throw missing('Accept-Language')
  if (ACCEPTED_LANGUAGES.includes(header.trim())) return
  if (operation === 'create') throw new WireFault('406-100', "The 'Accept-Language' header value is invalid.")
  throw invalidValue('Accept-Language', `one of ${ACCEPTED_LANGUAGES.join(', ')}`)
}

/** Throws 400-101: no parameter is known in the query. */
export function refuseQuery(query: unknown): void {
  const names = Object.keys(query ?? {}).map((name) => name.slice(0, 50))
  if (names.length === 0) return
  const shown = names.slice(0, 10).join(', ')
  throw new WireFault(
    '400-101',
    `Unsupported query parameter(s) supplied: '${shown}'.`,
    names.slice(0, 10).map((key) => ({ key })),
  )
}

/** Ids are shown in upper case and read in any. */
export function readJobId(shown: string): string {
  return shown.toLowerCase()
}
