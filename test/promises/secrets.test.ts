/** Secrets and row data leave by no way but the one they are meant for: not in logs, answers, metrics, records or command lines. */
import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { childrenOf } from '../process-group.ts'
import {
  type Answer,
  type Body,
  create,
  download,
  ended,
  makeKey,
  makeSite,
  type Server,
  type Site,
  startServer,
} from '../rig.ts'
import { type Receiver, startReceiver, status } from '../webhook-receiver.ts'

const SECRET = 'canary-secret-0d9c4b7ae1f24d0f8b6e3a5c'
const PREVIOUS = 'canary-former-7f2e6c1bb0a94f4e9d8a2c35'
/** What webhooks are signed with, and a part of their address. */
const SHARED = 'canary-shared-3b1f9d5c77e24a06'
const ADDRESS = 'canaryaddress'
/** In every row of the source. */
const ROW = 'canaryrow'
/** In a filter's value: the store keeps it, since the run needs it. */
const FILTER = 'canaryfilter'
/** Of the right form, and nobody's. */
const UNUSED_KEY = `frt_live_canarykey001_${'unusedcanary'.padEnd(43, 'x')}`

let site: Site
let server: Server
let key: string
let revoked: string
/** Takes nothing of what it is told on one of its paths. */
let receiver: Receiver
/** Every answer but the downloads themselves. */
const answers: string[] = []
const signatures: string[] = []
const commandLines = new Set<string>()

beforeAll(async () => {
  receiver = await startReceiver()
  receiver.answer = (each, response) => status(each.path.includes('refused') ? 500 : 200)(each, response)
  const webhook = (path: string) => `{ url: '${receiver.url}/${path}/${ADDRESS}?key=${ADDRESS}', sharedSecret: '${SHARED}' }`
  site = await makeSite(`{
    protocols: {
      'api-exports': {
        resources: { orders: 'orders', copied: 'copied', broken: 'broken', doomed: 'doomed' },
        webhooks: { taken: ${webhook('taken')}, refused: ${webhook('refused')} },
      },
    },
    source: 'sqlite:team.db',
    requestsPerMinute: 1000000,
    resources: {
      orders: { tenant: 'tenant_id' },
      copied: { tenant: 'tenant_id' },
      broken: { tenant: 'tenant_id' },
      doomed: { tenant: 'tenant_id' },
    },
  }`)
  const db = new Sqlite(join(site.folder, 'team.db'))
  db.pragma('synchronous = off')
  // Invalid UTF-8 and a formula, so that there are warnings and an errors log.
  db.exec(`create table orders (id integer primary key, tenant_id text, note text, data json);
    insert into orders with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
      select i, 'acme', case i % 9 when 0 then cast(x'ff' || '${ROW}' as text) when 1 then '=${ROW}' else '${ROW} ' || i end,
        '{"note": "${ROW}"' from n;
    create view copied as select * from orders order by note;
    create table broken (id integer primary key, tenant_id text, v integer, note text);
    insert into broken select id, tenant_id, case id when 2500 then -9223372036854775808 else 1 end, note from orders;
    alter table broken add column size integer generated always as (abs(v));
    create table doomed (id integer primary key, tenant_id text, note text)`)
  db.close()
  key = await makeKey(site, 'acme')
  revoked = await makeKey(site, 'acme')
  server = await startServer(site, { FREIGHT_LOG_LEVEL: 'trace', FREIGHT_SECRET: SECRET, FREIGHT_SECRET_PREVIOUS: PREVIOUS })
  await provokeEverything()
}, 60_000)

afterAll(async () => {
  await site.remove()
  await receiver.close()
})

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  as = key,
): Promise<Answer> {
  const answer = await server.call(as, method, path, body, headers)
  answers.push(JSON.stringify([...answer.headers]), JSON.stringify(answer.body))
  for (const pid of [server.pid, ...childrenOf(server.pid)]) lookAtProcess(pid)
  return answer
}

function lookAtProcess(pid: number): void {
  try {
    commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    // The server must have its secret from somewhere; who reads a view for it needs none.
    if (pid !== server.pid) commandLines.add(readFileSync(`/proc/${pid}/environ`, 'latin1'))
  } catch {
    // It has ended.
  }
}

