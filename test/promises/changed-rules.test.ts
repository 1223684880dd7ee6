/** The configuration gives out less than it did when exports were asked for: nothing is run, or given out, under the rules of before. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'
import { makeTenants } from './tenants.ts'
import { ISSUER_CONFIG, makeIssuer, type SignToken } from './tokens.ts'

const configOf = ({ orders, customers, concurrency }: { orders: string; customers: string; concurrency: number }) => `{
  source: 'sqlite:team.db',
  issuers: ${ISSUER_CONFIG},
  drainSeconds: 1,
  linkMinutes: 60,
  requestsPerMinute: 1000000,
  concurrency: ${concurrency},
  resources: {
    customers: { tenant: 'tenant_id' ${customers} },
    orders: { tenant: 'tenant_id' ${orders} },
    skus: { tenant: 'shared' },
    slow: { tenant: 'shared' },
  },
  protocols: { 'clients-export': { resource: 'customers' } },
}`
const BEFORE = configOf({ orders: '', customers: '', concurrency: 1 })
const AFTER = configOf({ orders: ", masks: { note: 'hash' }", customers: ", scope: { email: 'emails' }", concurrency: 2 })

let site: Site
let server: Server
let sign: SignToken
let key: string
let token: string

beforeAll(async () => {
  site = await makeSite(BEFORE)
  const path = join(site.folder, 'team.db')
  makeTenants(path)
  const database = new Database(path)
  database.exec(`create view slow as with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
    select i as id, (with recursive w(j) as (select 1 union all select j + 1 from w where j < 20000) select max(j) + i from w) as work from n`)
  database.close()
  sign = await makeIssuer(site.folder)
  key = await makeKey(site, 'acme')
  server = await startServer(site)
  token = await sign({ org: 'acme', emails: ['mine-1@example.com'] })
})
afterAll(() => site.remove())

const linkOf = async (credential: string, id: string): Promise<string> =>
  (await server.call(credential, 'GET', `/exports/${id}/file`)).headers.get('location') ?? ''

/** Status, and what a problem says. */
async function statusOf(link: string): Promise<{ status: number; code?: string }> {
  const answer = await fetch(link, { redirect: 'manual' })
  const { code } = answer.status < 400 ? {} : ((await answer.json()) as Body)
  return { status: answer.status, ...(code === undefined ? {} : { code }) }
}

describe('rules that were changed', () => {
  it('end what they were changed for: waiting and running exports, restarts, links', { timeout: 60_000 }, async () => {
    const customers = await create(server, key, { resource: 'customers' })
    const orders = await create(server, key, { resource: 'orders' })
    await ended(server, key, orders)
    const byToken = await create(server, token, { resource: 'customers' })
    await ended(server, token, byToken)
    const clients = { columnMappings: [{ csvHeader: 'Email', targetField: 'Email' }] }
    const wired = await server.call(key, 'POST', '/clients/export/csv', clients)
    expect(wired.status, JSON.stringify(wired.body)).toBe(201)
    const links = [wired.body.downloadUrl, await linkOf(key, customers), await linkOf(token, byToken)]
    const kept = await linkOf(key, orders)
    for (const link of [...links, kept]) expect((await statusOf(link)).status, link).toBeLessThan(303)

    const running = await create(server, key, { parts: [{ resource: 'slow' }, { resource: 'customers', fields: ['id'] }] })
    await until(server, key, running, ({ status }) => status === 'in_progress')
    const [waiting, same, stopped] = [
      await create(server, key, { resource: 'orders', fields: ['id', 'note'] }),
      await create(server, key, { resource: 'skus' }),
      await create(server, key, { resource: 'orders', fields: ['note'] }),
    ]
    await server.call(key, 'POST', `/exports/${stopped}/interrupt`)
    await server.stop()
    await writeFile(join(site.folder, 'freight.config.ts'), `export default ${AFTER}\n`)
    server = await startServer(site, { PORT: new URL(server.url).port })

    expect(await ended(server, key, same)).toMatchObject({ status: 'completed' })
    expect(await ended(server, key, waiting)).toMatchObject({
      status: 'failed',
      attempt: 1,
      files: [],
      error: {
        code: 'FORBIDDEN',
        message:
          'What callers may have of "orders" was changed in the configuration after this export was asked for. Create the export again.',
      },
    })
    const again = await server.call(key, 'POST', `/exports/${stopped}/start`)
    expect(again).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', detail: expect.stringContaining('"orders"') } })
    expect(await ended(server, key, stopped)).toMatchObject({ status: 'interrupted', attempt: 0 })
    // Its rows are given out by a claim now, so it is nobody's to look at.
    expect((await server.call(key, 'GET', `/exports/${running}`)).status).toBe(404)
    const store = await openSqliteStore(join(site.dataDir, 'freight.db'))
    expect(await store.find(running)).toMatchObject({ status: 'failed', files: [], error: { code: 'FORBIDDEN' } })
    await store.close()

    for (const link of links) expect(await statusOf(link), link).toEqual({ status: 403, code: 'LINK_INVALID' })
    // Whose rows are in it has not changed.
    expect(await statusOf(kept)).toEqual({ status: 200 })
  })
})
