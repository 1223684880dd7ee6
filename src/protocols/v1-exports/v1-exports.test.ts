/** Exports of messages: what is asked of the rows, what is answered in which state, and who may see it. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jobId } from '../../../test/contracts/sample-job.ts'
import { play, readExchanges } from '../../../test/exchanges.ts'
import { openProtocolSite, type ProtocolSite, type WireAnswer } from '../../../test/protocol-site.ts'
import { expectWire, MESSAGES, openV1Site } from '../../../test/protocols/v1-exports-site.ts'
import { createKey } from '../../access/keys.ts'
import { v1Exports } from './v1-exports.ts'

describe('v1-exports', () => {
  let site: ProtocolSite
  beforeAll(async () => {
    site = await openV1Site()
  })
  afterAll(() => site.close())

  const span = { start_time: '2025-12-01T00:00:00Z', end_time: '2025-12-02T00:00:00Z' }
  const post = async (body: unknown, headers: Record<string, string> = {}) => {
    const answer = await site.ask('/v1/exports', { method: 'POST', body, headers })
    expectWire(answer)
    return answer
  }
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await site.ask(`/v1/exports${path}`, { headers })
    expectWire(answer)
    return answer
  }

  it.each(readExchanges(join(import.meta.dirname, 'fixtures')))('answers as recorded: %s', async (_name, exchange) => {
    expectWire(await play(site, exchange))
  })

  it('asks for the messages of the span, its start included and its end not, with every filter', async () => {
    const { body } = await post({
      ...span,
      status: 'queued',
      endpoint_id: 'ep_550E8400E29B41D4A716446655440000',
    })
    const own = await site.ask(`/exports/${body.data.id}`)
    expect(own.body).toMatchObject({
      resource: 'messages',
      format: 'csv',
      compression: null,
      options: { times: 'rfc3339' },
      filters: {
        created_at_gteq: '2025-12-01T00:00:00Z',
        created_at_lt: '2025-12-02T00:00:00Z',
        direction_eq: 'outbound',
        status_eq: 'queued',
        endpoint_id_eq: '550e8400-e29b-41d4-a716-446655440000',
      },
    })
  })

  it('an endpoint without a message of the caller is not found, and nothing is stored', async () => {
    const before = (await site.stored()).length
    site.rows.count = 0
    const refused = await post({ ...span, endpoint_id: 'ep_550e8400e29b41d4a716446655440001' })
    site.rows.count = 3
    expect(refused).toMatchObject({ status: 404, body: { error: { code: 'ENDPOINT_NOT_FOUND', message: 'endpoint not found' } } })
    expect(await site.stored()).toHaveLength(before)
  })

  it('an endpoint that cannot be looked up in time is taken as it is', async () => {
    site.rows.count = null
    expect((await post({ ...span, endpoint_id: 'ep_550e8400e29b41d4a716446655440001' })).status).toBe(201)
    site.rows.count = 3
  })

  it('an expired export says so, keeps its figures and has no file', async () => {
    const { id } = await site.given({ number: 50, status: 'completed', resource: 'messages' })
    const now = site.clock.now
    site.clock.now = new Date(now.getTime() + 8 * 86_400_000)
    const shown = await get(`/${id}`)
    const download = await get(`/${id}/download`)
    site.clock.now = now
    expect(shown.body.data).toMatchObject({ status: 'expired', row_count: 120, file_size_bytes: 5 })
    expect(download).toMatchObject({ status: 410, body: { error: { code: 'EXPORT_EXPIRED', message: 'Export has expired' } } })
  })

  it('shows what was interrupted on its way as pending, without when it started', async () => {
    const { id } = await site.given({ number: 53, status: 'in_progress', resource: 'messages' })
    await site.store.interrupt('acme', id, site.clock.now)
    const { data } = (await get(`/${id}`)).body
    expect(data.status).toBe('pending')
    expect(data).not.toHaveProperty('started_at')
  })

  it('the download leads to the bytes of the file', async () => {
    const { id } = await site.given({ number: 51, status: 'completed', resource: 'messages', bytes: Buffer.from('id\nm-1\n') })
    const { headers } = await get(`/${id}/download`)
    const file = await fetch(headers.get('location') ?? '')
    expect({ status: file.status, text: await file.text() }).toEqual({ status: 200, text: 'id\nm-1\n' })
  })

  it('the download of several files is an archive of them', async () => {
    const { id } = await site.given({ number: 52, status: 'completed', resource: 'messages', files: 2 })
    const { headers } = await get(`/${id}/download`)
    const file = await fetch(headers.get('location') ?? '')
    expect(
      Buffer.from(await file.arrayBuffer())
        .subarray(0, 2)
        .toString(),
    ).toBe('PK')
  })

  it('says whose requests were too many: a caller that is known, or an address without a key', async () => {
    const limited = await openV1Site({ requestsPerMinute: 10 })
    try {
      const codes = async (headers: Record<string, string>) => {
        const answers: WireAnswer[] = []
        for (let asked = 0; asked < 12; asked += 1) answers.push(await limited.ask('/v1/exports', { headers }))
        for (const answer of answers) expectWire(answer)
        const last = answers.at(-1)
        return { status: last?.status, code: last?.body.error.code, retry: last?.headers.get('retry-after') }
      }
      const retry = expect.stringMatching(/^[1-9]\d?$/)
      expect(await codes({})).toEqual({ status: 429, code: 'BURST_LIMIT_EXCEEDED', retry })
      expect(await codes({ authorization: 'Bearer nobody' })).toEqual({ status: 429, code: 'RATE_LIMITED', retry })
    } finally {
      await limited.close()
    }
  })

  it('a server that stops says so, and when to come back', async () => {
    const stopping = await openV1Site({}, () => false)
    try {
      const answer = await stopping.ask('/v1/exports', { method: 'POST', body: span })
      expectWire(answer)
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'SERVICE_UNAVAILABLE' } } })
      expect(answer.headers.get('retry-after')).toBe('5')
    } finally {
      await stopping.close()
    }
  })

  it('shows exports of messages that the own API made, as far as their filters say the same', async () => {
    const { body } = await site.ask('/exports', {
      method: 'POST',
      body: { resource: 'messages', format: 'ndjson', filters: { created_at_gteq: '2026-01-01T00:00:00Z', status_eq: 'queued' } },
    })
    const { data } = (await get(`/${body.id}`)).body
    expect(data).toMatchObject({
      filter_start_time: '2026-01-01T00:00:00Z',
      filter_end_time: data.created_at,
      filter_status: 'queued',
    })
    expect(data).not.toHaveProperty('direction')
  })

  it('does not know exports of other resources', async () => {
    const { id } = await site.given({ number: 60, status: 'completed', resource: 'orders' })
    const several = { parts: [{ resource: 'messages' }, { resource: 'orders' }] }
    const both = (await site.ask('/exports', { method: 'POST', body: several })).body.id
    for (const unknown of [id, both]) {
      expect((await get(`/${unknown}`)).body.error.message).toBe('Export not found')
      expect((await get(`/${unknown}/download`)).status).toBe(404)
      expect((await site.ask(`/v1/exports/${unknown}`, { method: 'DELETE' })).status).toBe(404)
    }
    const listed = (await get('')).body.data.map(({ id }) => id)
    expect(listed).not.toContain(id)
    expect(listed).not.toContain(both)
  })

  it('asks a scope for each deed: to read, to write and to download', async () => {
    const { id } = await site.given({ number: 61, status: 'completed', resource: 'messages' })
    const statuses = async (scopes: string[]) => {
      const { secret } = await createKey(site.store, { tenant: 'acme', name: 'narrow', mode: 'live', scopes }, site.clock.now)
      const headers = { authorization: `Bearer ${secret}` }
      return [
        (await get(`/${id}`, headers)).status,
        (await get(`/${id}/download`, headers)).status,
        (await post(span, headers)).status,
        (await site.ask(`/v1/exports/${id}`, { method: 'DELETE', headers })).status,
      ]
    }
    expect(await statuses(['exports:read'])).toEqual([200, 403, 403, 403])
    expect(await statuses(['exports:download'])).toEqual([403, 302, 403, 403])
    expect(await statuses(['exports:write'])).toEqual([403, 403, 201, 204])
  })

  it('lists every export of the tenant, newest first, and none of another', async () => {
    const { data } = (await get('')).body
    const ids = data.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(10)
    expect(ids).toEqual([...ids].sort().reverse())
    expect((await get('', { authorization: `Bearer ${site.otherKey}` })).body.data).toEqual([])
  })

  it("another tenant's id answers exactly like an unknown one, with every verb", async () => {
    const other = { authorization: `Bearer ${site.otherKey}` }
    const { id } = await site.given({ number: 70, status: 'completed', resource: 'messages' })
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/download'],
      ['DELETE', ''],
    ] as const) {
      const answers = [id, jobId(987_654)].map((each) => site.ask(`/v1/exports/${each}${path}`, { method, headers: other }))
      const [theirs, unknown] = await Promise.all(answers)
      expect(theirs?.status).toBe(404)
      expect(theirs?.body.error).toEqual(unknown?.body.error)
    }
    expect((await get(`/${id}`)).status).toBe(200)
  })

  it('an id in upper case names the same export', async () => {
    const { id } = await site.given({ number: 0xabc, status: 'pending', resource: 'messages' })
    expect((await get(`/${id.toUpperCase()}`)).body.data.id).toBe(id)
  })

  it('one key makes one export, another body with it is a mismatch, and the own API has keys of its own', async () => {
    const headers = { 'idempotency-key': 'k-1' }
    const first = await post(span, headers)
    expect((await post(span, headers)).body.data.id).toBe(first.body.data.id)
    expect(await post({ ...span, status: 'queued' }, headers)).toMatchObject({
      status: 409,
      body: { error: { code: 'IDEMPOTENCY_MISMATCH' } },
    })
    const own = await site.ask('/exports', { method: 'POST', body: { resource: 'orders' }, headers })
    expect(own.status).toBe(201)
    for (const key of ['', 'x'.repeat(256), 'a,b']) {
      expect(await post(span, { 'idempotency-key': key })).toMatchObject({
        status: 400,
        body: { error: { code: 'INVALID_REQUEST' } },
      })
    }
  })
})

describe('the section of v1-exports', () => {
  it('is refused where it names a field that the resource does not have', async () => {
    const open = openProtocolSite({
      tables: { messages: MESSAGES },
      protocols: (site) => [v1Exports({ resource: 'messages', fields: { time: 'craeted_at' } }, site)],
    })
    await expect(open).rejects.toThrow(
      'protocols.v1-exports.fields.time: "messages" has no field "craeted_at". Did you mean "created_at"?',
    )
  })
})
