import { join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completionOf, jobId } from '../../../test/contracts/sample-job.ts'
import { play, readExchanges } from '../../../test/exchanges.ts'
import { openProtocolSite, type ProtocolSite, type Tables, type WireAnswer } from '../../../test/protocol-site.ts'
import { createKey } from '../../access/keys.ts'
import { listResources } from '../../exports/resources.ts'
import type { CellType } from '../../job/row-text.ts'
import { configuredClients } from './clients.ts'
import { clientsExport } from './clients-export.ts'
import type { ClientsExportConfig } from './settings.ts'
import { TARGET_FIELDS, usualName } from './target-fields.ts'

const CLIENTS: Record<string, CellType> = {
  id: 'integer',
  tenant_id: 'text',
  ...Object.fromEntries(TARGET_FIELDS.map((target) => [usualName(target), 'text' as const])),
  manager_code: 'text',
  partner_code: 'text',
  associate_code: 'text',
  service_codes: 'json',
}
const TABLES: Tables = { clients: CLIENTS, orders: { id: 'integer', tenant_id: 'text' } }

const openSite = (section: Partial<ClientsExportConfig> = {}, tables = TABLES): Promise<ProtocolSite> =>
  openProtocolSite({
    tables,
    protocols: (site) => [clientsExport({ resource: 'clients', waitSeconds: 0.05, ...section }, site)],
  })

const strict = { additionalProperties: false }
const Utc = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' })
const nothing = Type.Null()
const job = (members: Record<string, ReturnType<typeof Type.Null>>) =>
  Type.Object({ code: Type.String(), ...members, createdDate: Utc }, strict)
const as = <T>(schema: T) => schema as unknown as ReturnType<typeof Type.Null>
const count = as(Type.Integer({ minimum: 0 }))
/** Which members are null in which status, as the contract's table has it. */
const JOBS: Record<string, ReturnType<typeof job>> = {
  Queued: job({
    status: as(Type.Literal('Queued')),
    totalItems: nothing,
    processedItems: count,
    downloadUrl: nothing,
    startedDate: nothing,
    completedDate: nothing,
  }),
  InProgress: job({
    status: as(Type.Literal('InProgress')),
    totalItems: as(Type.Union([count, nothing])),
    processedItems: count,
    downloadUrl: nothing,
    startedDate: as(Utc),
    completedDate: nothing,
  }),
  Completed: job({
    status: as(Type.Literal('Completed')),
    totalItems: count,
    processedItems: count,
    downloadUrl: as(Type.Union([Type.String(), nothing])),
    startedDate: as(Utc),
    completedDate: as(Utc),
  }),
  Failed: job({
    status: as(Type.Literal('Failed')),
    totalItems: as(Type.Union([count, nothing])),
    processedItems: count,
    downloadUrl: nothing,
    startedDate: as(Utc),
    completedDate: as(Utc),
  }),
  Cancelled: job({
    status: as(Type.Literal('Cancelled')),
    totalItems: as(Type.Union([count, nothing])),
    processedItems: count,
    downloadUrl: nothing,
    startedDate: as(Type.Union([Utc, nothing])),
    completedDate: as(Utc),
  }),
}
const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ minLength: 1 }),
    message: Type.String({ minLength: 1 }),
    code: Type.String({ pattern: '^[A-Z_]+$' }),
    request_id: Type.String({ minLength: 1 }),
    errors: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
    allowed: Type.Optional(Type.Array(Type.String())),
  },
  strict,
)

/** What every answer about an export or an error is. */
function expectWire({ status, headers, body, text }: WireAnswer): void {
  const schema = status >= 400 ? Problem : (JOBS[body.status] ?? nothing)
  expect([...Value.Errors(schema, body)]).toEqual([])
  expect(headers.get('content-type')).toBe(status >= 400 ? 'application/problem+json' : 'application/json; charset=utf-8')
  expect(text).not.toMatch(/tenant_id|node_modules|select |SQLITE/)
  if (status === 201) expect(body.downloadUrl).toMatch(/^http/)
  if (status >= 400) expect({ status: body.status, message: body.message }).toEqual({ status, message: body.detail })
}

const EXPORTS = '/tenants/acme/clients/export/csv'
let site: ProtocolSite
beforeAll(async () => {
  site = await openSite({
    mappings: { short: { columns: [{ csvHeader: 'Client', targetField: 'Name' }] } },
  })
})
afterAll(() => site.close())

