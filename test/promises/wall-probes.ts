/**
 * For every route of every API: each way in which a caller could name something of another tenant. A probe is asked twice, once with the ids of
 * that tenant's things and once with ids that nobody has.
 */

/** One of each kind of id. Those that nobody has are as long as the others. */
export interface Ids {
  /** Exports: of one file, of several, interrupted, and of each protocol's resource; own API, v1-exports, clients-export, content-export. */
  readonly order: string
  readonly split: string
  readonly stopped: string
  readonly message: string
  readonly client: string
  readonly content: string
  /** The same as api-exports names them. */
  readonly shortOrder: string
  readonly shortStopped: string
  readonly reference: string
  readonly idempotencyKey: string
  /** Of a page of the tenant's exports. */
  readonly cursor: string
  readonly keyId: string
  /** As a path part of clients-export. */
  readonly tenant: string
  /** A saved one of clients-export. */
  readonly mapping: string
  readonly portal: string
  readonly endpoint: string
  readonly inboundEndpoint: string
  /** A row's primary key. */
  readonly row: string
}

export interface Asked {
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of the caller's own; empty for none. */
  readonly credential?: string
}

export type Probe = (ids: Ids) => Asked

const at = (...paths: ((ids: Ids) => string)[]): Probe[] => paths.map((path) => (ids) => ({ path: path(ids) }))

const OWN = ['order', 'split', 'stopped', 'message', 'client', 'content'] as const
const own = (path: (id: string) => string): Probe[] => at(...OWN.map((kind) => (ids: Ids) => path(ids[kind])))

const WRONG_SECRET = 'x'.repeat(43)
const SIGNATURE = 'A'.repeat(43)
const STREAM = { accept: 'text/event-stream', 'last-event-id': '1' }
const JSON_API = { accept: 'application/vnd.api+json', 'content-type': 'application/vnd.api+json' }
const ENGLISH = { 'accept-language': 'en-US' }

const apiUpdate = (attributes: object, of: 'shortOrder' | 'shortStopped' = 'shortOrder'): Probe => {
  return (ids) => ({
    path: `/api/exports/${ids[of]}`,
    body: { data: { type: 'exports', id: ids[of], attributes } },
    headers: JSON_API,
  })
}
const api = (path: (id: string) => string): Probe[] =>
  (['shortOrder', 'shortStopped'] as const).map((kind) => (ids) => ({ path: path(ids[kind]), headers: JSON_API }))

const contentStatus = (prefix: string, end: string): Probe[] =>
  (['toUpperCase', 'toLowerCase'] as const).map((spelled) => (ids) => ({
    path: `${prefix}/content/export/${ids.content[spelled]()}${end}`,
    headers: ENGLISH,
  }))
const contentCreate = (prefix: string): Probe[] => [
  ({ portal }) => ({
    path: `${prefix}/content/export`,
    headers: ENGLISH,
    body: {
      portalID: portal,
      language: { code: 'en-US' },
      resourceTypes: ['articles'],
      dataDestination: {
        destinationType: 'SFTP server',
        path: '/x',
        // Refused, where the portal was not: nothing is sent anywhere.
        sftpDetails: { host: '127.0.0.1', username: 'u', password: 'p' },
      },
    },
  }),
]

/** Of clients-export, whole. */
const MAPPING = { name: 'Emails', columnMappings: [{ csvHeader: 'Email', targetField: 'Email' }] }
export const NEW_MAPPING = { ...MAPPING, mappingType: 'Client' }

