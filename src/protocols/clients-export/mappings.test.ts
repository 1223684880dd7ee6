/** Saved mappings: kept per tenant, beside those that every tenant has. */
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProtocolSite, type ProtocolSite, type WireAnswer } from '../../../test/protocol-site.ts'
import { createKey } from '../../access/keys.ts'
import { MOST_TEMPLATES } from '../../exports/templates.ts'
import { clientsExport } from './clients-export.ts'

const CLIENTS = { id: 'integer', tenant_id: 'text', name: 'text', code: 'text', email: 'text', ni_number: 'text' } as const
const MAPPINGS = '/tenants/acme/csv-mappings'
const EXPORTS = '/tenants/acme/clients/export/csv'

const strict = { additionalProperties: false }
const Utc = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' })
const CsvMapping = Type.Object(
  {
    code: Type.String({ minLength: 1 }),
    name: Type.String({ minLength: 1 }),
    columnMappings: Type.Array(Type.Object({ csvHeader: Type.String(), targetField: Type.String() }, strict)),
    matchField: Type.Enum(['Code', 'Name', 'CompanyNumber', 'InternalReference', 'NiNumber']),
    isPreset: Type.Boolean(),
    mappingType: Type.Literal('Client'),
    createdDate: Type.Union([Utc, Type.Null()]),
    updatedDate: Type.Union([Utc, Type.Null()]),
  },
  strict,
)
const CsvMappings = Type.Object(
  {
    data: Type.Array(CsvMapping),
    totalCount: Type.Integer(),
    offset: Type.Integer(),
    limit: Type.Integer(),
    hasMore: Type.Boolean(),
  },
  strict,
)

function expectMapping({ status, body }: WireAnswer, expected: number): Type.Static<typeof CsvMapping> {
  expect([status, ...Value.Errors(CsvMapping, body)]).toEqual([expected])
  return Value.Parse(CsvMapping, body)
}
function expectMappings({ status, body }: WireAnswer): Type.Static<typeof CsvMappings> {
  expect([status, ...Value.Errors(CsvMappings, body)]).toEqual([200])
  return Value.Parse(CsvMappings, body)
}

const columns = [
  { csvHeader: 'Client', targetField: 'Name' },
  { csvHeader: 'E-mail', targetField: 'Email' },
]
const request = { name: 'Mail merge', columnMappings: columns, matchField: 'Name', mappingType: 'Client' }

let site: ProtocolSite
beforeAll(async () => {
  site = await openProtocolSite({
    tables: { clients: CLIENTS, orders: { id: 'integer', tenant_id: 'text' } },
    protocols: (mount) => [
      clientsExport(
        {
          resource: 'clients',
          waitSeconds: 0.01,
          mappings: { short: { columns: [{ csvHeader: 'Client', targetField: 'Name' }] } },
        },
        mount,
      ),
    ],
  })
})
afterAll(() => site.close())

const save = (body: unknown, headers: Record<string, string> = {}) => site.ask(MAPPINGS, { method: 'POST', body, headers })
const titles = async (mappingCode: string, headers: Record<string, string> = {}) => {
  const { status, body } = await site.ask(EXPORTS, { method: 'POST', body: { mappingCode }, headers })
  if (status !== 202) return [status, body.code]
  const job = await site.store.find(body.code)
  return job?.request.parts[0]?.titles
}
const keyWith = async (...scopes: string[]) => {
  const { secret } = await createKey(site.store, { tenant: 'acme', name: 's', mode: 'live', scopes }, site.clock.now)
  return { authorization: `Bearer ${secret}` }
}

