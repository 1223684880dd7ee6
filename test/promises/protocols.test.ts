/** Wire protocols on the sample data with the demo's configuration: real rows, over real HTTP, compared with what the database holds. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoConfig } from '../../src/cli/demo/demo-config.ts'
import { makeSampleData } from '../../src/cli/demo/sample-data.ts'
import { resolveConfig } from '../../src/config.ts'
import { openAdministration, type Service, startService } from '../../src/service.ts'

const SMALL = { customers: 20, skus: 20, orders: 200, clients: 400, articles: 20, messages: 2_000 }

let folder = ''
let service: Service
let key = ''
let database: Database.Database

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freight-wires-'))
  const sample = join(folder, 'sample.db')
  makeSampleData(sample, SMALL)
  database = new Database(sample, { readonly: true })
  // Nothing of what is asked for here leaves the machine.
  const delivery = { networks: ['127.0.0.1'], s3Endpoint: 'http://127.0.0.1:9' }
  const config = resolveConfig({ ...demoConfig(sample), delivery }, folder, { FREIGHT_DATA: 'data', PORT: '0' })
  service = await startService(config, pino({ level: 'silent' }))
  const records = await openAdministration(config)
  key = (await records.createKey({ tenant: 'acme', name: 'test', mode: 'live' })).secret
  await records.close()
}, 30_000)

afterAll(async () => {
  await service?.stop()
  database?.close()
  rmSync(folder, { recursive: true, force: true })
})

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at by the tests, not by the compiler.
type Body = any

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    redirect: 'manual',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: (text === '' ? undefined : JSON.parse(text)) as Body }
}

async function until(path: string, wanted: (body: Body) => boolean): Promise<Body> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const { body } = await call('GET', path)
    if (wanted(body)) return body
    await delay(20)
  }
  throw new Error(`${path} did not come to what was waited for`)
}

async function csv(url: string): Promise<Record<string, string>[]> {
  const answer = await fetch(url)
  expect(answer.status).toBe(200)
  return parse(await answer.text(), { columns: true })
}

const rows = (sql: string): Record<string, unknown>[] => database.prepare(sql).all() as Record<string, unknown>[]

describe('v1-exports on the sample data', () => {
  const endpoint = '550e8400-e29b-41d4-a716-446655440000'
  const span = { start_time: '2026-05-01T00:00:00+00:00', end_time: '2026-06-15T02:00:00+02:00' }
  const matching = `from messages where tenant_id = 'acme' and direction = 'outbound' and created_at >= '2026-05-01 00:00:00'
    and created_at < '2026-06-15 00:00:00'`

  it('exports exactly the messages that were asked for, and deletes what it made', async () => {
    const asked = { ...span, status: 'succeeded', endpoint_id: `ep_${endpoint.replaceAll('-', '')}` }
    const created = await call('POST', '/v1/exports', asked)
    expect(created).toMatchObject({ status: 201, body: { data: { project_id: 'proj_acme01', filter_endpoint_id: endpoint } } })
    const path = `/v1/exports/${created.body.data.id}`
    const { data } = await until(path, (body) => body.data.status === 'completed')
    const expected = rows(`select id ${matching} and status = 'succeeded' and endpoint_id = '${endpoint}' order by id`)
    expect(expected.length).toBeGreaterThan(5)
    expect(data.row_count).toBe(expected.length)
    const download = await call('GET', `${path}/download`)
    const file = await csv(download.headers.get('location') ?? '')
    expect(file.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
    expect(file[0]).toMatchObject({ status: 'succeeded', endpoint_id: endpoint, created_at: expect.stringMatching(/T.*Z$/) })
    expect((await call('DELETE', path)).status).toBe(204)
    expect((await call('GET', path)).status).toBe(404)
  })

  it('does not find an endpoint of another tenant', async () => {
    const [{ endpoint_id: theirs } = {}] = rows(
      "select endpoint_id from messages where tenant_id = 'globex' and endpoint_id not null",
    )
    const answer = await call('POST', '/v1/exports', { ...span, endpoint_id: `ep_${String(theirs).replaceAll('-', '')}` })
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'ENDPOINT_NOT_FOUND' } } })
  })

  it('one job tells one story through this wire and the own API', async () => {
    const { body } = await call('POST', '/v1/exports', span)
    const { id } = body.data
    await until(`/exports/${id}`, ({ status }) => status === 'completed')
    const [own, wire] = [(await call('GET', `/exports/${id}`)).body, (await call('GET', `/v1/exports/${id}`)).body.data]
    expect(wire).toMatchObject({ id: own.id, status: own.status, row_count: own.results.successful + own.results.warnings })
    expect(own.progress.processed).toBe(rows(`select count(*) as n ${matching}`)[0]?.n)
    expect((await call('GET', `/clients/export/csv/${id}`)).status).toBe(404)
  })
})

describe('clients-export on the sample data', () => {
  const EXPORTS = '/api/tenants/acme/clients/export/csv'
  const exported = async (body: unknown) => {
    const answer = await call('POST', EXPORTS, body)
    expect(answer).toMatchObject({ status: 201, body: { status: 'Completed' } })
    return { rows: await csv(answer.body.downloadUrl), job: answer.body }
  }

  it('answers within its ten seconds with every field of every client of the tenant', async () => {
    const { rows: file, job } = await exported({})
    const expected = rows("select * from clients where tenant_id = 'acme' order by id")
    expect(job).toMatchObject({ totalItems: expected.length, processedItems: expected.length })
    expect(file.map(({ Code }) => Code)).toEqual(expected.map(({ code }) => code))
    expect(Object.keys(file[0] ?? {})).toHaveLength(67)
    expect(file.map(({ RegisteredAddressPostCode }) => RegisteredAddressPostCode)).toEqual(
      expected.map(({ registered_address_post_code: text }) => text ?? ''),
    )
  })

  it('keeps exactly the clients of a filter: managers, statuses, services and a search term', async () => {
    const filter = { managerCodes: ['MGR01'], statuses: ['Active', 'Prospect'], serviceCodes: ['VAT', 'SA'], search: 'EXAMPLE' }
    const { rows: file } = await exported({ mappingCode: 'individual-clients', filter })
    const expected =
      rows(`select code from clients where tenant_id = 'acme' and manager_code = 'MGR01' and status in ('Active', 'Prospect')
      and (service_codes like '%"VAT"%' or service_codes like '%"SA"%')
      and (name like '%example%' or code like '%example%' or email like '%example%' or internal_reference like '%example%') order by id`)
    expect(expected.length).toBeGreaterThan(5)
    expect(file.map((client) => client['Client code'])).toEqual(expected.map(({ code }) => code))
  })

  it('writes the columns as they are mapped, with or without their names', async () => {
    const columnMappings = [
      { csvHeader: 'E-mail; "work"', targetField: 'Email' },
      { csvHeader: 'Number', targetField: 'Code' },
      { csvHeader: 'E-mail again', targetField: 'Email' },
    ]
    const { rows: file } = await exported({ columnMappings })
    expect(Object.keys(file[0] ?? {})).toEqual(['E-mail; "work"', 'Number', 'E-mail again'])
    expect(file.every((client) => client['E-mail; "work"'] === client['E-mail again'])).toBe(true)
    const bare = await call('POST', EXPORTS, { columnMappings, includeHeaders: false })
    const text = await (await fetch(bare.body.downloadUrl)).text()
    expect(parse(text)).toHaveLength(file.length)
    expect(text).not.toContain('Number')
  })
})

describe('the pages about the wires', () => {
  it.each(['api-exports', 'clients-export', 'content-export', 'v1-exports'])(
    'the first request of %s.md is taken as it stands',
    async (name) => {
      const page = await readFile(join(import.meta.dirname, '../../docs/protocols', `${name}.md`), 'utf8')
      const [, command = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(page) ?? []
      const asked = command.replace('http://127.0.0.1:8080', service.url).replace(/^curl/, 'curl -s --fail')
      expect(asked).toContain(service.url)
      await promisify(execFile)('bash', ['-c', asked], { env: { ...process.env, KEY: key } })
      // Nobody takes the files of the content export, and a server that stops would wait for them.
      const [newest] = (await call('GET', '/exports')).body.data
      await call('POST', `/exports/${newest.id}/cancel`)
    },
  )
})