/** `caller`: its own tenant, as addresses name it. */
function clients(prefix: string, caller: string): Readonly<Record<string, readonly Probe[]>> {
  const by = (tenant: string): string => prefix.replace(':tenant', tenant)
  /** Below the other tenant's address, where there is one. */
  const foreign = (path: (ids: Ids) => string): Probe[] =>
    prefix.endsWith(':tenant') ? at((ids) => `${by(ids.tenant)}${path(ids)}`) : []
  const saying = (body: object, probes: Probe[]): Probe[] =>
    probes.map((probe): Probe => {
      return (ids) => ({ ...probe(ids), body })
    })
  const mapping = [
    ...at((ids) => `${by(caller)}/csv-mappings/${ids.mapping}`),
    ...foreign((ids) => `/csv-mappings/${ids.mapping}`),
  ]
  const all = {
    [`GET ${prefix}/clients/export/csv/:code`]: [
      ...at((ids) => `${by(caller)}/clients/export/csv/${ids.client}`),
      ...at((ids) => `${by(caller)}/clients/export/csv/${ids.client.toUpperCase()}`),
      ...foreign((ids) => `/clients/export/csv/${ids.client}`),
    ],
    [`POST ${prefix}/clients/export/csv`]: [
      (ids: Ids) => ({
        path: `${by(caller)}/clients/export/csv`,
        body: {},
        headers: { 'idempotency-key': ids.idempotencyKey },
      }),
      (ids: Ids) => ({ path: `${by(caller)}/clients/export/csv`, body: { mappingCode: ids.mapping } }),
      ...saying(
        {},
        foreign(() => '/clients/export/csv'),
      ),
    ],
    [`GET ${prefix}/csv-mappings/:code`]: mapping,
    [`PUT ${prefix}/csv-mappings/:code`]: saying(MAPPING, mapping),
    [`DELETE ${prefix}/csv-mappings/:code`]: mapping,
    [`GET ${prefix}/clients/import/csv/mappings`]: foreign(() => '/clients/import/csv/mappings'),
    [`GET ${prefix}/csv-mappings`]: foreign(() => '/csv-mappings'),
    [`POST ${prefix}/csv-mappings`]: saying(
      NEW_MAPPING,
      foreign(() => '/csv-mappings'),
    ),
  }
  // Without a tenant in the address there is nothing to name in a list.
  return Object.fromEntries(Object.entries(all).filter(([, probes]) => probes.length > 0))
}

