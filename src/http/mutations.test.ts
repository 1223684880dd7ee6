/** Thousands of damaged requests: each is answered, quickly, with a reason, and none is a fault of ours. */

import { once } from 'node:events'
import { connect } from 'node:net'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cpuMs } from '../../test/cpu-time.ts'
import { completedExport, type HttpSite, linkTo, openHttpSite, portOf } from '../../test/http-site.ts'
import { seeded } from '../../test/random.ts'

const SEED = 20_260_301

let site: HttpSite
let id: string
let link: string
beforeAll(async () => {
  site = await openHttpSite()
  const job = await completedExport(site, 1, Buffer.from('id\n1\n2\n'))
  id = job.id
  link = linkTo(site, job)
  await site.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => site.close())

interface Sent {
  method: string
  url: string
  headers: Record<string, string>
  body: Buffer
}

const BODIES = [
  {
    resource: 'orders',
    format: 'csv',
    fields: ['id', 'status'],
    filters: { status_eq: 'paid', id_gt: 5 },
    sort: ['-id'],
    limit: 10,
  },
  {
    resource: 'orders',
    format: 'ndjson',
    compression: 'gzip',
    options: { times: 'rfc3339', time_zone: 'Europe/Berlin' },
    dry_data: true,
  },
  { parts: [{ resource: 'orders', fields: ['*'] }], reference: 'r-1', metadata: { a: [1, { b: null }] } },
  {
    resource: 'orders',
    options: { delimiter: ';', quoting: 'all', bom: true, line_end: '\r\n' },
    filters: { status_in: ['a', 'b'] },
  },
].map((body) => JSON.stringify(body))

function templates(): Sent[] {
  const json = { 'content-type': 'application/json', authorization: `Bearer ${site.key}` }
  const get = (url: string, headers: Record<string, string> = {}): Sent => ({
    method: 'GET',
    url,
    headers: { ...json, ...headers },
    body: Buffer.alloc(0),
  })
  const post = (url: string, body: string): Sent => ({
    method: 'POST',
    url,
    headers: { ...json, 'idempotency-key': 'k-1' },
    body: Buffer.from(body),
  })
  return [
    ...BODIES.map((body) => post('/exports', body)),
    ...BODIES.map((body) => post('/exports/estimate', body)),
    get('/exports?status=completed&resource=orders&limit=5'),
    get(`/exports/${id}`, { 'if-none-match': '"x"' }),
    get(`/exports/${id}/events`),
    get(`/exports/${id}/files/1`),
    post(`/exports/${id}/cancel`, ''),
    { ...get(`/exports/${id}`), method: 'DELETE', url: '/exports/00000001-0000-7000-8000-0000000000ff' },
    get(link, { range: 'bytes=0-3', 'if-range': '"x"' }),
    get('/resources'),
    get('/openapi.json'),
  ]
}

const SPLINTERS = [
  '"',
  '\\',
  '\0',
  '\ud800',
  '%00',
  '%2e%2e/',
  '../',
  '[',
  '{',
  '{"__proto__":1}',
  '1e400',
  'null',
  "' or 1=1--",
  '😀',
  ',',
  '\r\n',
  '&limit=1',
  '?',
  ';',
]

function damaged(random: () => number, text: string): string {
  const at = Math.floor(random() * (text.length + 1))
  const kind = random()
  const splinter = SPLINTERS[Math.floor(random() * SPLINTERS.length)] ?? ''
  if (kind < 0.4) return text.slice(0, at) + splinter + text.slice(at)
  if (kind < 0.6) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 5))
  if (kind < 0.8) return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1)
  return text.slice(0, at) + text.slice(Math.floor(random() * at))
}

function mutate(random: () => number, sent: Sent): Sent {
  const where = random()
  const changed = { ...sent, headers: { ...sent.headers } }
  if (where < 0.55 && sent.body.length > 0) changed.body = Buffer.from(damaged(random, sent.body.toString()))
  else if (where < 0.8)
    changed.url = `/${encodeURI(damaged(random, sent.url.slice(1)).toWellFormed())
      .replaceAll('%25', '%')
      .slice(0, 3_000)}`
  else if (where < 0.95) {
    const names = Object.keys(sent.headers)
    const name = names[Math.floor(random() * names.length)] ?? 'accept'
    changed.headers[name] = damaged(random, sent.headers[name] ?? '')
  } else changed.method = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'GET', 'POST'][Math.floor(random() * 7)] ?? 'PUT'
  return changed
}

it('5,000 seeded mutations of valid requests give no 5xx, a problem for each refusal, and 99 in 100 within 100 ms of CPU', async () => {
  const random = seeded(SEED)
  const valid = templates()
  const times: number[] = []
  const statuses = new Map<number, number>()
  const faults: string[] = []
  for (let round = 0; round < 5_000; round += 1) {
    const template = valid[Math.floor(random() * valid.length)]
    if (!template) continue
    let sent = mutate(random, template)
    if (random() < 0.3) sent = mutate(random, sent)
    const began = cpuMs()
    const answer = await site.app.inject({
      method: sent.method as 'GET',
      url: sent.url,
      headers: sent.headers,
      payload: sent.body,
    })
    times.push(cpuMs() - began)
    if (isFault(sent, answer)) {
      faults.push(`${round}: ${sent.method} ${sent.url} ${sent.body.toString('latin1')} -> ${answer.statusCode} ${answer.body}`)
    }
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1)
  }
  expect(faults).toEqual([])
  times.sort((a, b) => a - b)
  expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(100)
  // The damage is varied enough to be refused at every stage, and light enough to get there.
  for (const status of [200, 201, 400, 401, 403, 404, 405, 415, 422])
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0)
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

function isFault(sent: Sent, { statusCode, headers, body }: LightMyRequestResponse): boolean {
  if (statusCode >= 500) return true
  if (statusCode < 400 || sent.method === 'HEAD') return false
  if (headers['content-type'] !== 'application/problem+json') return true
  const problem: Record<string, unknown> = JSON.parse(body)
  if (!/^[A-Z_]+$/.test(String(problem.code)) || problem.request_id !== headers['x-request-id']) return true
  return /node_modules|\/work\/|FST_|SQLITE|at Object|select "/.test(body)
}

it('500 requests with damaged bytes over real connections end with an answer below 500 or a closed connection', async () => {
  const random = seeded(SEED + 1)
  const valid = templates()
  const port = portOf(site.app)
  for (let round = 0; round < 500; round += 1) {
    const template = valid[Math.floor(random() * valid.length)]
    if (!template) continue
    const headers = { host: 'a', connection: 'close', ...template.headers, 'content-length': String(template.body.length) }
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const bytes = Buffer.concat([
      Buffer.from(`${template.method} ${template.url} HTTP/1.1\r\n${head.join('')}\r\n`),
      template.body,
    ])
    for (let hits = 1 + Math.floor(random() * 3); hits > 0; hits -= 1)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    const answer = await exchange(port, bytes)
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)
    expect(status, `${round}: ${bytes.toString('latin1')} -> ${answer}`).toBeLessThan(500)
  }
  expect((await site.app.inject('/healthz')).statusCode).toBe(200)
})

/** Half-closes after sending, so that a request whose end was damaged away does not wait for more. */
async function exchange(port: number, bytes: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (chunk) => chunks.push(chunk))
  const closed = once(socket, 'close')
  socket.end(bytes)
  socket.setTimeout(2_000, () => socket.destroy())
  await closed
  return Buffer.concat(chunks).toString()
}
