import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpSite, openHttpSite, portOf } from '../../test/http-site.ts'
import { callerOf, isBelow, type Protocol } from '../protocols/protocol.ts'
import { listen } from './server.ts'

/** A protocol whose answers are lines of text. */
const lines: Protocol = {
  name: 'lines',
  paths: ['/lines', '/deep/er'],
  jsonTypes: ['application/vnd.lines+json'],
  refuse: ({ error, status, headers }, { id, path, method }) => ({
    status,
    headers: { ...headers, 'content-type': 'text/plain' },
    body: `${status} ${error.code} ${method} ${path} ${id}: ${error.message}`,
  }),
  async routes(app) {
    app.get('/lines', async (request) => ({ tenant: callerOf(request).tenant }))
    app.post('/lines', async (request) => ({ got: request.body }))
    app.get('/lines/broken', async () => {
      throw new Error('select * from secrets')
    })
    app.get('/deep/er/:id', async () => 'here')
  },
}

let site: HttpSite
let port: number
beforeAll(async () => {
  site = await openHttpSite({ protocols: [lines], bodyLimitBytes: 100 })
  await listen(site.app, { host: '127.0.0.1', port: 0 })
  port = portOf(site.app)
})
afterAll(() => site.close())

async function ask(path: string, init: RequestInit = {}) {
  const headers = { authorization: `Bearer ${site.key}`, ...(init.headers as Record<string, string>) }
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers, redirect: 'manual' })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

async function send(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.write(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

describe('a wire protocol beside the own API', () => {
  it('is told who is calling', async () => {
    expect(await ask('/lines')).toMatchObject({ status: 200, text: '{"tenant":"acme"}' })
  })

  it('reads bodies of its own media type, strictly, and the own API does not', async () => {
    const headers = { 'content-type': 'application/vnd.lines+json' }
    expect((await ask('/lines', { method: 'POST', headers, body: '{"a":1}' })).text).toBe('{"got":{"a":1}}')
    expect((await ask('/lines', { method: 'POST', headers, body: '{"a":1,"a":2}' })).text).toContain('400 INVALID_JSON')
    expect((await ask('/exports', { method: 'POST', headers, body: '{}' })).status).toBe(415)
  })

  it.each([
    ['no key', '/lines', { headers: { authorization: 'Bearer x' } }, 401, 'UNAUTHORIZED'],
    ['an unknown address', '/lines/nowhere', {}, 404, 'NOT_FOUND'],
    ['an unknown address of its second beginning', '/deep/er/a/b', {}, 404, 'NOT_FOUND'],
    ['another method', '/lines', { method: 'DELETE' }, 405, 'METHOD_NOT_ALLOWED'],
    [
      'a body of another type',
      '/lines',
      { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<a/>' },
      415,
      'UNSUPPORTED',
    ],
    [
      'a body too large',
      '/lines',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '1'.repeat(101) },
      413,
      'PAYLOAD',
    ],
    ['a broken escape', '/lines/%zz', {}, 400, 'INVALID_REQUEST'],
    ['an address too long', `/lines/${'x'.repeat(9_000)}`, {}, 414, 'URI_TOO_LONG'],
    [
      'too many headers',
      '/lines',
      { headers: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-${n}`, '1'])) },
      431,
      'INVALID_REQUEST',
    ],
    ['a fault', '/lines/broken', {}, 500, 'INTERNAL'],
  ] as const)('answers %s in its own form', async (_, path, init, status, code) => {
    const answer = await ask(path, init as RequestInit)
    expect(answer).toMatchObject({ status, text: expect.stringContaining(`${status} ${code}`) })
    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(answer.text).toContain(answer.headers.get('x-request-id'))
    expect(answer.text).not.toContain('select')
    if (status === 405) expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST')
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  it('answers in its own form what never becomes a request', async () => {
    const answers = [
      await send('BREW /lines HTTP/1.1\r\nHost: x\r\n\r\n'),
      await send('GET /lines HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n'),
      await send('POST /lines HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'),
    ]
    expect(answers.map((answer) => /\r\n\r\n(\d+ [A-Z_]+)/.exec(answer)?.[1])).toEqual([
      '405 METHOD_NOT_ALLOWED',
      '417 INVALID_REQUEST',
      '400 INVALID_REQUEST',
    ])
    for (const answer of answers) expect(answer.toLowerCase()).toContain('content-type: text/plain')
  })

  it('leaves the form of every other address as it was', async () => {
    for (const path of ['/lineses', '/deep', '/exports/nowhere/at/all']) {
      expect((await ask(path)).headers.get('content-type')).toBe('application/problem+json')
    }
  })

  it('is no part of the description of the own API', async () => {
    expect((await ask('/openapi.json')).text).not.toContain('/lines')
  })

  it('owns what lies below its beginnings, and no longer word', () => {
    const owned = ['/lines', '/lines/', '/lines/a', '/lines;x=1', '/lines%20'].map((path) => isBelow(path, '/lines'))
    expect(owned).toEqual([true, true, true, true, true])
    expect(['/lines2', '/lines-x', '/line', '/lines.txt'].map((path) => isBelow(path, '/lines'))).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})

describe('too many requests', () => {
  it('are answered in the form of the address', async () => {
    const limited = await openHttpSite({ protocols: [lines], requestsPerMinute: 1 })
    try {
      const ask = (url: string) => limited.app.inject({ url, headers: { authorization: 'Bearer nobody' } })
      await ask('/lines')
      const refused = await ask('/lines')
      expect(refused.payload).toMatch(/^429 RATE_LIMITED/)
      expect(refused.headers['retry-after']).toMatch(/^\d+$/)
      expect((await ask('/exports')).json().code).toBe('RATE_LIMITED')
    } finally {
      await limited.close()
    }
  })
})