async function provokeEverything(): Promise<void> {
  const exports: Record<string, unknown>[] = [
    { resource: 'orders', format: 'json' },
    { resource: 'orders', options: { profile: 'excel' }, reference: 'r', metadata: { a: 1 } },
    { resource: 'orders', filters: { note_not_eq: FILTER, note_cont: ROW.slice(0, 6) } },
    { resource: 'copied', format: 'ndjson', compression: 'gzip' },
    { resource: 'broken' },
    { resource: 'doomed', filters: { note_eq: FILTER } },
  ]
  const ids: string[] = []
  for (const body of exports) {
    const { status, body: created } = await call('POST', '/exports', body, { 'idempotency-key': `k${ids.length}` })
    expect(status, JSON.stringify(created)).toBe(201)
    ids.push(created.id)
    lookAtProcesses()
  }
  for (const id of ids) {
    await ended(server, key, id)
    await call('GET', `/exports/${id}`)
    await call('GET', `/exports/${id}/events`)
  }
  await downloadInEveryWay(ids[0] ?? '')
  await refuseEverything(ids[0] ?? '')
  await dieInTheMiddle()
  const { body: metrics } = await call('GET', '/metrics')
  expect(metrics.text).toContain('freight_rows_total')
}

function lookAtProcesses(): void {
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) lookAtCommandLine(Number(name))
}

function lookAtCommandLine(pid: number): void {
  try {
    commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
  } catch {
    // It has ended.
  }
}

async function downloadInEveryWay(id: string): Promise<void> {
  const links: string[] = []
  for (const path of ['file', 'files/1', 'file']) {
    const { headers } = await server.call(key, 'GET', `/exports/${id}/${path}`)
    links.push(headers.get('location') ?? '')
  }
  for (const link of links) {
    const signature = new URL(link).searchParams.get('signature') ?? ''
    expect(signature).toHaveLength(43)
    signatures.push(signature)
    const altered = link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    for (const [url, init] of [
      [link, {}],
      [link, { method: 'HEAD' }],
      [link, { headers: { range: 'bytes=0-9' } }],
      [link, { headers: { range: 'bytes=999999999-' } }],
    ] as const) {
      await (await fetch(url, init)).arrayBuffer()
    }
    for (const [url, init] of [
      [altered, {}],
      [`${link}&more=1`, {}],
      [link, { method: 'POST', body: link }],
      [link.replace('/downloads/', '/download/'), {}],
    ] as const) {
      const refused = await fetch(url, init)
      expect(refused.status).toBeGreaterThanOrEqual(400)
      answers.push(await refused.text())
    }
  }
}

/** Each refused, and what was sent is repeated by no refusal. */
async function refuseEverything(id: string): Promise<void> {
  const as = [UNUSED_KEY, key.slice(0, -1), `${key}x`, revoked]
  await site.command(['keys', 'revoke', revoked.split('_')[2] ?? ''])
  await setTimeout(1_100)
  for (const other of as) expect((await call('GET', `/exports/${id}`, undefined, {}, other)).status).toBe(401)
  for (const [path, body] of [
    ['/exports', `{"resource": "orders", "filters": {"note_eq": "${FILTER}"`],
    ['/exports', { resource: 'orders', filters: { id_eq: FILTER } }],
    ['/exports', { resource: 'orders', filters: { note_in: FILTER } }],
    ['/exports', { resource: 'orders', filters: { note_jcont: FILTER } }],
    ['/exports', { resource: 'orders', filters: { nothing_eq: FILTER } }],
    ['/exports', { resource: 'orders', filters: { note_eq: { deep: FILTER } } }],
    ['/exports/estimate', { resource: 'orders', filters: { note_gt: [FILTER] } }],
    [`/exports/${id}/start`, { note: FILTER }],
    [`/exports/${id}/cancel`, undefined],
  ] as const) {
    expect((await call('POST', path, body)).status, JSON.stringify(body)).toBeGreaterThanOrEqual(400)
  }
  await call('POST', '/exports', { resource: 'orders' }, { 'idempotency-key': 'k0' })
  await call('GET', `/exports?reference=${FILTER}&nonsense=${FILTER}`)
  await call('GET', `/nowhere/${FILTER}?key=${key}`)
  await call('GET', `/exports/${id}`, undefined, { 'x-api-key': key })
  await call('GET', '/exports', undefined, { authorization: `Basic ${key}` })
}

/** A fault with a cause, which goes into the log: the reader of a view killed, a table gone between request and run. */
async function dieInTheMiddle(): Promise<void> {
  const db = new Sqlite(join(site.folder, 'team.db'))
  const id = await create(server, key, { resource: 'copied', filters: { note_not_eq: FILTER } })
  for (let waited = 0; childrenOf(server.pid).length === 0 && waited < 100; waited += 1) await setTimeout(5)
  for (const pid of childrenOf(server.pid)) process.kill(pid, 'SIGKILL')
  db.exec('drop table doomed')
  await call('POST', '/exports', { resource: 'doomed', filters: { note_eq: FILTER } })
  await ended(server, key, id)
  db.close()
}