const post = async (body: unknown, headers: Record<string, string> = {}) => {
  const answer = await site.ask(EXPORTS, { method: 'POST', body, headers })
  expectWire(answer)
  return answer
}
const get = async (code: string) => {
  const answer = await site.ask(`${EXPORTS}/${code}`)
  expectWire(answer)
  return answer
}
/** What was made of a request: of the newest job. */
const made = async () => {
  const [newest] = await site.stored()
  return newest?.request ?? { parts: [] }
}

describe('clients-export', () => {
  it.each(readExchanges(join(import.meta.dirname, 'fixtures')))('answers as recorded: %s', async (_name, exchange) => {
    expectWire(await play(site, exchange))
  })

  it('exports every field under its own name when no mapping is given, times in RFC 3339 and with a header', async () => {
    await post({})
    const { parts, options, format, compression } = (await made()) as {
      parts: { titles: string[]; fields: string[] }[]
    } & Record<string, unknown>
    expect({ options, format, compression }).toEqual({
      options: { header: true, times: 'rfc3339' },
      format: 'csv',
      compression: null,
    })
    expect(parts[0]?.titles).toEqual([...TARGET_FIELDS])
    expect(parts[0]?.fields).toEqual(TARGET_FIELDS.map(usualName))
    expect(parts[0]?.fields).toContain('registered_address_post_code')
  })

  it('exports the columns of an inline mapping in its order, one field twice if so asked', async () => {
    const columnMappings = [
      { csvHeader: 'E-mail; "work"', targetField: 'Email' },
      { csvHeader: '=Name', targetField: 'Name' },
      { csvHeader: 'E-mail again', targetField: 'Email' },
    ]
    await post({ columnMappings, includeHeaders: false })
    expect(await made()).toMatchObject({
      parts: [{ fields: ['email', 'name', 'email'], titles: ['E-mail; "work"', '=Name', 'E-mail again'] }],
      options: { header: false },
    })
  })

  it('exports the columns of a saved mapping, a preset or a configured one', async () => {
    await post({ mappingCode: 'short' })
    expect((await made()).parts[0]).toMatchObject({ fields: ['name'], titles: ['Client'] })
    await post({ mappingCode: 'individual-clients' })
    expect((await made()).parts[0]?.titles).toContain('National insurance number')
    await post({ mappingCode: 'limited-company-clients' })
    expect((await made()).parts[0]?.titles).toContain('Company number')
  })

  it('filters by every member of the filter, and by none that is empty', async () => {
    await post({
      filter: {
        managerCodes: ['M1', 'M2'],
        partnerCodes: ['P1'],
        associateCodes: ['A1'],
        statuses: ['Active', 'LostProspect'],
        types: ['SoleTrader'],
        serviceCodes: ['VAT', 'PAY'],
        search: '50% "off"',
      },
    })
    expect((await made()).parts[0]?.filters).toEqual({
      manager_code_in: ['M1', 'M2'],
      partner_code_in: ['P1'],
      associate_code_in: ['A1'],
      status_in: ['Active', 'LostProspect'],
      type_in: ['SoleTrader'],
      service_codes_jcont_any: ['VAT', 'PAY'],
      name_or_code_or_email_or_internal_reference_cont: '50% "off"',
    })
    await post({ filter: { statuses: [], types: null } })
    expect((await made()).parts[0]?.filters).toEqual({})
  })

  it('answers 201 with the link as soon as the file is there', async () => {
    const slow = await openSite({ waitSeconds: 10 })
    try {
      const answer = slow.ask(EXPORTS, { method: 'POST', body: {} })
      await expect.poll(async () => (await slow.stored()).length).toBe(1)
      const [pending] = await slow.stored()
      const claimed = await slow.store.claim(pending?.id ?? '', slow.clock.now)
      await slow.store.complete(
        claimed?.id ?? '',
        1,
        completionOf({ id: claimed?.id ?? '', run: 1 }, slow.clock.now, new Date(slow.clock.now.getTime() + 1_000)),
      )
      const created = await answer
      expectWire(created)
      expect(created).toMatchObject({ status: 201, body: { status: 'Completed', processedItems: 120 } })
      expect(created.headers.get('location')).toBeNull()
    } finally {
      await slow.close()
    }
  })

  it('waits ten seconds unless the configuration says otherwise', async () => {
    const resources = listResources(site.context, null)
    expect(configuredClients({ resource: 'clients' }, resources).waitSeconds).toBe(10)
    expect(configuredClients({ resource: 'clients', waitSeconds: 3 }, resources).waitSeconds).toBe(3)
  })

  it('a server that stops answers those who wait at once', async () => {
    const stopping = await openSite({ waitSeconds: 30 })
    const answer = stopping.ask(EXPORTS, { method: 'POST', body: {} })
    await expect.poll(async () => (await stopping.stored()).length).toBe(1)
    const began = performance.now()
    await stopping.close()
    expect(await answer).toMatchObject({ status: 202, body: { status: 'Queued' } })
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('shows what the own API cancels', async () => {
    const { body } = await post({})
    expect((await site.ask(`/exports/${body.code}/cancel`, { method: 'POST' })).status).toBe(200)
    expect((await get(body.code)).body).toMatchObject({ status: 'Cancelled', startedDate: null })
  })

  it('shows what was interrupted on its way as queued, as if it had never begun', async () => {
    const { id } = await site.given({ number: 99, status: 'in_progress', resource: 'clients' })
    const total = { total: 120, totalIsEstimate: false, rowsPerSecond: 5, at: site.clock.now, reached: 0 }
    await site.store.progress(id, 1, { ...total, processed: 60 })
    expect((await get(id)).body).toMatchObject({ status: 'InProgress', totalItems: 120, processedItems: 60 })
    await site.store.progress(id, 1, { ...total, total: 70, totalIsEstimate: true, processed: 90 })
    expect((await get(id)).body).toMatchObject({ totalItems: 90, processedItems: 90 })
    await site.store.interrupt('acme', id, site.clock.now)
    expect((await get(id)).body).toMatchObject({ status: 'Queued', totalItems: null, processedItems: 0, startedDate: null })
  })

  it('gives one link for as long as the file is kept, which leads to its bytes and says who followed it', async () => {
    const { id } = await site.given({ number: 100, status: 'completed', resource: 'clients', bytes: Buffer.from('Name\nZoë\n') })
    const now = site.clock.now
    const { downloadUrl } = (await get(id)).body
    expect((await get(id)).body.downloadUrl).toBe(downloadUrl)
    site.clock.now = new Date(now.getTime() + 6 * 86_400_000)
    const followed = await fetch(downloadUrl, { redirect: 'manual' })
    const storageLink = followed.headers.get('location') ?? ''
    expect(followed.status).toBe(302)
    expect(await (await fetch(storageLink)).text()).toBe('Name\nZoë\n')
    site.clock.now = new Date(site.clock.now.getTime() + 600_000)
    expect((await fetch(storageLink)).status).toBe(403)
    expect((await fetch(downloadUrl)).status).toBe(200)
    site.clock.now = new Date(now.getTime() + 7 * 86_400_000)
    expect((await fetch(downloadUrl)).status).toBe(403)
    expect((await get(id)).body).toMatchObject({ status: 'Completed', downloadUrl: null })
    site.clock.now = now
    const events = await site.store.events(id, 0)
    expect(events.filter(({ type }) => type === 'linked').map(({ data }) => data)).toContainEqual({
      by: site.key.split('_')[2],
      from: '127.0.0.1',
      file: 1,
      link: 'standing',
    })
  })

  it('no character of the link can be altered, and a link of another kind is none', async () => {
    const { id, run } = await site.given({ number: 101, status: 'completed', resource: 'clients' })
    const { downloadUrl } = (await get(id)).body as { downloadUrl: string }
    const path = downloadUrl.slice(site.url.length)
    const { verifyStanding } = site.context.links
    expect(verifyStanding(path, site.clock.now)).toEqual({ jobId: id, run, by: site.key.split('_')[2] })
    for (let at = 0; at < path.length; at += 1) {
      for (const other of ['0', 'z', '/', '%']) {
        if (path[at] === other) continue
        const altered = path.slice(0, at) + other + path.slice(at + 1)
        expect(() => verifyStanding(altered, site.clock.now), altered).toThrow('This download link was altered')
      }
    }
    const download = site.context.links.mint({ jobId: id, run, index: 1, name: 'clients.csv' }, site.clock.now)
    expect(() => verifyStanding(download.replace('/downloads/', '/links/'), site.clock.now)).toThrow()
    expect((await fetch(`${downloadUrl}&x=1`)).status).toBe(403)
    expect((await fetch(`${site.url}/links/${id}/1`)).status).toBe(403)
  })

  it('the link of several files leads to an archive of them', async () => {
    const { id } = await site.given({ number: 103, status: 'completed', resource: 'clients', files: 2 })
    const file = await fetch((await get(id)).body.downloadUrl)
    expect({ status: file.status, disposition: file.headers.get('content-disposition') }).toMatchObject({
      status: 200,
      disposition: expect.stringContaining('.zip'),
    })
    await file.arrayBuffer()
  })

  it('a link of an export that was removed, or run again, says that the file is gone', async () => {
    const { id } = await site.given({ number: 102, status: 'completed', resource: 'clients' })
    const { downloadUrl } = (await get(id)).body
    const status = async () => (await fetch(downloadUrl, { redirect: 'manual' })).status
    await site.store.filesRemoved(id, site.clock.now)
    expect(await status()).toBe(410)
    await site.store.remove('acme', id)
    expect(await status()).toBe(410)
  })

  it('does not know exports of other resources', async () => {
    const { id } = await site.given({ number: 110, status: 'completed', resource: 'orders' })
    expect((await get(id)).status).toBe(404)
  })

  it("another tenant's code answers exactly like an unknown one", async () => {
    const { id } = await site.given({ number: 111, status: 'completed', resource: 'clients' })
    const headers = { authorization: `Bearer ${site.otherKey}` }
    const [theirs, unknown] = await Promise.all(
      [id, jobId(987_654)].map((code) => site.ask(`/tenants/globex/clients/export/csv/${code}`, { headers })),
    )
    const { request_id: _one, ...first } = theirs?.body ?? {}
    const { request_id: _other, ...second } = unknown?.body ?? {}
    expect({ status: theirs?.status, ...first }).toEqual({ status: 404, ...second })
    expect((await site.ask(`${EXPORTS}/${id}`, { headers })).status).toBe(404)
  })

  it('gives the link only to those who may download', async () => {
    const { id } = await site.given({ number: 112, status: 'completed', resource: 'clients' })
    const { secret } = await createKey(
      site.store,
      { tenant: 'acme', name: 'reads', mode: 'live', scopes: ['exports:read'] },
      site.clock.now,
    )
    const answer = await site.ask(`${EXPORTS}/${id}`, { headers: { authorization: `Bearer ${secret}` } })
    expectWire(answer)
    expect(answer.body).toMatchObject({ status: 'Completed', downloadUrl: null })
  })

  it('takes the key from x-api-key', async () => {
    expect((await site.ask(`${EXPORTS}/42`, { headers: { 'x-api-key': site.key } })).status).toBe(404)
    expect((await site.ask(`${EXPORTS}/42`, { headers: { 'x-api-key': `${site.key}x` } })).status).toBe(401)
  })

  it('one key makes one export', async () => {
    const headers = { 'idempotency-key': 'k-1' }
    const first = await post({}, headers)
    expect((await post({}, headers)).body.code).toBe(first.body.code)
    expect((await post({ includeHeaders: false }, headers)).status).toBe(400)
  })
})

describe('the section of clients-export', () => {
  const refusal = (section: Partial<ClientsExportConfig>, tables?: Tables) => expect(openSite(section, tables)).rejects
  const { vat_number: _left, ...withoutVat } = CLIENTS

  it('is refused where it names what the resource does not have', async () => {
    await refusal({ fields: { VatNumber: 'vat_nubmer' } }).toThrow(
      'protocols.clients-export.fields.VatNumber: "clients" has no field "vat_nubmer". Did you mean "vat_number"?',
    )
    await refusal({ filters: { managerCode: 'manger_code' } }).toThrow('protocols.clients-export.filters.managerCode')
    await refusal({ filters: { serviceCodes: 'name' } }).toThrow('"name" must hold JSON')
    await refusal({ filters: { search: ['id'] } }).toThrow('protocols.clients-export.filters.search.0: "id" must hold text')
    await refusal(
      { mappings: { mine: { columns: [{ csvHeader: 'VAT', targetField: 'VatNumber' }] } } },
      { clients: withoutVat },
    ).toThrow('protocols.clients-export.mappings.mine: "clients" has no field for VatNumber')
    await refusal({ resource: 'orders' }).toThrow('"orders" has none of the fields that clients are exported with')
  })

  it('a field that the resource does not have is not offered, and left out of the presets', async () => {
    const less = await openSite({ tenants: { acme: 'A-1' } }, { clients: withoutVat })
    const exports = '/tenants/A-1/clients/export/csv'
    try {
      const asked = { columnMappings: [{ csvHeader: 'VAT', targetField: 'VatNumber' }] }
      const refused = await less.ask(exports, { method: 'POST', body: asked })
      expect(refused).toMatchObject({
        status: 400,
        body: { message: 'columnMappings[0].targetField: VatNumber is not offered here.' },
      })
      await less.ask(exports, { method: 'POST', body: { mappingCode: 'limited-company-clients' } })
      expect((await less.stored())[0]?.request.parts[0]?.titles).not.toContain('VAT number')
      expect((await less.ask('/tenants/acme/clients/export/csv', { method: 'POST', body: {} })).status).toBe(404)
    } finally {
      await less.close()
    }
  })
})
