/** What a service does with a PostgreSQL source when it is interrupted, terminated from outside, killed and started again. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDatabase, type TestDatabase } from '../postgres.ts'
import { create, download, ended, makeKey, makeSite, type Site, startServer, until } from '../rig.ts'

const ROWS = 2_000

let database: TestDatabase
let site: Site
let key: string

beforeAll(async () => {
  database = await createDatabase(`
    create table orders (id int primary key, tenant_id text, note text);
    insert into orders select n, case when n % 2 = 0 then 'acme' else 'other' end, 'note ' || n from generate_series(1, ${2 * ROWS}) n;
    create table pace (seconds float8);
    insert into pace values (60);
    create view slow as select o.*, case when o.id = 2 then pg_sleep((select seconds from pace))::text end as pause from orders o;
    analyze`)
  site = await makeSite(`{
    source: process.env.SOURCE_URL ?? '',
    resources: { orders: { tenant: 'tenant_id' }, slow: { tenant: 'tenant_id' } },
  }`)
  key = await makeKey(site, 'acme')
})

afterAll(async () => {
  await site.remove()
  await database.drop()
})

/** Backends that serve the export: the one that reads, and for two seconds at most one that counts. */
async function backends(id: string, query = '%'): Promise<number[]> {
  const rows = await database.run(
    `select pid from pg_stat_activity where application_name = 'freight ${id}' and query like '${query}'`,
  )
  return rows.map(({ pid }) => Number(pid))
}

const readers = (id: string): Promise<number[]> => backends(id, 'copy%')

it('exports rows of the caller alone, and lets no session outlive an interrupt, a crash or an end', {
  timeout: 90_000,
}, async () => {
  const env = { SOURCE_URL: database.url }
  const first = await startServer(site, env)
  const quick = await ended(first, key, await create(first, key, { resource: 'orders', format: 'ndjson' }))
  expect(quick).toMatchObject({ status: 'completed', results: { successful: ROWS, warnings: 0, errors: 0 } })
  const file = (await download(first, key, quick.id))?.toString() ?? ''
  expect(file.match(/"tenant_id":"acme"/g)).toHaveLength(ROWS)
  expect(file).not.toContain('other')
  expect(await backends(quick.id)).toEqual([])

  const interrupted = await create(first, key, { resource: 'slow' })
  await expect.poll(() => readers(interrupted), { timeout: 20_000 }).toHaveLength(1)
  expect((await first.call(key, 'POST', `/exports/${interrupted}/interrupt`)).status).toBe(200)
  await expect.poll(() => backends(interrupted)).toEqual([])

  const killed = await create(first, key, { resource: 'slow' })
  await expect.poll(() => readers(killed), { timeout: 20_000 }).toHaveLength(1)
  await until(first, key, killed, ({ status }) => status === 'in_progress')
  // Its session is stored before its first row.
  await setTimeout(300)
  const [left] = await readers(killed)
  await first.kill()
  // The server of the database does not notice for as long as nothing is sent.
  expect(await readers(killed)).toEqual([left])
  await database.run('update pace set seconds = 0')
  const second = await startServer(site, env)
  expect(await ended(second, key, killed)).toMatchObject({ status: 'completed', attempt: 2, results: { successful: ROWS } })
  expect(await backends(killed)).toEqual([])

  await database.run('update pace set seconds = 1')
  const lost = await create(second, key, { resource: 'slow' })
  await expect.poll(() => readers(lost), { timeout: 20_000 }).toHaveLength(1)
  await database.run(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'freight ${lost}'`)
  expect(await ended(second, key, lost)).toMatchObject({ status: 'completed', attempt: 2, results: { successful: ROWS } })
  expect(first.output() + second.output()).not.toContain('canary-postgres-password')
  expect(await second.stop()).toBe(0)
})
