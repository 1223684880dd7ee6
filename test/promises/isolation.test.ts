/** One tenant never sees another: neither its exports, nor its rows, nor that there are any. */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { type Answer, type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'
import { storedBytes } from '../stored-files.ts'
import { FOREIGN, makeTenants, randomPart } from './tenants.ts'

const CONFIG = `{
  source: 'sqlite:team.db',
  requestsPerMinute: 1000000,
  resources: {
    customers: { tenant: 'tenant_id' },
    orders: { tenant: 'tenant_id' },
    line_items: { tenant: 'tenant_id' },
    skus: { tenant: 'shared' },
  },
}`

let site: Site
let server: Server
let acme: string
let globex: string

beforeAll(async () => {
  site = await makeSite(CONFIG)
  makeTenants(join(site.folder, 'team.db'))
  acme = await makeKey(site, 'acme')
  globex = await makeKey(site, 'globex')
  server = await startServer(site)
})

afterAll(() => site.remove())

describe('the export of another tenant', () => {
  const random = createRandom('unknown ids')
  const unknown = (): string => random.uuid(7, Date.now())
  const ROUTES: readonly [string, (id: string) => string, Record<string, string>][] = [
    ['GET', (id) => `/exports/${id}`, {}],
    ['HEAD', (id) => `/exports/${id}`, {}],
    ['GET', (id) => `/exports/${id}`, { 'if-none-match': '*' }],
    ['GET', (id) => `/exports/${id.toUpperCase()}`, {}],
    ['DELETE', (id) => `/exports/${id}`, {}],
    ['POST', (id) => `/exports/${id}/interrupt`, {}],
    ['POST', (id) => `/exports/${id}/start`, {}],
    ['POST', (id) => `/exports/${id}/cancel`, {}],
    ['GET', (id) => `/exports/${id}/events`, {}],
    ['GET', (id) => `/exports/${id}/events`, { accept: 'text/event-stream' }],
    ['GET', (id) => `/exports/${id}/events`, { accept: 'text/event-stream', 'last-event-id': '1' }],
    ['GET', (id) => `/exports/${id}/file`, {}],
    ['HEAD', (id) => `/exports/${id}/file`, {}],
    ['GET', (id) => `/exports/${id}/files/1`, {}],
    ['GET', (id) => `/exports/${id}/files/2`, {}],
  ]
  /** Changes from answer to answer, whatever is asked. */
  const PASSING = ['date', 'x-request-id', 'ratelimit-remaining', 'ratelimit-reset', 'x-ratelimit-remaining', 'x-ratelimit-reset']

  function comparable({ status, headers, body }: Answer): unknown {
    const kept = [...headers].filter(([name]) => !PASSING.includes(name))
    const { request_id, instance, ...rest } = body
    return { status, headers: kept, body: rest }
  }

  it('answers on every route exactly like an id that nobody has', async () => {
    const orders = { resource: 'orders' }
    const completed = await create(server, globex, orders)
    await ended(server, globex, completed)
    const waiting = await Promise.all([1, 2, 3, 4, 5].map(() => create(server, globex, orders)))
    await server.call(globex, 'POST', `/exports/${waiting[3]}/cancel`)
    await server.call(globex, 'POST', `/exports/${waiting[4]}/interrupt`)
    const foreign = [completed, ...waiting]
    // A key counts by its address until it is known.
    await server.call(acme, 'GET', '/resources')
    for (const id of foreign) {
      for (const [method, path, headers] of ROUTES) {
        const theirs = await server.call(acme, method, path(id), undefined, headers)
        const nobodys = await server.call(acme, method, path(unknown()), undefined, headers)
        expect(comparable(theirs), `${method} ${path(id)}`).toEqual(comparable(nobodys))
        expect(theirs.status).toBe(404)
      }
    }
    // None of those verbs did anything.
    for (const id of waiting.slice(0, 3)) expect((await ended(server, globex, id)).status).toBe('completed')
    expect((await server.call(globex, 'GET', `/exports/${completed}`)).body.status).toBe('completed')
  })

  it('is in no list, under no cursor and behind no idempotency key', async () => {
    const body = { resource: 'orders', reference: 'shared reference' }
    const theirs = await server.call(globex, 'POST', '/exports', body, { 'idempotency-key': 'same key' })
    await create(server, globex, body)
    const page = await server.call(globex, 'GET', '/exports?limit=1')
    const before = await server.call(acme, 'GET', '/exports?reference=shared%20reference')
    expect(before.body).toEqual({ data: [], next_cursor: null })
    expect((await server.call(acme, 'GET', `/exports?limit=1&cursor=${page.body.next_cursor}`)).status).toBe(422)
    // Neither their export nor a word about another body.
    const other = { ...body, format: 'json' }
    const own = await server.call(acme, 'POST', '/exports', other, { 'idempotency-key': 'same key' })
    expect(own.status).toBe(201)
    expect(own.body.id).not.toBe(theirs.body.id)
    expect(own.body.tenant).toBe('acme')
    const { data } = (await server.call(acme, 'GET', '/exports?limit=100')).body
    expect(data.map(({ id }: Body) => id)).toEqual([own.body.id])
  })
})

describe('the rows of another tenant', () => {
  /** The same, as if the other tenant had never been. */
  let alone: Site
  let aloneServer: Server
  let aloneKey: string
  beforeAll(async () => {
    alone = await makeSite(CONFIG)
    const path = join(alone.folder, 'team.db')
    makeTenants(path)
    const db = new Sqlite(path)
    db.pragma('foreign_keys = off')
    for (const table of ['customers', 'orders', 'line_items']) db.exec(`delete from ${table} where tenant_id <> 'acme'`)
    db.close()
    aloneKey = await makeKey(alone, 'acme')
    aloneServer = await startServer(alone)
  })
  afterAll(() => alone.remove())

  const rest = (job: Body): boolean => job.status === 'completed' || job.status === 'failed'

  it('are in none of 500 random exports, nor in their counts', async () => {
    const random = createRandom('500 exports')
    let rows = 0
    let compared = 0
    for (let round = 0; round < 50; round += 1) {
      const format = random.pick(['csv', 'json', 'ndjson'])
      const body = { format, parts: Array.from({ length: 10 }, () => randomPart(random)) }
      const [asked, twin] = await Promise.all([
        server.call(acme, 'POST', '/exports', body),
        round % 3 === 0 ? create(aloneServer, aloneKey, body) : null,
      ])
      expect(asked.status, JSON.stringify(asked.body)).toBe(201)
      const { id, progress } = asked.body
      const job = await until(server, acme, id, rest)
      expect(job.status, JSON.stringify(job.error)).toBe('completed')
      for (const { name, rows: written } of job.manifest.files) {
        const text = (await storedBytes(site, `${id}/${job.attempt}/${name}`)).toString()
        expect(FOREIGN.exec(text)?.[0], JSON.stringify(body)).toBeUndefined()
        rows += written
      }
      // What was counted before the run, while the caller waited.
      expect(progress).toMatchObject({ total: job.results.successful, total_is_estimate: false })
      expect(FOREIGN.exec(JSON.stringify(withoutRequest(job)))?.[0]).toBeUndefined()
      if (twin === null) continue
      const same = await until(aloneServer, aloneKey, twin, rest)
      expect(facts(job), JSON.stringify(body)).toEqual(facts(same))
      compared += 1
    }
    // Filters that let nothing through would prove nothing.
    expect(rows).toBeGreaterThan(5_000)
    expect(compared).toBe(17)
  }, 120_000)

  it('do not show in an estimate, whatever the filter asks for', async () => {
    const random = createRandom('estimates')
    const named = [{ tenant_id_eq: 'globex' }, { tenant_id_not_eq: 'acme' }, { 'line_items.tenant_id_eq': 'globex' }]
    const asked = named.map((filters) => ({ resource: 'orders', fields: ['id', 'note'], filters }))
    for (const part of [...asked, ...Array.from({ length: 12 }, () => randomPart(random))]) {
      const [ours, theirs] = await Promise.all([
        server.call(acme, 'POST', '/exports/estimate', part),
        aloneServer.call(aloneKey, 'POST', '/exports/estimate', part),
      ])
      expect(ours.status, JSON.stringify(ours.body)).toBe(200)
      expect(ours.body).toEqual(theirs.body)
      expect(FOREIGN.exec(JSON.stringify(ours.body))).toBeNull()
    }
  })

  /** The caller's own filters may name anything. */
  function withoutRequest({ parts, ...job }: Body): Body {
    return job
  }

  function facts({ progress, results, manifest, errors_log }: Body): unknown {
    const files = manifest.files.map(({ rows, bytes, sha256 }: Body) => ({ rows, bytes, sha256 }))
    return { total: progress.total, processed: progress.processed, results, files, fields: manifest.fields, errors_log }
  }
})
