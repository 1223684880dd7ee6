/** Requests for an export and its status: what is asked of the rows, what is answered when, and who may see it. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completionOf, jobId } from '../../../test/contracts/sample-job.ts'
import { play, readExchanges } from '../../../test/exchanges.ts'
import type { ProtocolSite } from '../../../test/protocol-site.ts'
import { expectWire, openClientsSite } from '../../../test/protocols/clients-export-site.ts'
import { listResources } from '../../exports/resources.ts'
import { configuredClients } from './clients.ts'
import { TARGET_FIELDS, usualName } from './target-fields.ts'

const EXPORTS = '/tenants/acme/clients/export/csv'
let site: ProtocolSite
beforeAll(async () => {
  site = await openClientsSite({
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
    const slow = await openClientsSite({ waitSeconds: 10 })
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
    const stopping = await openClientsSite({ waitSeconds: 30 })
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
