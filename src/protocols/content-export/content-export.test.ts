import { request } from 'node:http'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { play, readExchanges } from '../../../test/exchanges.ts'
import { openProtocolSite, type ProtocolSite, type WireAnswer } from '../../../test/protocol-site.ts'
import { createSealer } from '../../access/sealed.ts'
import { contentExport } from './content-export.ts'
import type { ContentExportConfig } from './settings.ts'

const section: ContentExportConfig = {
  portals: { resource: 'content_portals', portal: 'id' },
  topics: { resource: 'content_topics', portal: 'portalId', fields: ['id', 'name'] },
  articles: { resource: 'content_articles', portal: 'portalId', language: 'language', searchable: { category_eq: 'searchable' } },
  unpublishedArticles: { resource: 'content_drafts', portal: 'portalId' },
}
const article = { id: 'text', tenant_id: 'text', portalId: 'text', language: 'text', category: 'text' } as const
const TABLES = {
  content_portals: { id: 'text', tenant_id: 'text' },
  content_topics: { id: 'text', tenant_id: 'text', name: 'text', portalId: 'text' },
  content_articles: article,
  content_drafts: article,
  orders: { id: 'integer', tenant_id: 'text' },
} as const

const strict = { additionalProperties: false }
const Instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$' })
const Count = Type.Integer({ minimum: 0 })
/** As the product's own SDK reads it: closed enum, integers, no null anywhere. */
const ExportStatus = Type.Object(
  {
    status: Type.Enum(['Pending', 'In Progress', 'Successful', 'Failed']),
    progress: Type.Optional(
      Type.Object({ processed: Count, total: Type.Optional(Count), percentage: Type.Optional(Type.Number()) }, strict),
    ),
    startTime: Type.Optional(Instant),
    estimatedCompletion: Type.Optional(Instant),
    completionTime: Type.Optional(Instant),
    failureTime: Type.Optional(Instant),
    results: Type.Optional(Type.Object({ successful: Count, warnings: Count, errors: Count }, strict)),
    error: Type.Optional(Type.String({ minLength: 1 })),
  },
  strict,
)
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })
const WSErrorCommon = Type.Object(
  {
    code: Type.String({ pattern: '^\\d{3}-\\d{3}$' }),
    developerMessage: text(2_048),
    details: Type.Optional(
      Type.Array(Type.Object({ key: text(255), value: Type.Optional(Type.String({ maxLength: 255 })) }, strict), {
        maxItems: 30,
      }),
    ),
    userMessage: Type.Optional(text(1_024)),
  },
  strict,
)

/** What every answer of this protocol is, whatever it answers. */
function expectWire({ status, headers, body, text: sent }: WireAnswer): void {
  if (status === 202) {
    expect(sent).toBe('')
    return
  }
  const schema = status === 200 ? ExportStatus : WSErrorCommon
  expect([...Value.Errors(schema, body)]).toEqual([])
  expect(headers.get('content-type')).toMatch(/^application\/json/)
  if (status !== 200) expect(body.code.slice(0, 3)).toBe(String(status))
  expect(sent).not.toMatch(/:null|node_modules|select |SQLITE|canary-secret/)
}

const CALLER = {
  id: 'a',
  tenant: 'acme',
  mode: 'live',
  scopes: ['exports:read', 'exports:write', 'exports:download'],
  claims: {},
  address: null,
} as const
const LANGUAGE = { 'accept-language': 'en-US' }
const bucket = {
  destinationType: 'AWS S3 bucket',
  path: 's3://exports/folder/',
  s3Details: { region: 'us-east-1', accessKey: 'AKIACANARY', secretKey: 'canary-secret' },
}

function asked(number: number, differences: Record<string, unknown> = {}) {
  return {
    portalID: `PROD-${2_000 + number}`,
    language: { code: 'de-DE' },
    resourceTypes: ['all'],
    dataDestination: bucket,
    ...differences,
  }
}

