/** What a service does with a PostgreSQL source when it is interrupted, terminated from outside, killed and started again. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDatabase, type TestDatabase } from '../postgres.ts'
import { create, download, ended, makeKey, makeSite, type Site, startServer, until } from '../rig.ts'

const ROWS = 2_000

/** A role that row level security holds for: a superuser passes it by. */
const ROLE = `reader_${randomUUID().replaceAll('-', '')}`

let database: TestDatabase
let site: Site
let key: string

beforeAll(async () => {
  database = await createDatabase(`
    create table orders (id int primary key, tenant_id text, note text);
    insert into orders select n, case when n % 2 = 0 then 'acme' else 'other' end, 'note ' || n from generate_series(1, ${2 * ROWS}) n;
    create role ${ROLE} login password 'secret';
    create table guarded (id int primary key, owner text);
    insert into guarded values (1, 'acme'), (2, 'other'), (3, 'acme');
    alter table guarded enable row level security;
    create policy own on guarded using (owner = current_setting('app.tenant', true));
    grant select on guarded to ${ROLE};
    create table pace (seconds float8);
    insert into pace values (60);
    create view slow as select o.*, case when o.id = 2 then pg_sleep((select seconds from pace))::text end as pause from orders o;
    analyze`)
  site = await makeSite(`{
    sources: {
      main: process.env.SOURCE_URL ?? '',
      limited: { url: process.env.LIMITED_URL ?? '', sessionVariables: { 'app.tenant': 'tenant' } },
    },
    resources: {
      orders: { tenant: 'tenant_id' },
      slow: { tenant: 'tenant_id' },
      guarded: { source: 'limited', tenant: 'shared' },
    },
  }`)
  key = await makeKey(site, 'acme')
})

afterAll(async () => {
  await site.remove()
  await database.run(`drop owned by ${ROLE}; drop role ${ROLE}`)
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

it('exports rows of the caller alone, by column or by row level security, and lets no session outlive an interrupt, a crash or an end', {
  timeout: 90_000,
}, async () => {
  const limited = Object.assign(new URL(database.url), { username: ROLE, password: 'secret' })
  const env = { SOURCE_URL: database.url, LIMITED_URL: limited.href }
  const first = await startServer(site, env)
  const quick = await ended(first, key, await create(first, key, { resource: 'orders', format: 'ndjson' }))
  expect(quick).toMatchObject({ status: 'completed', results: { successful: ROWS, warnings: 0, errors: 0 } })
  const file = (await download(first, key, quick.id))?.toString() ?? ''
  expect(file.match(/"tenant_id":"acme"/g)).toHaveLength(ROWS)
  expect(file).not.toContain('other')
  expect(await backends(quick.id)).toEqual([])

  // Told by the policies of the database, who is asking.
  for (const [asking, ids] of [
    [key, [1, 3]],
    [await makeKey(site, 'other'), [2]],
  ] as const) {
    const estimate = await first.call(asking, 'POST', '/exports/estimate', { resource: 'guarded' })
    expect(estimate.body.rows).toBe(ids.length)
    const { id } = await ended(first, asking, await create(first, asking, { resource: 'guarded', fields: ['id'] }))
    expect((await download(first, asking, id))?.toString()).toBe(`id\n${ids.join('\n')}\n`)
  }

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
