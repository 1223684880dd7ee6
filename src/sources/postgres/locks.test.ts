/** What others do to tables while an export that reads them has begun. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { part } from '../../../test/contracts/sample-part.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Source } from '../source.ts'
import { createPostgresSource } from './postgres.ts'

const PATIENT = { timeout: 60_000, interval: 5 }
const VIEW = { kind: 'view' as const, primaryKey: [] }

let database: TestDatabase
let source: Source

beforeAll(async () => {
  database = await createDatabase(`
    create table cut as select n id from generate_series(1, 10) n;
    create view cut_seen as select id from cut;
    create materialized view cut_kept as select id from cut;
    create table parted (id int primary key) partition by range (id);
    create table parted_first partition of parted for values from (0) to (100);
    insert into parted select id from cut;
    drop role if exists locks_owner, locks_reader;
    create role locks_owner;
    create role locks_reader login password 'secret';
    grant select (id) on cut to locks_owner, locks_reader;
    create view cut_lent as select id from cut;
    alter view cut_lent owner to locks_owner;
    grant select on cut_lent, cut_kept, parted to locks_reader`)
  const reader = Object.assign(new URL(database.url), { username: 'locks_reader', password: 'secret' })
  source = createPostgresSource({ url: reader.href, parallel: 1 })
})

afterAll(async () => {
  await source.close()
  await database.run('drop owned by locks_owner, locks_reader; drop role locks_owner, locks_reader')
  await database.drop()
})

/** With the rows that are counted in the end, whatever another session tries after the snapshot. */
async function countDespite(sql: string, read: Source, table: string, shape: Parameters<typeof part>[2]): Promise<number | null> {
  const snapshot = await read.open({ parts: [part(table, ['id'], shape)], layout: 'flat' }, new AbortController().signal)
  const writer = await database.connect()
  await writer.query(`set lock_timeout = '50ms'`)
  await expect(writer.query(sql)).rejects.toThrow('lock timeout')
  const { rows } = await snapshot.count(0, { ms: 60_000 })
  await snapshot.close()
  return rows
}

describe('what comes after the snapshot', () => {
  it('does not show in a table, or in a view over it', async () => {
    const owner = createPostgresSource({ url: database.url, parallel: 1 })
    expect(await countDespite('truncate cut', owner, 'cut', { primaryKey: [] })).toBe(10)
    expect(await countDespite('truncate cut', owner, 'cut_seen', VIEW)).toBe(10)
    expect(await countDespite('drop view cut_seen', owner, 'cut_seen', VIEW)).toBe(10)
    await owner.close()
  })

  it('does not show where the role, or the owner of a view, may read some columns only', async () => {
    expect(await countDespite('truncate cut', source, 'cut', { primaryKey: [] })).toBe(10)
    expect(await countDespite('truncate cut', source, 'cut_lent', VIEW)).toBe(10)
  })
})

it('a TRUNCATE that is under way is waited for, also where a view is read, and the snapshot has what came of it', async () => {
  const owner = createPostgresSource({ url: database.url, parallel: 1 })
  for (const [table, shape] of [
    ['cut', { primaryKey: [] }],
    ['cut_seen', VIEW],
  ] as const) {
    const writer = await database.connect()
    await writer.query('begin; truncate cut; insert into cut select generate_series(1, 10)')
    const opening = owner.open({ parts: [part(table, ['id'], shape)], layout: 'flat' }, new AbortController().signal)
    const waiting = `select 1 from pg_locks join pg_database d on d.oid = database and datname = current_database() where not granted`
    await expect.poll(async () => (await writer.query(waiting)).rowCount, PATIENT).toBe(1)
    await writer.query('commit')
    const snapshot = await opening
    expect((await snapshot.count(0, { ms: 60_000 })).rows).toBe(10)
    await snapshot.close()
  }
  await owner.close()
})

it('a partitioned table is read, and locked, by a role to whom nobody granted its partitions', async () => {
  expect(await countDespite('truncate parted', source, 'parted', {})).toBe(10)
})

it('a materialized view is not refreshed under an export that reads it', async () => {
  expect(await countDespite('refresh materialized view cut_kept', source, 'cut_kept', VIEW)).toBe(10)
})
