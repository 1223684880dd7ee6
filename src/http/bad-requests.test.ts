/** Requests that are wrong in any of their parts, over Freight's own API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, completedExport, type HttpSite, openHttpSite } from '../../test/http-site.ts'

const json = { 'content-type': 'application/json' }

let site: HttpSite
beforeAll(async () => {
  site = await openHttpSite()
})
afterAll(() => site.close())

const post = (payload: string | Buffer, headers: Record<string, string> = json, url = '/exports') =>
  ask(site, { method: 'POST', url, payload, headers })

describe('addresses and methods', () => {
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
    const answer = await ask(site, { method: method as 'GET', url })
    expect([status].flat()).toContain(answer.statusCode)
    if (answer.statusCode === 405) expect(answer.headers.allow).toMatch(/\b(GET|POST)\b.*OPTIONS/)
  })

  it('refuses an address beyond 8 KiB, and a long id within it is an unknown one', async () => {
    expect((await ask(site, { url: `/exports/${'a'.repeat(8_000)}` })).statusCode).toBe(404)
    expect((await ask(site, { url: `/exports?reference=${'a'.repeat(9_000)}` })).statusCode).toBe(414)
    expect((await ask(site, { url: `/nowhere?${'a'.repeat(9_000)}` })).statusCode).toBe(414)
  })

  it('names the methods of a known address, and answers OPTIONS with them', async () => {
    expect((await ask(site, { method: 'PUT', url: '/exports' })).headers.allow).toBe('GET, HEAD, OPTIONS, POST')
    const options = await ask(site, { method: 'OPTIONS', url: '/exports/x/cancel' })
    expect({ status: options.statusCode, allow: options.headers.allow, body: options.body }).toEqual({
      status: 204,
      allow: 'OPTIONS, POST',
      body: '',
    })
  })

  it('answers HEAD as GET without the body', async () => {
    const head = await ask(site, { method: 'HEAD', url: '/exports' })
    expect({ status: head.statusCode, body: head.body }).toEqual({ status: 200, body: '' })
  })

  it('ignores a method in a header', async () => {
    const job = await completedExport(site, 901, Buffer.from('id\n'))
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      const answer = await ask(site, { method: 'GET', url: `/exports/${job.id}`, headers: { [name]: 'DELETE' } })
      expect(answer.statusCode).toBe(200)
    }
    expect(await site.store.get('acme', job.id)).not.toBeNull()
  })
})

describe('bodies', () => {
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
    const answer = await ask(site, { method: 'POST', url: '/exports', payload: Buffer.from('{"resource":"orders"}') })
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
      expect((await ask(site, { url: `/exports/${job.id}`, headers })).statusCode).toBe(200)
      const start = await ask(site, { method: 'POST', url: `/exports/${job.id}/start`, headers })
      expect(start.statusCode).toBe(409)
    }
    const removal = {
      method: 'DELETE',
      url: `/exports/${job.id}`,
      headers: { 'content-type': 'application/vnd.api+json' },
    } as const
    expect((await ask(site, removal)).statusCode).toBe(204)
    expect((await ask(site, removal)).statusCode).toBe(404)
  })

  it('answers about the address, not the body, where there is nothing', async () => {
    expect((await post('{broken', json, '/nowhere')).statusCode).toBe(404)
    expect((await post('x', { 'content-type': 'text/plain' }, '/nowhere')).statusCode).toBe(404)
  })
})

describe('query parameters', () => {
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
    const answer = await ask(site, { url: `/exports?${query}` })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().detail).toContain(decodeURIComponent(query.split('=')[0] ?? ''))
  })

  it('says of a parameter given twice that it was', async () => {
    expect((await ask(site, { url: '/exports?limit=10&limit=20' })).json()).toMatchObject({
      pointer: 'limit',
      detail: expect.stringContaining('more than once'),
    })
  })

  it('reads a number that is written as one', async () => {
    expect((await ask(site, { url: '/exports?limit=1' })).json().data).toHaveLength(1)
  })
})

describe('headers', () => {
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
    const answer = await ask(site, { url: '/exports', headers })
    expect([status].flat()).toContain(answer.statusCode)
    if (answer.statusCode === 401) expect(answer.headers['www-authenticate']).toMatch(/Bearer/)
  })
})