/** By route, as the server registers it. HEAD is asked what GET is. */
export function probesOf(caller: string): Readonly<Record<string, readonly Probe[]>> {
  const link = (start: string, id: string): string =>
    `${start.replace(':id', id)}?expires=4102444800&by=abcdefghijkl&signature=${SIGNATURE}`
  const contents = ['/knowledge/portalmgr/v4', ''].map((prefix) => ({
    [`POST ${prefix}/content/export`]: contentCreate(prefix),
    [`GET ${prefix}/content/export/:jobID/status`]: contentStatus(prefix, '/status'),
    [`GET ${prefix}/content/export/:jobID`]: contentStatus(prefix, ''),
  }))
  const entries = ['events', 'versions', 'event_stores'].map((kind) => ({
    [`GET /api/exports/:id/${kind}`]: api((id) => `/api/exports/${id}/${kind}`),
    [`GET /api/exports/:id/relationships/${kind}`]: api((id) => `/api/exports/${id}/relationships/${kind}`),
  }))
  return Object.assign(
    {
      'POST /exports': [
        (ids: Ids) => ({ path: '/exports', body: { resource: 'skus' }, headers: { 'idempotency-key': ids.idempotencyKey } }),
        (ids: Ids) => ({
          path: '/exports',
          body: { resource: 'skus', format: 'json' },
          headers: { 'idempotency-key': ids.idempotencyKey },
        }),
        (ids: Ids) => ({ path: '/exports', body: { resource: 'messages', filters: { id_eq: ids.row } } }),
      ],
      'GET /exports': at(
        (ids) => `/exports?cursor=${ids.cursor}`,
        (ids) => `/exports?reference=${ids.reference}`,
      ),
      'POST /exports/estimate': [
        (ids: Ids) => ({ path: '/exports/estimate', body: { resource: 'messages', filters: { id_eq: ids.row } } }),
      ],
      'GET /exports/:id': [
        ...own((id) => `/exports/${id}`),
        ...own((id) => `/exports/${id.toUpperCase()}`),
        ...own((id) => `/exports/${id}`).map(
          (probe): Probe =>
            (ids) => ({ ...probe(ids), headers: { 'if-none-match': '*' } }),
        ),
      ],
      'DELETE /exports/:id': own((id) => `/exports/${id}`),
      'POST /exports/:id/interrupt': own((id) => `/exports/${id}/interrupt`),
      'POST /exports/:id/start': own((id) => `/exports/${id}/start`),
      'POST /exports/:id/cancel': own((id) => `/exports/${id}/cancel`),
      'GET /exports/:id/events': [
        ...own((id) => `/exports/${id}/events`),
        ...own((id) => `/exports/${id}/events`).map(
          (probe): Probe =>
            (ids) => ({ ...probe(ids), headers: STREAM }),
        ),
      ],
      'GET /exports/:id/file': own((id) => `/exports/${id}/file`),
      'GET /exports/:id/files/:n': ['1', '2', '99', '0', 'x'].flatMap((n) => own((id) => `/exports/${id}/files/${n}`)),
      'GET /exports/:id/files.zip': own((id) => `/exports/${id}/files.zip`),

      'POST /v1/exports': [
        (ids: Ids) => ({ path: '/v1/exports', body: { ...SPAN, endpoint_id: ids.endpoint } }),
        (ids: Ids) => ({
          path: '/v1/exports',
          body: { ...SPAN, direction: 'inbound', inbound_endpoint_id: ids.inboundEndpoint },
        }),
        (ids: Ids) => ({ path: '/v1/exports', body: SPAN, headers: { 'idempotency-key': ids.idempotencyKey } }),
      ],
      'GET /v1/exports/:id': at((ids) => `/v1/exports/${ids.message}`),
      'DELETE /v1/exports/:id': at((ids) => `/v1/exports/${ids.message}`),
      'GET /v1/exports/:id/download': at((ids) => `/v1/exports/${ids.message}/download`),

      'POST /api/exports': [
        ({ row }: Ids) => ({
          path: '/api/exports',
          headers: JSON_API,
          body: { data: { type: 'exports', attributes: { resource_type: 'messages', filters: { id_eq: row } } } },
        }),
      ],
      'GET /api/exports': [
        ...api((id) => `/api/exports?filter[q][id_eq]=${id}`),
        ...api((id) => `/api/exports?filter[q][id_in]=${id}&include=events,versions`),
        ({ reference }: Ids) => ({ path: `/api/exports?filter[q][reference_eq]=${reference}`, headers: JSON_API }),
      ],
      'GET /api/exports/:id': [
        ...api((id) => `/api/exports/${id}`),
        ...api((id) => `/api/exports/${id}?include=events,versions,event_stores`),
      ],
      'PATCH /api/exports/:id': [
        apiUpdate({ reference: 'mine now' }),
        apiUpdate({ _interrupt: true }),
        apiUpdate({ _start: true }, 'shortStopped'),
        apiUpdate({ metadata: { a: 1 } }, 'shortStopped'),
      ],
      'DELETE /api/exports/:id': api((id) => `/api/exports/${id}`),

      'POST /oauth/token': [
        ({ keyId }: Ids) => ({
          path: '/oauth/token',
          credential: '',
          body: { grant_type: 'client_credentials', client_id: keyId, client_secret: `frt_live_${keyId}_${WRONG_SECRET}` },
        }),
      ],
      // Who knows no more than an id.
      'GET /resources': [
        ({ keyId }: Ids) => ({ path: '/resources', credential: `frt_live_${keyId}_${WRONG_SECRET}` }),
        ({ keyId }: Ids) => ({ path: '/resources', credential: '', headers: { 'x-api-key': keyId } }),
      ],
      'GET /downloads/*': at(
        (ids) => link('/downloads/:id/1/1/orders.csv', ids.order),
        (ids) => link('/downloads/:id/1/zip/orders.zip', ids.split),
      ),
      'GET /links/*': at((ids) => link('/links/:id/1', ids.client)),
    },
    ...contents,
    ...entries,
    ...['/tenants/:tenant', '/api/tenants/:tenant', '/api', ''].map((prefix) => clients(prefix, caller)),
  )
}

const SPAN = { start_time: '2026-01-01T00:00:00Z', end_time: '2026-12-31T00:00:00Z' }

/** Nothing of a tenant can be named there: neither in the path, nor in parameters, body or headers. */
export const WITHOUT_IDS: readonly string[] = [
  'GET /v1/exports',
  'GET /clients/import/csv/mappings',
  'GET /api/clients/import/csv/mappings',
  'GET /csv-mappings',
  'POST /csv-mappings',
  'GET /api/csv-mappings',
  'POST /api/csv-mappings',
  'GET /.well-known/jwks.json',
  'GET /.well-known/oauth-authorization-server',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'GET /openapi.json',
  'GET /docs',
  'GET /',
]
