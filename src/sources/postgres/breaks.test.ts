/** What breaks on the way from PostgreSQL never gives a file with fewer rows. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportFile } from '../../../test/one-export.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { type PostgresServer, startPostgres } from '../../../test/postgres-server.ts'
import { type Break, startProxy, type TcpProxy } from '../../../test/tcp-proxy.ts'
import { createRandom } from '../../cli/demo/random.ts'

const ROWS = 40_000
const TABLE = `
  create table orders (id int primary key, note text);
  insert into orders select n, repeat('note ' || n || ' ', 6) from generate_series(1, ${ROWS}) n;
  create view slow_orders as select *, case when id % 100 = 0 then pg_sleep(0.002)::text end as pause from orders;
  analyze orders`

let database: TestDatabase
let proxy: TcpProxy
let url: string
/** Of a whole export through the proxy. */
let bytes: number
const random = createRandom('breaks')

beforeAll(async () => {
  database = await createDatabase(TABLE)
  const { hostname, port } = new URL(database.url)
  proxy = await startProxy({ host: hostname, port: Number(port) })
  const through = new URL(database.url)
  through.port = String(proxy.port)
  url = through.href
  const whole = await exportFile({ url }, { resource: 'orders' })
  expect(whole.results.successful).toBe(ROWS)
  bytes = whole.bytes.length + 5 * ROWS
})

afterAll(async () => {
  await proxy.close()
  await database.drop()
})

/** Sessions of exports, not of the tests themselves. */
async function sessions(): Promise<number> {
  const rows = await database.run(
    `select pid from pg_stat_activity where datname = current_database() and application_name like 'freight command-line%'`,
  )
  return rows.length
}

describe('a connection', () => {
  it.each<Break>(['fin', 'rst'])('that ends by %s anywhere in the rows fails the export', async (how) => {
    for (const format of ['csv', 'ndjson', 'csv', 'ndjson', 'csv']) {
      proxy.breakAfter(12_000 + random.next() * (bytes - 24_000), how)
      await expect(exportFile({ url }, { resource: 'orders', format })).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    }
    proxy.mend()
    expect(await sessions()).toBe(0)
  })

  it('that is a black hole is found by the watchdog, and its session is ended', async () => {
    for (let trial = 0; trial < 2; trial++) {
      proxy.breakAfter(12_000 + random.next() * (bytes - 24_000), 'black hole')
      const asked = { resource: 'orders', noProgressMs: 400 }
      await expect(exportFile({ url }, asked)).rejects.toMatchObject({ code: 'NO_PROGRESS' })
      proxy.mend()
    }
    expect(await sessions()).toBe(0)
  })

  it('that an administrator terminates fails the export', async () => {
    for (let trial = 0; trial < 3; trial++) {
      const ending = outcome(exportFile({ url }, { resource: 'slow_orders', format: 'ndjson' }))
      for (let ended = 0; ended === 0; ) {
        await setTimeout(random.next() * 50)
        const rows = await database.run(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'freight command-line%' and query like 'copy%'`)
        ended = rows.length
      }
      expect(await ending).toBe('SOURCE_UNAVAILABLE')
    }
  })
})

/** The number of rows, or the code of the error. */
function outcome(exporting: ReturnType<typeof exportFile>): Promise<number | string> {
  return exporting.then(
    ({ results }) => results.successful,
    ({ code }: { code: string }) => code,
  )
}

describe('a server', () => {
  let server: PostgresServer
  let target: string

  beforeAll(async () => {
    server = await startPostgres({ durable: true })
    target = `${server.url}postgres`
    const { default: pg } = await import('pg')
    const client = new pg.Client(target)
    await client.connect()
    await client.query(TABLE)
    await client.end()
  })

  afterAll(() => server.stop())

  it('that is shut down at once fails the export, which is whole when it is back', async () => {
    for (let trial = 0; trial < 2; trial++) {
      const exporting = exportFile({ url: target }, { resource: 'orders', format: 'ndjson' })
      const ending = outcome(exporting)
      await setTimeout(random.next() * 150)
      await server.crash()
      expect([ROWS, 'SOURCE_UNAVAILABLE']).toContain(await ending)
      await server.start()
      const again = await exportFile({ url: target }, { resource: 'orders', format: 'ndjson' })
      expect(again.results.successful).toBe(ROWS)
    }
  })
})