describe('content-export', () => {
  let site: ProtocolSite
  beforeAll(async () => {
    site = await openProtocolSite({ tables: TABLES, protocols: (mount) => [contentExport(section, mount)] })
  })
  afterAll(() => site.close())

  const post = async (body: unknown, headers: Record<string, string> = LANGUAGE) => {
    const answer = await site.ask('/content/export', { method: 'POST', body, headers })
    expectWire(answer)
    return answer
  }
  const get = async (path: string, headers: Record<string, string> = LANGUAGE) => {
    const answer = await site.ask(`/content/export/${path}`, { headers })
    expectWire(answer)
    return answer
  }

  it.each(readExchanges(join(import.meta.dirname, 'fixtures')))('answers as recorded: %s', async (_name, exchange) => {
    expectWire(await play(site, exchange))
  })

  it('makes articles, topics and portals parts of one export, articles in files of 250', async () => {
    await post(asked(1))
    const [job] = await site.stored()
    expect(job).toMatchObject({ protocol: 'content-export', protocolData: { portalID: 'PROD-2001' } })
    expect(job?.request).toMatchObject({ format: 'json', compression: null, options: { times: 'rfc3339' } })
    expect(job?.request.parts).toMatchObject([
      {
        resource: 'content_articles',
        filters: { portalId_eq: 'PROD-2001', language_eq: 'de-DE', category_eq: 'searchable' },
        split: { rows: 250 },
      },
      { resource: 'content_topics', fields: ['id', 'name'], filters: { portalId_eq: 'PROD-2001' } },
      { resource: 'content_portals', filters: { id_eq: 'PROD-2001' } },
    ])
    expect(job?.spec.destination).toMatchObject({ kind: 's3', bucket: 'exports', folder: 'folder', region: 'us-east-1' })
  })

  it('takes every category and the unpublished versions when asked to', async () => {
    await post(asked(2, { resourceTypes: ['articles'], articleCategories: 'all', exportUnpublishedOnly: true }))
    const [job] = await site.stored()
    expect(job?.request.parts).toMatchObject([{ resource: 'content_drafts', filters: { portalId_eq: 'PROD-2002' } }])
    expect(job?.request.parts[0]?.filters).toEqual({ portalId_eq: 'PROD-2002' })
  })

  it('keeps the credentials sealed, and shows them nowhere', async () => {
    const { headers } = await post(asked(3))
    const id = headers.get('location')?.split('/').at(-1)?.toLowerCase() ?? ''
    const [job] = await site.stored()
    expect(JSON.stringify(job)).not.toMatch(/canary|AKIACANARY/)
    const sealer = createSealer(['the secret of this test'], 'destination')
    expect(JSON.parse(sealer.open(job?.spec.destination?.sealed ?? ''))).toEqual({
      accessKey: 'AKIACANARY',
      secretKey: 'canary-secret',
    })
    for (const path of [`/exports/${id}`, `/exports/${id}/events`, `/content/export/${id}/status`]) {
      expect((await site.ask(path, { headers: LANGUAGE })).text).not.toMatch(/canary|AKIACANARY|s1\./)
    }
  })

  it('has one active export for each portal: of simultaneous requests one is created', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(asked(4))))
    const refused = answers.filter(({ status }) => status === 400)
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    expect(refused).toHaveLength(9)
    const details = [{ key: 'portalID', value: 'a portal of which no export is pending, running or interrupted' }]
    expect(refused[0]?.body).toMatchObject({ code: '400-152', details })
    expect(
      (
        await site.ask('/content/export', {
          method: 'POST',
          body: asked(4),
          headers: { ...LANGUAGE, authorization: `Bearer ${site.otherKey}` },
        })
      ).status,
    ).toBe(202)
    const [job] = await site.stored()
    expect((await site.ask(`/exports/${job?.id}/cancel`, { method: 'POST' })).status).toBe(200)
    expect((await post(asked(4))).status).toBe(202)
  })

  it("answers an unknown portal, or another tenant's, with 404, and stores nothing", async () => {
    const before = (await site.stored()).length
    site.rows.count = 0
    const answer = await post(asked(5))
    site.rows.count = 3
    expect(answer).toMatchObject({
      status: 404,
      body: { code: '404-101', developerMessage: 'The following IDs provided in the URI path were not found: PROD-2005' },
    })
    expect(await site.stored()).toHaveLength(before)
    site.rows.count = null
    expect((await post(asked(5))).status).toBe(202)
    site.rows.count = 3
  })

  it("another tenant's id answers exactly like an unknown one", async () => {
    const { id } = await site.given({ number: 700, status: 'completed', resource: 'content_topics' })
    const other = { ...LANGUAGE, authorization: `Bearer ${site.otherKey}` }
    const theirs = await get(`${id}/status`, other)
    const unknown = await get('0000ffff-0000-7000-8000-000000000000/status', other)
    expect(theirs.status).toBe(404)
    expect(theirs.text.replaceAll(id, 'ID')).toBe(unknown.text.replaceAll('0000ffff-0000-7000-8000-000000000000', 'ID'))
  })

  it('requires Accept-Language', async () => {
    for (const [method, path] of [
      ['POST', '/content/export'],
      ['GET', '/content/export/x/status'],
    ] as const) {
      const body = await bare(site, method, path)
      expect(body).toMatchObject({ code: '400-112', details: [{ key: 'Accept-Language' }] })
    }
  })
})

describe('content-export for others', () => {
  async function codes(config: ContentExportConfig, kind: 'application' | 'user'): Promise<string[]> {
    const site = await openProtocolSite({
      tables: TABLES,
      protocols: (mount) => [contentExport(config, mount)],
      http: { authenticate: async () => ({ ...CALLER, kind }) },
    })
    const create = await site.ask('/content/export', { method: 'POST', body: asked(1), headers: LANGUAGE })
    const status = await site.ask('/content/export/x/status', { headers: LANGUAGE })
    await site.close()
    return [create.body?.code ?? create.status, status.body.code]
  }

  it('is closed without a licence, and to a token that is not an application', async () => {
    expect(await codes({ ...section, licensed: false }, 'application')).toEqual(['403-197', '403-178'])
    expect(await codes(section, 'user')).toEqual(['403-197', '403-178'])
    expect(await codes(section, 'application')).toEqual([202, '404-100'])
  })

  it('stops the start where the configuration names a field that is not there', async () => {
    const wrong = { ...section, topics: { resource: 'content_topics', portal: 'portalID' } }
    const open = openProtocolSite({ tables: TABLES, protocols: (mount) => [contentExport(wrong, mount)] })
    await expect(open).rejects.toThrow(
      'protocols.content-export.topics.portal: "content_topics" has no field "portalID". Did you mean "portalId"?',
    )
  })
})

/** `fetch` adds an Accept-Language of its own. */
function bare(site: ProtocolSite, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${site.key}`, 'content-type': 'application/json' }
    const sent = request(`${site.url}${path}`, { method, headers }, (answer) => {
      let received = ''
      answer.on('data', (chunk) => {
        received += chunk
      })
      answer.on('end', () => resolve(JSON.parse(received)))
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? JSON.stringify(asked(1)) : undefined)
  })
}