describe('saved mappings', () => {
  it('are saved under a code of their own, shown, used, changed and removed', async () => {
    const answer = await save(request)
    const saved = expectMapping(answer, 201)
    const { mappingType, ...asked } = request
    expect(saved).toMatchObject({ ...asked, isPreset: false, createdDate: site.clock.now.toISOString(), updatedDate: null })
    expect(answer.headers.get('location')).toBe(`${site.url}${MAPPINGS}/${saved.code}`)
    for (const prefix of ['', '/api', '/tenants/acme', '/api/tenants/acme']) {
      expect(expectMapping(await site.ask(`${prefix}/csv-mappings/${saved.code}`), 200)).toEqual(saved)
    }
    expect(await titles(saved.code)).toEqual(['Client', 'E-mail'])

    const change = { name: 'Letters', columnMappings: columns.slice(0, 1) }
    const changed = expectMapping(await site.ask(`${MAPPINGS}/${saved.code}`, { method: 'PUT', body: change }), 200)
    expect(changed).toEqual({ ...saved, ...change, matchField: 'Code', updatedDate: site.clock.now.toISOString() })
    expect(expectMapping(await site.ask(`${MAPPINGS}/${saved.code}`), 200)).toEqual(changed)
    expect(await titles(saved.code)).toEqual(['Client'])

    const removed = await site.ask(`${MAPPINGS}/${saved.code}`, { method: 'DELETE' })
    expect([removed.status, removed.text]).toEqual([204, ''])
    for (const method of ['GET', 'DELETE']) {
      expect((await site.ask(`${MAPPINGS}/${saved.code}`, { method })).status).toBe(404)
    }
    expect((await site.ask(`${MAPPINGS}/${saved.code}`, { method: 'PUT', body: change })).status).toBe(404)
    expect(await titles(saved.code)).toEqual([404, 'NOT_FOUND'])
    const audit = await site.store.audit({ tenant: 'acme', exportId: null, since: null, afterSeq: 0, limit: 100 })
    const told = audit.filter(({ data }) => data.template === saved.code)
    expect(told.map(({ action }) => action)).toEqual(['template_saved', 'template_changed', 'template_removed'])
    expect(JSON.stringify(told)).not.toContain('Letters')
  })

  it('are listed behind the presets, a page at a time, at both addresses', async () => {
    const codes: string[] = []
    for (const name of ['One', 'Two', 'Three']) {
      site.clock.now = new Date(site.clock.now.getTime() + 1_000)
      codes.push((await save({ ...request, name })).body.code)
    }
    const paths = ['/clients/import/csv/mappings', '/api/tenants/acme/clients/import/csv/mappings', MAPPINGS, '/csv-mappings']
    const all = expectMappings(await site.ask(MAPPINGS))
    expect(all.data.map(({ code, name, isPreset }) => [code, name, isPreset])).toEqual([
      ['limited-company-clients', 'Limited company clients', true],
      ['individual-clients', 'Individual clients', true],
      ['short', 'short', true],
      ...['One', 'Two', 'Three'].map((name, index) => [codes[index], name, false]),
    ])
    expect(all).toMatchObject({ totalCount: 6, offset: 0, limit: 100, hasMore: false })
    for (const path of paths) expect((await site.ask(path)).body).toEqual(all)
    const page = expectMappings(await site.ask(`${MAPPINGS}?offset=2&limit=2`))
    expect(page).toEqual({ data: all.data.slice(2, 4), totalCount: 6, offset: 2, limit: 2, hasMore: true })
    expect(expectMappings(await site.ask(`${MAPPINGS}?offset=9`))).toMatchObject({ data: [], hasMore: false })
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'limit=', 'offset=-1', 'offset=1e3', 'limit=1&limit=2']) {
      expect([query, (await site.ask(`${MAPPINGS}?${query}`)).status]).toEqual([query, 400])
    }
    for (const code of codes) await site.ask(`${MAPPINGS}/${code}`, { method: 'DELETE' })
  })

  it.each(['limited-company-clients', 'individual-clients', 'short'])(
    'the preset %s can be neither changed nor removed',
    async (code) => {
      const before = expectMapping(await site.ask(`${MAPPINGS}/${code}`), 200)
      expect(before).toMatchObject({ isPreset: true, createdDate: null, updatedDate: null })
      const { mappingType, ...change } = request
      for (const asked of [{ method: 'PUT', body: change }, { method: 'DELETE' }]) {
        const { status, body } = await site.ask(`${MAPPINGS}/${code}`, asked)
        expect([status, body.message]).toEqual([400, 'This mapping is a preset and can be neither changed nor removed.'])
      }
      expect((await site.ask(`${MAPPINGS}/${code}`)).body).toEqual(before)
    },
  )

  it("are the tenant's own: to another they do not exist", async () => {
    const { code } = (await save(request)).body
    const theirs = { authorization: `Bearer ${site.otherKey}` }
    const { mappingType, ...change } = request
    for (const asked of [{}, { method: 'PUT', body: change }, { method: 'DELETE' }]) {
      const answers = await Promise.all(
        [code, 'AAAAAAAAAA'].map((each) => site.ask(`/csv-mappings/${each}`, { ...asked, headers: theirs })),
      )
      const [one, unknown] = answers.map(({ status, body }) => ({ status, body: { ...body, request_id: '' } }))
      expect(one).toEqual(unknown)
      expect(one?.status).toBe(404)
    }
    expect((await site.ask(MAPPINGS, { headers: theirs })).status).toBe(404)
    expect(expectMappings(await site.ask('/csv-mappings', { headers: theirs })).totalCount).toBe(3)
    const used = { method: 'POST', body: { mappingCode: code }, headers: theirs }
    expect((await site.ask('/clients/export/csv', used)).status).toBe(404)
    expect((await site.ask(`${MAPPINGS}/${code}`, { method: 'DELETE' })).status).toBe(204)
  })

  it('are read by who may read exports of clients, and changed by who may write them', async () => {
    const { code } = (await save(request)).body
    const { mappingType, ...change } = request
    const statuses = async (...scopes: string[]) => {
      const headers = await keyWith(...scopes)
      const asked = [
        site.ask(MAPPINGS, { headers }),
        site.ask(`${MAPPINGS}/${code}`, { headers }),
        save(request, headers),
        site.ask(`${MAPPINGS}/${code}`, { method: 'PUT', body: change, headers }),
        site.ask(`${MAPPINGS}/AAAAAAAAAA`, { method: 'DELETE', headers }),
      ]
      return (await Promise.all(asked)).map(({ status }) => status)
    }
    expect(await statuses('exports:read')).toEqual([200, 200, 403, 403, 403])
    expect(await statuses('exports:write')).toEqual([403, 403, 201, 200, 404])
    expect(await statuses('exports:read:orders', 'exports:write:orders')).toEqual([403, 403, 403, 403, 403])
    expect(await statuses('exports:read:clients', 'exports:write:clients')).toEqual([200, 200, 201, 200, 404])
    expect(await titles(code, await keyWith('exports:write'))).toEqual(['Client', 'E-mail'])
  })

  it('have a bound for each tenant', async () => {
    const kept = expectMappings(await site.ask(MAPPINGS)).totalCount - 3
    const more = await Promise.all(Array.from({ length: MOST_TEMPLATES - kept + 5 }, () => save(request)))
    expect(more.filter(({ status }) => status === 201)).toHaveLength(MOST_TEMPLATES - kept)
    const refused = more.filter(({ status }) => status !== 201)
    expect(refused.map(({ status, body }) => [status, body.message])).toEqual(
      Array.from({ length: 5 }, () => [400, '200 are saved already, and no more can be; remove one first.']),
    )
  })

  it('that name what is offered no more are refused when they are used, instead of a column being lost', async () => {
    const narrower = await openProtocolSite({
      tables: { clients: { id: 'integer', tenant_id: 'text', name: 'text' } },
      protocols: (mount) => [clientsExport({ resource: 'clients', waitSeconds: 0.01 }, mount)],
    })
    const template = { id: 'AAAAAAAAAA', name: 'Old', createdAt: site.clock.now, updatedAt: null }
    const place = { tenant: 'acme', kind: 'csv-mapping' }
    const content = { columns, matchField: 'Code' }
    await narrower.store.addTemplate(place, { ...template, content }, { most: 1, actor: { by: 'k', from: null } })
    const { status, body } = await narrower.ask(EXPORTS, { method: 'POST', body: { mappingCode: 'AAAAAAAAAA' } })
    expect([status, body.errors]).toEqual([
      400,
      { mappingCode: ['This mapping has a column of Email, which is not offered here; change it.'] },
    ])
    await narrower.close()
  })

  it("hold only what is the caller's to have, as exports do", async () => {
    const restricted = await openProtocolSite({
      tables: { clients: CLIENTS },
      resources: { clients: { fieldScopes: { ni_number: 'pii:read' } } },
      protocols: (mount) => [
        clientsExport(
          {
            resource: 'clients',
            waitSeconds: 0.01,
            mappings: { full: { columns: [{ csvHeader: 'NI', targetField: 'NiNumber' }] } },
          },
          mount,
        ),
      ],
    })
    const asked = async (body: unknown, ...more: string[]) => {
      const scopes = ['exports:read', 'exports:write', ...more]
      const { secret } = await createKey(
        restricted.store,
        { tenant: 'acme', name: 's', mode: 'live', scopes },
        restricted.clock.now,
      )
      const headers = { authorization: `Bearer ${secret}` }
      const answer = await restricted.ask(EXPORTS, { method: 'POST', body, headers })
      const job = answer.status === 202 ? await restricted.store.find(answer.body.code) : null
      return [answer.status, job?.request.parts[0]?.titles?.includes('NiNumber') ?? null]
    }
    expect(await asked({})).toEqual([202, false])
    expect(await asked({}, 'pii:read')).toEqual([202, true])
    expect(await asked({ mappingCode: 'individual-clients' })).toEqual([202, false])
    const inline = { columnMappings: [{ csvHeader: 'NiNumber', targetField: 'NiNumber' }] }
    expect(await asked(inline)).toEqual([400, null])
    expect(await asked(inline, 'pii:read')).toEqual([202, true])
    expect(await asked({ mappingCode: 'full' })).toEqual([400, null])
    await restricted.close()
  })

  it.each([
    ['POST', '/tenants/acme/clients/import/csv', 404],
    ['GET', '/tenants/acme/clients/import/csv/AAAAAAAAAA', 404],
    ['PUT', '/tenants/acme/clients/import/csv/AAAAAAAAAA', 404],
  ])('clients are not imported: %s %s', async (method, path, status) => {
    const answer = await site.ask(path, { method, ...(method === 'GET' ? {} : { body: {} }) })
    expect([answer.status, answer.body.code]).toEqual([status, 'NOT_FOUND'])
  })
})
