/** Reading from a replica that streams from its primary. */
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { part } from '../../../test/contracts/sample-part.ts'
import { exportFile } from '../../../test/one-export.ts'
import { type PostgresServer, startPostgres } from '../../../test/postgres-server.ts'
import { createPostgresSource } from './postgres.ts'

const ROWS = 30_000

let primary: PostgresServer
let replica: PostgresServer

beforeAll(async () => {
  const beginning = await startPostgres()
  await beginning.halt()
  primary = beginning
  const { port, username, password } = new URL(primary.url)
  replica = await startPostgres({
    copyOf: primary,
    files: { 'standby.signal': '' },
    settings: [
      `primary_conninfo=host=127.0.0.1 port=${port} user=${username} password=${password}`,
      // A conflict with recovery is decided at once, and against the reader.
      'max_standby_streaming_delay=0',
      'hot_standby_feedback=off',
    ],
  })
  await primary.start()
  await run(`
    create table orders (id int primary key, note text);
    insert into orders select n, repeat('note ' || n || ' ', 100) from generate_series(1, ${ROWS}) n;
    analyze orders`)
  await caughtUp(20_000)
})

afterAll(async () => {
  await replica.stop()
  await primary.stop()
})

async function ask(server: PostgresServer, sql: string): Promise<string | undefined> {
  const client = new pg.Client(`${server.url}postgres`)
  await client.connect()
  try {
    const result = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[]
    const [row] = (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
    return row === undefined ? undefined : String(Object.values(row)[0])
  } finally {
    await client.end()
  }
}

async function run(sql: string): Promise<void> {
  await ask(primary, sql)
}

/** The replica has all that was written up to now, or the time is over. */
async function caughtUp(ms: number): Promise<void> {
  const deadline = performance.now() + ms
  const written = await ask(primary, 'select pg_current_wal_lsn()')
  // The primary is asked: on the replica the question itself could hold up recovery.
  const isThere = `select exists (select from pg_stat_replication where replay_lsn >= '${written}')`
  while (performance.now() < deadline && (await ask(primary, isThere)) !== 'true') await setTimeout(20)
}

describe('a replica', () => {
  it('is exported like its primary, with a count beside and over several connections', async () => {
    expect(await ask(replica, 'select pg_is_in_recovery()')).toBe('true')
    const whole = await exportFile({ url: `${primary.url}postgres` }, { resource: 'orders' })
    for (const parallel of [1, 3]) {
      const copy = await exportFile({ url: `${replica.url}postgres`, parallel }, { resource: 'orders' })
      expect(copy.text === whole.text).toBe(true)
      expect(copy.results).toMatchObject({ successful: ROWS, errors: 0 })
    }
  })

  it.each(['before its rows', 'in the middle of its rows'])(
    'breaks off what holds up recovery, and says so: %s',
    async (when) => {
      const source = createPostgresSource({ url: `${replica.url}postgres`, parallel: 1 })
      const snapshot = await source.open(
        { parts: [part('orders', ['id', 'note'])], layout: 'flat' },
        new AbortController().signal,
      )
      const reading = (async () => {
        if (when === 'before its rows') await removeRows()
        for await (const { rows } of snapshot.rows(0)) if (rows > 0 && when !== 'before its rows') await removeRows()
      })()
      await expect(reading).rejects.toMatchObject({
        code: 'SOURCE_CONFLICT',
        message: expect.stringMatching(/"orders": .*conflict with recovery\. On a replica raise max_standby_streaming_delay/),
      })
      await snapshot.close()
      await source.close()
    },
  )
})

/** What open snapshots of the replica still see is taken away from it. */
async function removeRows(): Promise<void> {
  await run(`delete from orders where id in (select id from orders where id % 2 = 0 limit 1000)`)
  await run('vacuum orders')
  // Rows on their way to a reader who waits cannot be broken off: then the replica waits too.
  await caughtUp(1_000)
}
