import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { complete, type ExportsSite } from '../../../test/exports-site.ts'
import { type ApiSite, openApiSite } from '../../../test/freight-api.ts'
import type { Probe } from '../../exports/probe.ts'

const UNKNOWN = '0199a0b0-0000-7000-8000-000000000001'
const jobOf = async (site: ExportsSite, id: string) => {
  const job = await site.store.find(id)
  if (!job) throw new Error('there is no such job')
  return job
}

describe("Freight's own API", () => {
  let api: ApiSite
  let count: Awaited<ReturnType<Probe['count']>>
  beforeEach(async () => {
    count = { rows: 3, exact: true }
    api = await openApiSite({ count: async () => count })
  })
  afterEach(() => api.close())

  it('creates an export and answers with its address and everything that is known of it', async () => {
    const answer = await api.post('/exports', { resource: 'orders', filters: { status_eq: 'paid' }, reference: 'r-1', limit: 5 })
    expect(answer.status).toBe(201)
    expect(answer.headers.location).toBe(`https://freight.example/exports/${answer.body.id}`)
    expect(answer.body).toMatchObject({
      tenant: 'acme',
      mode: 'live',
      status: 'pending',
      queue_position: 0,
      resource: 'orders',
      filters: { status_eq: 'paid' },
      limit: 5,
      format: 'csv',
      reference: 'r-1',
      progress: { processed: 0, total: 3, total_is_estimate: false, percentage: 0, rows_per_second: null },
      manifest: null,
      attempt: 0,
    })
    expect((await api.get(`/exports/${answer.body.id}`)).body).toEqual(answer.body)
  })

  it('refuses what the catalog refuses with place and choice, and stores nothing', async () => {
    const top = await api.post('/exports', { resource: 'orders', fields: ['id', 'statis'] })
    expect(top).toMatchObject({ status: 422, body: { code: 'FIELD_UNKNOWN', pointer: '/fields/1' } })
    expect(top.body.allowed).toContain('status')
    expect(top.headers['content-type']).toContain('application/problem+json')
    const inside = await api.post('/exports', { parts: [{ resource: 'orders', fields: ['x'] }] })
    expect(inside).toMatchObject({ status: 422, body: { pointer: '/parts/0/fields/0' } })
    count = { rows: 101, exact: true }
    expect(await api.post('/exports', { resource: 'messages' })).toMatchObject({ status: 422, body: { code: 'TOO_MANY_ROWS' } })
    expect((await api.get('/exports')).body.data).toEqual([])
  })

  it('answers a repeated request with one key alike, and another body under it with 422', async () => {
    const key = { 'idempotency-key': 'k-1' }
    const first = await api.post('/exports', { resource: 'orders', limit: 1 }, key)
    const again = await api.post('/exports', '{ "limit": 1.0, "resource": "orders" }', key)
    expect([again.status, again.headers.location, again.body]).toEqual([201, first.headers.location, first.body])
    const other = await api.post('/exports', { resource: 'orders', limit: 2 }, key)
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } })
    const theirs = await api.post(
      '/exports',
      { resource: 'orders', limit: 2 },
      { ...key, authorization: `Bearer ${api.otherKey}` },
    )
    expect(theirs.status).toBe(201)
  })

  it.each(['', 'x'.repeat(256), 'a, b'])('refuses the idempotency key %j with 400', async (key) => {
    const answer = await api.post('/exports', { resource: 'orders' }, { 'idempotency-key': key })
    expect(answer).toMatchObject({ status: 400, body: { code: 'IDEMPOTENCY_KEY_INVALID' } })
  })

  it('waits for the end when that is preferred, says so, and ignores what it does not understand', async () => {
    const waiting = api.post('/exports', { resource: 'orders' }, { prefer: 'respond-async, wait=20' })
    const claim = await api.context.queue.take(AbortSignal.timeout(5_000))
    await complete(api, await jobOf(api, claim?.jobId ?? ''))
    const answer = await waiting
    expect(answer).toMatchObject({ status: 201, body: { status: 'completed', manifest: { files: [{ name: 'orders.csv' }] } } })
    expect(answer.headers['preference-applied']).toBe('wait=20')
    for (const prefer of ['wait=-1', 'handling=strict', 'wait=soon']) {
      const plain = await api.post('/exports', { resource: 'orders' }, { prefer })
      expect([plain.status, plain.headers['preference-applied']]).toEqual([201, undefined])
    }
    const short = await api.post('/exports', { resource: 'orders' }, { prefer: 'wait=0' })
    expect(short).toMatchObject({ status: 201, body: { status: 'pending' }, headers: { 'preference-applied': 'wait=0' } })
  })

  it('answers an unchanged export with 304, and tells when to look again while it is active', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    const first = await api.get(`/exports/${body.id}`)
    expect(first.headers).toMatchObject({ etag: expect.stringMatching(/^W\/"/), 'retry-after': '1' })
    const same = await api.get(`/exports/${body.id}`, { 'if-none-match': `"x", ${first.headers.etag}` })
    expect([same.status, same.text, same.headers.etag]).toEqual([304, '', first.headers.etag])
    await complete(api, await jobOf(api, body.id))
    const done = await api.get(`/exports/${body.id}`, { 'if-none-match': String(first.headers.etag) })
    expect([done.status, done.headers['retry-after']]).toEqual([200, undefined])
  })

  it('takes the seconds of Retry-After from the expected end, between 1 and 10', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    await api.store.claim(body.id, api.clock.now)
    const at = api.clock.now
    for (const [processed, expected] of [
      [100, '10'],
      [960, '4'],
      [999, '1'],
    ] as const) {
      await api.store.progress(body.id, 1, { processed, total: 1_000, totalIsEstimate: false, rowsPerSecond: 10, reached: 0, at })
      expect((await api.get(`/exports/${body.id}`)).headers['retry-after']).toBe(expected)
    }
  })

  it('lists newest first in pages that follow each other, and finds by status, resource and reference', async () => {
    const ids: string[] = []
    for (const resource of ['orders', 'customers', 'orders', 'messages', 'orders']) {
      const { body } = await api.post('/exports', { resource, reference: `ref ${resource}` })
      ids.unshift(body.id)
    }
    const walked: string[] = []
    let next = ''
    do {
      const { body } = await api.get(`/exports?limit=2${next}`)
      walked.push(...body.data.map(({ id }: { id: string }) => id))
      next = body.next_cursor === null ? '' : `&cursor=${encodeURIComponent(body.next_cursor)}`
    } while (next !== '')
    expect(walked).toEqual(ids)
    expect((await api.get('/exports?resource=orders')).body.data).toHaveLength(3)
    expect((await api.get('/exports?reference=ref%20messages&status=pending')).body.data).toHaveLength(1)
    expect((await api.get('/exports?status=expired')).body).toEqual({ data: [], next_cursor: null })
    expect((await api.get('/exports', { authorization: `Bearer ${api.otherKey}` })).body.data).toEqual([])
  })

  it('shows an expired export as expired, and gives its files no more', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    const { expiresAt } = await complete(api, await jobOf(api, body.id))
    api.clock.now = expiresAt ?? api.clock.now
    expect((await api.get(`/exports/${body.id}`)).body.status).toBe('expired')
    expect((await api.get('/exports?status=expired')).body.data).toHaveLength(1)
    expect(await api.get(`/exports/${body.id}/file`)).toMatchObject({ status: 410, body: { code: 'EXPORT_EXPIRED' } })
  })

  it('interrupts, starts and cancels, and refuses with 409 what does not fit', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    const verb = (name: string, payload?: unknown) => api.post(`/exports/${body.id}/${name}`, payload)
    expect(await verb('interrupt')).toMatchObject({ status: 200, body: { status: 'interrupted', queue_position: null } })
    expect(await verb('start', {})).toMatchObject({ status: 200, body: { status: 'pending', queue_position: 0 } })
    expect(await verb('start')).toMatchObject({
      status: 409,
      body: { code: 'TRANSITION_ILLEGAL', export_status: 'pending', allowed: ['interrupted', 'failed'] },
    })
    for (const body of [{ now: true }, [], 'x', 0]) {
      expect(await verb('cancel', JSON.stringify(body))).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } })
    }
    expect(await verb('cancel')).toMatchObject({ status: 200, body: { status: 'cancelled' } })
    expect(await verb('start')).toMatchObject({ status: 409, body: { export_status: 'cancelled' } })
  })

  it('removes an export once it rests', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    const remove = () => api.call('DELETE', `/exports/${body.id}`)
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'EXPORT_ACTIVE' } })
    await api.post(`/exports/${body.id}/cancel`)
    expect(await remove()).toMatchObject({ status: 204, text: '' })
    expect(await remove()).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  })

  it('lists what happened', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    await api.post(`/exports/${body.id}/interrupt`)
    const { body: events } = await api.get(`/exports/${body.id}/events`)
    expect(events.data).toMatchObject([
      { type: 'created', attempt: 0, at: api.clock.now.toISOString() },
      { type: 'interrupted', attempt: 0 },
    ])
    expect(events.data[1]?.seq).toBeGreaterThan(events.data[0]?.seq ?? 0)
  })

  it('leads to the file by a signed link that works without a key', async () => {
    const { body } = await api.post('/exports', { resource: 'orders' })
    expect(await api.get(`/exports/${body.id}/file`)).toMatchObject({ status: 409, body: { code: 'EXPORT_NOT_READY' } })
    await complete(api, await jobOf(api, body.id))
    const answer = await api.get(`/exports/${body.id}/file`)
    expect(answer).toMatchObject({ status: 302, headers: { 'cache-control': 'no-store' } })
    const link = String(answer.headers.location).replace('https://freight.example', '')
    expect((await api.app.inject({ url: link })).payload).toBe('id\n1\n')
    expect((await api.get(`/exports/${body.id}/files/1`)).headers.location).toContain(`/downloads/${body.id}/1/1/orders.csv?`)
    for (const n of ['0', '2', '01', '-1', '1e0', 'x', '9999999']) {
      expect(await api.get(`/exports/${body.id}/files/${n}`)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    }
  })

  it('asks for a number where an export has several files', async () => {
    const { body } = await api.post('/exports', { parts: [{ resource: 'orders' }, { resource: 'customers' }] })
    expect(body).toMatchObject({ resource: null, parts: [{ resource: 'orders' }, { resource: 'customers' }] })
    await complete(api, await jobOf(api, body.id), ['orders.csv', 'customers.csv'])
    expect(await api.get(`/exports/${body.id}/file`)).toMatchObject({ status: 409, body: { code: 'SEVERAL_FILES' } })
    expect((await api.get(`/exports/${body.id}/files/2`)).headers.location).toContain('customers.csv')
  })

  it('estimates an export without creating one', async () => {
    const { status, body } = await api.post('/exports/estimate', { resource: 'orders', reference: 'as for an export' })
    expect(status).toBe(200)
    expect(body).toEqual({
      rows: 3,
      rows_is_estimate: false,
      formats: Object.fromEntries(['csv', 'json', 'ndjson', 'xlsx'].map((name) => [name, { bytes: 15, seconds: 0.1 }])),
      preview: { format: 'csv', resource: 'orders', rows: 1, text: 'id\n1\n', fields: [{ name: 'id', type: 'integer' }] },
      warnings: [],
    })
    expect((await api.get('/exports')).body.data).toEqual([])
    const refused = await api.post('/exports/estimate', { resource: 'orders', sort: ['nothing'] })
    expect(refused).toMatchObject({ status: 422, body: { code: 'SORT_UNKNOWN', pointer: '/sort/0' } })
  })

  it('lists what may be exported, and nothing that is hidden', async () => {
    const { body, text } = await api.get('/resources')
    expect(body.data.map(({ name }) => name)).toEqual(['orders', 'customers', 'messages'])
    expect(body.data[2]).toEqual({
      name: 'messages',
      fields: [
        { name: 'id', type: 'integer', nullable: false, mask: null },
        { name: 'body', type: 'text', nullable: true, mask: null },
      ],
      relations: [],
      primary_key: ['id'],
      default_sort: expect.any(Array),
      max_rows: 100,
      retention_seconds: 604_800,
    })
    expect(text).not.toContain('tenant_id')
  })
})

