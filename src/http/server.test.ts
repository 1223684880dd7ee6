import type { InjectOptions } from 'fastify'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newPrincipal } from '../../test/callers.ts'
import { completedExport, type HttpSite, linkTo, openHttpSite, portOf } from '../../test/http-site.ts'
import { asFreightError } from '../job/errors.ts'
import { withoutSecrets } from './log.ts'
import { createHttpServer, listen } from './server.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const json = { 'content-type': 'application/json' }

let site: HttpSite
beforeAll(async () => {
  site = await openHttpSite()
})
afterAll(() => site.close())

async function ask(options: InjectOptions) {
  const answer = await site.app.inject({ ...options, headers: { authorization: `Bearer ${site.key}`, ...options.headers } })
  if (answer.statusCode >= 400) {
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const body: { code: string; request_id: string; detail: string } = answer.json()
    expect(body.request_id).toBe(answer.headers['x-request-id'])
    expect(body.code).toMatch(/^[A-Z_]+$/)
    expect(answer.body).not.toMatch(/node_modules|\/work\/|\.ts:|at [A-Z]\w+\.|select |FST_|SQLITE/i)
  }
  expect(answer.headers['x-request-id']).toMatch(UUID)
  expect(answer.headers['cache-control']).toBeDefined()
  return answer
}

const post = (payload: string | Buffer, headers: Record<string, string> = json, url = '/exports') =>
  ask({ method: 'POST', url, payload, headers })