function expectIn(text: string, canaries: readonly string[], where: string): void {
  for (const canary of canaries) expect(text.includes(canary), `${canary.slice(0, 12)}... in ${where}`).toBe(false)
}

describe('a server at its most talkative', () => {
  /** Without their public part, which names them in records. */
  const keys = (): string[] => [key, revoked, UNUSED_KEY].map((each) => each.slice(-43))

  it('has been through all of it', async () => {
    const { body } = await server.call(key, 'GET', '/exports?limit=100')
    const codes = body.data.map(({ status, error }: Body) => error?.code ?? status)
    expect(new Set(codes)).toContain('SOURCE_FAILED')
    expect(codes.filter((code: string) => code === 'completed').length).toBeGreaterThan(4)
    // The last lines may still be on their way.
    for (const mark of ['"level":20', 'run fault']) await expect.poll(() => server.output().includes(mark)).toBe(true)
    const warned = body.data.filter(({ errors_log }: Body) => errors_log.length > 0)
    expect(warned.length).toBeGreaterThan(0)
  })

  it('logs no key, secret, signature, filter value or row', () => {
    expectIn(server.output(), [SECRET, PREVIOUS, SHARED, ADDRESS, ...keys(), ...signatures, FILTER, ROW], 'the log')
  })

  it('answers without a key, secret or row, and repeats a filter value only as the export that was asked for', async () => {
    const text = answers.join('\n')
    expectIn(text, [SECRET, PREVIOUS, SHARED, ADDRESS, ...keys(), ROW], 'an answer')
    const problems = answers.filter((answer) => answer.includes('"code"') && answer.includes('"request_id"'))
    expect(problems.length).toBeGreaterThan(15)
    expectIn(problems.join('\n'), [FILTER, ...signatures], 'a refusal')
  })

  it('keeps keys as hashes only, no row and no link, and a filter value only in the export that asks for it', async () => {
    const db = new Sqlite(join(site.dataDir, 'freight.db'), { readonly: true })
    const tables = db.prepare("select name from sqlite_schema where type = 'table'").pluck().all() as string[]
    for (const table of tables) {
      // What webhooks are told shows the export as its answers do.
      const allowed = { jobs: ['request', 'spec'], notices: ['document'] }[table] ?? []
      const rows = db.prepare(`select * from "${table}"`).all() as Record<string, unknown>[]
      for (const row of rows) {
        const rest = Object.entries(row).filter(([column]) => !allowed.includes(column))
        expectIn(JSON.stringify(Object.fromEntries(rest)), [FILTER], table)
      }
    }
    const hashes = db.prepare('select hash from api_keys').pluck().all()
    db.close()
    expect(hashes).toHaveLength(2)
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/)
    // And what SQLite may have left in pages and in its log.
    for (const name of ['freight.db', 'freight.db-wal']) {
      const bytes = (await readFile(join(site.dataDir, name))).toString('latin1')
      expectIn(bytes, [SECRET, PREVIOUS, SHARED, ADDRESS, ...keys(), ...signatures, ROW], name)
    }
  })

  it('leaves nothing of it in other files, in command lines or with the processes that read for it', async () => {
    for (const file of await readdir(site.dataDir, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name)
      if (!file.isFile() || path.startsWith(join(site.dataDir, 'files')) || file.name.startsWith('freight.db')) continue
      expectIn((await readFile(path)).toString('latin1'), [SECRET, PREVIOUS, SHARED, ADDRESS, ...keys(), ROW, FILTER], file.name)
    }
    expect(commandLines.size).toBeGreaterThan(2)
    expectIn(
      [...commandLines].join('\n'),
      [SECRET, PREVIOUS, SHARED, ADDRESS, ...keys(), ROW, FILTER, ...signatures],
      'a command line',
    )
  })

  it('tells webhooks of every export, and nothing of what it keeps to itself', async () => {
    await vi.waitFor(
      () => expect(receiver.received.filter(({ path }) => path.startsWith('/taken')).length).toBeGreaterThan(15),
      30_000,
    )
    await vi.waitFor(() => expect(server.output()).toContain('webhook not told yet'), 30_000)
    const told = receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body.toString()).join('\n')
    expect(told).toContain('exports.complete')
    expectIn(told, [SECRET, PREVIOUS, SHARED, ADDRESS, ...keys(), ROW], 'what webhooks are told')
  })

  it('gives the rows to who asks for them: the marks are there to be found', async () => {
    const id = await create(server, key, { resource: 'orders', limit: 1 })
    await ended(server, key, id)
    expect((await download(server, key, id))?.toString()).toContain(ROW)
  })
})