describe('who may do what', () => {
  let api: ApiSite
  let theirs: string
  beforeAll(async () => {
    api = await openApiSite()
    theirs = (await api.post('/exports', { resource: 'orders' }, { authorization: `Bearer ${api.otherKey}` })).body.id
    await complete(api, await jobOf(api, theirs))
  })
  afterAll(() => api.close())

  const routes: [method: 'GET' | 'POST' | 'DELETE', path: string][] = [
    ['GET', '/exports/:id'],
    ['DELETE', '/exports/:id'],
    ['POST', '/exports/:id/interrupt'],
    ['POST', '/exports/:id/start'],
    ['POST', '/exports/:id/cancel'],
    ['GET', '/exports/:id/events'],
    ['GET', '/exports/:id/file'],
    ['GET', '/exports/:id/files/1'],
  ]

  it.each(routes)("%s %s answers another tenant's id, an unknown one and a malformed one alike", async (method, path) => {
    const answers = []
    await api.get('/resources')
    for (const id of [UNKNOWN, theirs, theirs.toUpperCase(), '0', '%00', '..%2f..%2fadmin', "'%20or%201=1--", 'a'.repeat(90)]) {
      const { status, body, headers } = await api.call(method, path.replace(':id', id))
      const { 'x-request-id': _, 'ratelimit-remaining': __, date: ___, ...rest } = headers
      answers.push({ status, body: { ...body, request_id: '' }, headers: rest })
    }
    expect(answers[0]).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  it.each([...routes, ['POST', '/exports'], ['GET', '/exports'], ['POST', '/exports/estimate'], ['GET', '/resources']] as const)(
    '%s %s asks for a key, and looks for it in headers only',
    async (method, path) => {
      const url = path.replace(':id', theirs)
      for (const suffix of ['', `?api_key=${api.key}`, `?access_token=${api.key}`]) {
        const answer = await api.call(method, url + suffix, undefined, { authorization: '' })
        expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="freight"' } })
        expect(answer.body).toMatchObject({ code: 'UNAUTHORIZED', status: 401, request_id: answer.headers['x-request-id'] })
      }
    },
  )
})