describe('every answer', () => {
  it('carries an id of its own, never the one that came in', async () => {
    const answer = await ask({ url: '/exports', headers: { 'x-request-id': 'mine' } })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-request-id']).not.toBe('mine')
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('lets no cache keep it, and none reuse one with a tag without asking', async () => {
    const job = await completedExport(site, 900, Buffer.from('id\n'))
    const answer = await ask({ url: `/exports/${job.id}` })
    expect(answer.headers.etag).toBeDefined()
    expect(answer.headers['cache-control']).toMatch(/private.*must-revalidate/)
  })

  it('carries the headers that keep browsers from harm, and none that open it to other origins', async () => {
    const answers = [
      await ask({ url: '/exports', headers: { origin: 'https://evil.example' } }),
      await ask({ url: '/nowhere', headers: { origin: 'null' } }),
      await ask({
        method: 'OPTIONS',
        url: '/exports',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      }),
    ]
    for (const { headers } of answers) {
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
      expect(headers['x-powered-by']).toBeUndefined()
      expect(headers.server).toBeUndefined()
    }
  })

  it('never believes Host or forwarded headers', async () => {
    const answer = await post('{"resource":"orders"}', {
      ...json,
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-for': '6.6.6.6',
    })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers.location).toMatch(/^https:\/\/freight\.example\/exports\//)
    expect(answer.body).not.toContain('evil')
    expect(site.logged.join('')).not.toContain('6.6.6.6')
  })
})

describe('addresses and methods (H7, H12)', () => {
  it.each([
    ['GET', '/nowhere', 404],
    ['POST', '/', 405],
    ['PUT', '/exports', 405],
    ['PATCH', '/exports', 405],
    ['TRACE', '/exports', 405],
    ['PROPFIND', '/exports', 405],
    ['DELETE', '/exports', 405],
    ['GET', '/exports/estimate', 404],
    ['POST', '/healthz', 405],
    ['DELETE', '/docs', 405],
    ['TRACE', '/nowhere', 404],
    ['OPTIONS', '/nowhere', 404],
    ['GET', '//exports', 404],
    ['GET', '/exports//', 404],
    ['GET', '/exports/', 404],
    ['GET', '/Exports', 404],
    ['GET', '/exports/..%2f..%2fadmin', 404],
    ['GET', '/exports/%00', 404],
    ['GET', '/exports;x=1', 404],
    ['GET', '/exports/%252e%252e', 404],
    ['GET', '/exports/%c0%ae', 400],
    ['GET', '/%zz', 400],
    ['GET', '/exports/%', 400],
  ] as const)('%s %s is %j', async (method, url, status) => {
    const answer = await ask({ method: method as 'GET', url })
    expect([status].flat()).toContain(answer.statusCode)
    if (answer.statusCode === 405) expect(answer.headers.allow).toMatch(/\b(GET|POST)\b.*OPTIONS/)
  })

  it('refuses an address beyond 8 KiB, and a long id within it is an unknown one', async () => {
    expect((await ask({ url: `/exports/${'a'.repeat(8_000)}` })).statusCode).toBe(404)
    expect((await ask({ url: `/exports?reference=${'a'.repeat(9_000)}` })).statusCode).toBe(414)
    expect((await ask({ url: `/nowhere?${'a'.repeat(9_000)}` })).statusCode).toBe(414)
  })

  it('names the methods of a known address, and answers OPTIONS with them', async () => {
    expect((await ask({ method: 'PUT', url: '/exports' })).headers.allow).toBe('GET, HEAD, OPTIONS, POST')
    const options = await ask({ method: 'OPTIONS', url: '/exports/x/cancel' })
    expect({ status: options.statusCode, allow: options.headers.allow, body: options.body }).toEqual({
      status: 204,
      allow: 'OPTIONS, POST',
      body: '',
    })
  })

  it('answers HEAD as GET without the body', async () => {
    const head = await ask({ method: 'HEAD', url: '/exports' })
    expect({ status: head.statusCode, body: head.body }).toEqual({ status: 200, body: '' })
  })

  it('ignores a method in a header', async () => {
    const job = await completedExport(site, 901, Buffer.from('id\n'))
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      const answer = await ask({ method: 'GET', url: `/exports/${job.id}`, headers: { [name]: 'DELETE' } })
      expect(answer.statusCode).toBe(200)
    }
    expect(await site.store.get('acme', job.id)).not.toBeNull()
  })
})

describe('bodies (H1, H5, H6, J1 to J4)', () => {
  const orders = '{"resource":"orders"}'
  it.each<[what: string, status: number, payload: string | Buffer, headers: Record<string, string>]>([
    ['no bytes', 400, '', json],
    ['null', 422, 'null', json],
    ['an array', 422, '[]', json],
    ['a string', 422, '"x"', json],
    ['a number', 422, '1', json],
    ['half a document', 400, '{"resource":"orders"', json],
    ['a trailing comma', 400, '{"resource":"orders",}', json],
    ['two documents', 400, orders + orders, json],
    ['a byte order mark', 400, `\ufeff${orders}`, json],
    ['a NUL after the document', 400, `${orders}\u0000`, json],
    ['UTF-16', 400, Buffer.from(orders, 'utf16le'), json],
    ['invalid UTF-8', 400, Buffer.from('7b226120ff', 'hex'), json],
    ['100,000 open arrays', 400, '['.repeat(100_000), json],
    ['100,000 open objects', 400, '{"a":'.repeat(100_000), json],
    ['a key given twice', 400, '{"format":"csv","format":"json"}', json],
    ['1e400', 422, '{"resource":"orders","limit":1e400}', json],
    ['2^53 + 1', 422, '{"resource":"orders","limit":9007199254740993}', json],
    ['__proto__', 422, '{"resource":"orders","__proto__":{"isAdmin":true}}', json],
    ['constructor', 422, '{"resource":"orders","constructor":{"prototype":{"x":1}}}', json],
    ['__proto__ as a filter', 422, '{"resource":"orders","filters":{"__proto__":{"x":1}}}', json],
    ['an unknown field', 422, '{"resource":"orders","foo":1}', json],
    ['a text for a flag', 422, '{"resource":"orders","dry_data":"false"}', json],
    ['a text for a list', 422, '{"resource":"orders","fields":"id"}', json],
    ['text/plain', 415, orders, { 'content-type': 'text/plain' }],
    ['charset utf-16', 415, orders, { 'content-type': 'application/json; charset=utf-16' }],
    ['charset latin1, quoted', 415, orders, { 'content-type': 'application/json; charset="latin1"' }],
    ['application/jsonp', 415, orders, { 'content-type': 'application/jsonp' }],
    ['no media type', 415, orders, { 'content-type': 'nonsense' }],
    ['a form', 415, 'resource=orders', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a multipart form', 415, orders, { 'content-type': 'multipart/form-data; boundary=x' }],
    ['gzip', 415, orders, { ...json, 'content-encoding': 'gzip' }],
    ['two encodings', 415, orders, { ...json, 'content-encoding': 'br, gzip' }],
    ['identity', 201, orders, { ...json, 'content-encoding': 'identity' }],
    ['charset UTF-8', 201, orders, { 'content-type': 'application/json; charset=UTF-8' }],
    ['a media type in capitals', 201, orders, { 'content-type': 'APPLICATION/JSON' }],
    ['one byte too many', 413, `{"reference":"${'x'.repeat(1024 * 1024 - 15)}"}`, json],
    ['exactly as many bytes as may be', 422, `{"reference":"${'x'.repeat(1024 * 1024 - 16)}"}`, json],
  ])('%s is answered %i', async (_what, status, payload, headers) => {
    const newest = async () => (await site.store.list('acme', {}, { limit: 1, before: null, now: site.clock.now })).jobs[0]?.id
    const before = await newest()
    const answer = await post(payload, headers)
    expect(answer.statusCode).toBe(status)
    expect((await newest()) === before).toBe(status !== 201)
  })

  it('says at which place a body is not JSON, and which key is given twice', async () => {
    expect((await post('{"a":1,}')).json()).toMatchObject({
      code: 'INVALID_JSON',
      detail: expect.stringContaining('line 1, column 8'),
    })
    expect((await post('{"options":{"bom":true,"bom":false}}')).json()).toMatchObject({
      code: 'INVALID_JSON',
      pointer: '/options/bom',
    })
  })

  it('refuses a body without a Content-Type', async () => {
    const answer = await ask({ method: 'POST', url: '/exports', payload: Buffer.from('{"resource":"orders"}') })
    expect(answer.statusCode).toBe(415)
  })

  it('keeps __proto__ in metadata as plain data and pollutes nothing', async () => {
    const answer = await post(
      '{"resource":"orders","metadata":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
    )
    expect([201, 422]).toContain(answer.statusCode)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    if (answer.statusCode === 201) expect(answer.body).toContain('"__proto__":{"polluted":true}')
  })

  it('takes an empty body with any Content-Type on GET, DELETE and the verbs', async () => {
    const job = await completedExport(site, 902, Buffer.from('id\n'))
    for (const type of ['application/json', 'application/vnd.api+json', 'text/plain']) {
      const headers = { 'content-type': type }
      expect((await ask({ url: `/exports/${job.id}`, headers })).statusCode).toBe(200)
      const start = await ask({ method: 'POST', url: `/exports/${job.id}/start`, headers })
      expect(start.statusCode).toBe(409)
    }
    const removal = {
      method: 'DELETE',
      url: `/exports/${job.id}`,
      headers: { 'content-type': 'application/vnd.api+json' },
    } as const
    expect((await ask(removal)).statusCode).toBe(204)
    expect((await ask(removal)).statusCode).toBe(404)
  })

  it('answers about the address, not the body, where there is nothing', async () => {
    expect((await post('{broken', json, '/nowhere')).statusCode).toBe(404)
    expect((await post('x', { 'content-type': 'text/plain' }, '/nowhere')).statusCode).toBe(404)
  })
})

describe('query parameters (I2)', () => {
  it.each([
    'limit=0',
    'limit=-1',
    'limit=1e9',
    'limit=0x10',
    'limit=%2010',
    'limit=abc',
    'limit=',
    'limit=1.0',
    'limit=%5B%5D',
    'limit=10&limit=20',
    'limit%5B%5D=1&limit%5B%5D=2',
    'status=pending&status=failed',
    'status=done',
    'unknown=1',
    '__proto__=1',
    'constructor=1',
    'api_key=frt_live_x',
  ])('?%s is refused and named', async (query) => {
    const answer = await ask({ url: `/exports?${query}` })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().detail).toContain(decodeURIComponent(query.split('=')[0] ?? ''))
  })

  it('says of a parameter given twice that it was', async () => {
    expect((await ask({ url: '/exports?limit=10&limit=20' })).json()).toMatchObject({
      pointer: 'limit',
      detail: expect.stringContaining('more than once'),
    })
  })

  it('reads a number that is written as one', async () => {
    expect((await ask({ url: '/exports?limit=1' })).json().data).toHaveLength(1)
  })
})

describe('headers (H8, I6)', () => {
  it.each([
    [{ authorization: '' }, 401],
    [{ authorization: 'Bearer' }, 401],
    [{ authorization: 'Bearer  x' }, 401],
    [{ authorization: 'Basic eDp5' }, 401],
    [{ accept: 'image/png' }, [200, 406]],
    [{ accept: '*/*;q=0' }, [200, 406]],
    [{ 'accept-language': '../../etc' }, 200],
    [{ 'accept-version': '2' }, 200],
  ] as const)('%j is answered %j', async (headers, status) => {
    const answer = await ask({ url: '/exports', headers })
    expect([status].flat()).toContain(answer.statusCode)
    if (answer.statusCode === 401) expect(answer.headers['www-authenticate']).toMatch(/Bearer/)
  })
})

describe('another tenant', () => {
  it("gets the same answer for another's export as for an unknown one, on every route", async () => {
    const job = await completedExport(site, 903, Buffer.from('id\n'))
    const unknown = '00000000-0000-7000-8000-00000000ffff'
    const routes = [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/interrupt'],
      ['POST', '/start'],
      ['POST', '/cancel'],
      ['GET', '/events'],
      ['GET', '/file'],
      ['GET', '/files/1'],
    ] as const
    for (const [method, path] of routes) {
      const [theirs, nobodys] = await Promise.all(
        [job.id, unknown].map((id) =>
          site.app.inject({ method, url: `/exports/${id}${path}`, headers: { authorization: `Bearer ${site.otherKey}` } }),
        ),
      )
      const masked = (answer: typeof theirs) => ({
        status: answer?.statusCode,
        body: { ...answer?.json(), request_id: '' },
        headers: Object.keys(answer?.headers ?? {}).sort(),
        length: answer?.headers['content-length'],
      })
      expect(masked(theirs)).toEqual(masked(nobodys))
      expect(theirs?.statusCode).toBe(404)
    }
    expect(await site.store.get('acme', job.id)).not.toBeNull()
  })
})

describe('the log', () => {
  it('has one line per request with its id, route, status and time, and no secret at the most verbose level', async () => {
    const job = await completedExport(site, 904, Buffer.from('id,canary-row\n'))
    const link = linkTo(site, job)
    site.logged.length = 0
    const answer = await ask({ url: `/exports/${job.id}`, headers: { cookie: 'canary-cookie' } })
    await ask({ url: '/exports', headers: { authorization: 'Bearer canary-key' } })
    await ask({ url: link })
    await ask({ url: `${link}x` })
    await ask({ url: `/exports/${job.id}/file` })
    await ask({ url: '/canary-address?canary=1' })
    await post('{"resource":"orders","filters":{"status_eq":"canary-filter"}}')
    await post('{"resource":"orders","foo":"canary-value"')
    await ask({ url: '/healthz' })
    const log = site.logged.join('')
    const signature = /signature=(.*)/.exec(link)?.[1] ?? 'none'
    for (const secret of ['canary', signature, 'signature', site.key]) expect(log).not.toContain(secret)
    const requests = site.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
    expect(requests).toHaveLength(9)
    expect(requests[0]).toMatchObject({
      level: 30,
      request_id: answer.headers['x-request-id'],
      method: 'GET',
      route: '/exports/:id',
      status: 200,
    })
    expect(requests.find(({ route }) => route === '/healthz')).toMatchObject({ level: 20 })
  })

  it('hides keys in headers that something logs along with an error', () => {
    const lines: string[] = []
    const log = withoutSecrets(pino({}, { write: (line) => lines.push(line) }))
    const headers = { authorization: 'Bearer canary', 'x-api-key': 'canary', cookie: 'canary', accept: 'text/csv' }
    log.warn({ headers, err: { headers, request: { headers } } }, 'a fault')
    expect(lines.join('')).toContain('text/csv')
    expect(lines.join('')).not.toContain('canary')
  })
})

describe('listen', () => {
  it('says which port is taken and what to set', async () => {
    const { app: first } = site
    await listen(first, { host: '127.0.0.1', port: 0 })
    const port = portOf(first)
    const second = await createHttpServer({
      context: site.context,
      authenticate: async () => newPrincipal(),
      jobs: site.store,
      metrics: site.metrics,
      ready: () => true,
      log: pino({ level: 'silent' }),
      publicUrl: () => '',
      requestsPerMinute: 1,
      version: '0',
    })
    const refused = await listen(second, { host: '127.0.0.1', port }).catch(asFreightError)
    expect(refused).toMatchObject({ code: 'PORT_TAKEN', message: `Port ${port} is taken; set PORT to a free one.` })
    await second.close()
  })
})
