/** Several connections over ranges of one key give what one connection gives. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, part } from '../../../test/contracts/sample-part.ts'
import { type AskedExport, exportFile } from '../../../test/one-export.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { createPostgresSource } from './postgres.ts'
import { cutsBetween } from './ranges.ts'

const ROWS = 24_000

let database: TestDatabase

beforeAll(async () => {
  const numbers = `select n, repeat(md5(n::text), 12) as pad from generate_series(1, ${ROWS}) n`
  database = await createDatabase(`
    create table evenly (id int primary key, pad text);
    insert into evenly select n, pad from (${numbers}) q;
    create table skewed (id bigint primary key, pad text);
    insert into skewed select case when n < 10 then -9223372036854775808 + n when n > ${ROWS - 10} then 9223372036854775807 - ${ROWS} + n else n end, pad from (${numbers}) q order by 1;
    create table by_uuid (id uuid primary key, pad text);
    insert into by_uuid select md5(n::text)::uuid, pad from (${numbers}) q order by 1;
    create table scattered (id uuid primary key, place int, pad text);
    insert into scattered select md5(n::text)::uuid, n, pad from (${numbers}) q;
    delete from scattered where place % 10 = 0;
    update scattered set pad = pad || '!' where place % 7 = 0;
    create table guarded (like scattered including all);
    insert into guarded select * from scattered;
    alter table guarded enable row level security;
    create policy most on guarded using (place > 2000);
    drop role if exists parallel_reader;
    create role parallel_reader login password 'secret';
    grant select on guarded to parallel_reader;
    create table heirs (like scattered including all);
    create table heir () inherits (heirs);
    insert into heirs select * from scattered where place % 2 = 0;
    insert into heir select * from scattered where place % 2 = 1;
    create table by_time (at timestamptz primary key, pad text);
    insert into by_time select case n when 1 then '-infinity' when ${ROWS} then 'infinity' when 2 then '0044-03-15 BC'::timestamptz
      else timestamptz '2024-01-01' + n * interval '1.000001 s' end, pad from (${numbers}) q order by 1;
    create table unanalysed (id int primary key, pad text);
    insert into unanalysed select n, pad from (${numbers}) q;
    analyze evenly, skewed, by_uuid, scattered, guarded, heirs, by_time`)
})

afterAll(async () => {
  await database.run('drop owned by parallel_reader; drop role parallel_reader')
  await database.drop()
})

/** Over one connection and over three, which must not show; resolves with the rows. */
async function exportTwice(asked: AskedExport, url = database.url): Promise<number | undefined> {
  const one = await exportFile({ url }, asked)
  const three = await exportFile({ url, parallel: 3 }, asked)
  expect(three.bytes.equals(one.bytes)).toBe(true)
  return three.manifest.files[0]?.rows
}

describe('parallel connections', () => {
  it.each([
    ['evenly', 'csv'],
    ['evenly', 'ndjson'],
    ['skewed', 'ndjson'],
    ['by_uuid', 'csv'],
    ['by_time', 'ndjson'],
    ['unanalysed', 'csv'],
  ])('give the same file of %s as %s', async (resource, format) => {
    expect(await exportTwice({ resource, format })).toBe(ROWS)
  })

  it('give the same file of rows that do not lie in the order of their key', async () => {
    const rows = ROWS * 0.9
    expect(await exportTwice({ resource: 'scattered' })).toBe(rows)
    expect(await exportTwice({ resource: 'scattered', format: 'ndjson', fields: ['place', 'pad'] })).toBe(rows)
    expect(await exportTwice({ resource: 'scattered', filters: { place_gt: 2_000 } })).toBe(rows - 1_800)
    const reader = Object.assign(new URL(database.url), { username: 'parallel_reader', password: 'secret' })
    expect(await exportTwice({ resource: 'guarded' }, reader.href)).toBe(rows - 1_800)
    expect(await exportTwice({ resource: 'heirs' })).toBe(rows)
  })

  it('read such rows block by block, also where an index has all that is asked for', async () => {
    // All of it is visible to everybody, so that the index alone would be read.
    await database.run('vacuum scattered')
    const lying = await database.run('select id from scattered order by ctid')
    for (const parallel of [1, 3]) {
      const asked = { resource: 'scattered', fields: ['id'], options: { header: false } }
      const { text } = await exportFile({ url: database.url, parallel }, asked)
      expect(text.trimEnd().split('\n')).toEqual(lying.map(({ id }) => id))
    }
  })

  it('read one snapshot, filtered, and end with their reader', async () => {
    const source = createPostgresSource({ url: database.url, parallel: 3 })
    const where = compare('gt', 'id', 'integer', '10000')
    const stop = new AbortController()
    const query = { parts: [part('evenly', ['id', 'pad'], { where })], layout: 'flat' as const, job: 'parallel' }
    const snapshot = await source.open(query, stop.signal)
    const sessions = async (): Promise<number> =>
      (
        await database.run(
          `select 1 from pg_stat_activity where application_name = 'freight parallel' and datname = current_database()`,
        )
      ).length
    expect(await sessions()).toBe(4)
    expect(snapshot.session?.split(',')).toHaveLength(4)
    await database.run('update evenly set id = id + 100000 where id % 2 = 0; delete from evenly where id < 15000')
    let rows = 0
    for await (const chunk of snapshot.rows(0)) rows += chunk.rows
    expect(rows).toBe(ROWS - 10_000)
    const left = snapshot.rows(0)
    for await (const _ of left) break
    rows = 0
    for await (const chunk of snapshot.rows(0)) rows += chunk.rows
    expect(rows).toBe(ROWS - 10_000)
    await snapshot.close()
    expect(await sessions()).toBe(0)
    const again = await source.open(query, stop.signal)
    const reading = (async () => {
      for await (const _ of again.rows(0)) stop.abort()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    await again.close()
    expect(await sessions()).toBe(0)
    await source.close()
  })

  it('never complete when one of them is lost', async () => {
    const source = createPostgresSource({ url: database.url, parallel: 3 })
    const snapshot = await source.open({ parts: [part('skewed', ['id', 'pad'])], layout: 'flat' }, new AbortController().signal)
    const [, second] = snapshot.session?.split(',') ?? []
    await source.endSession(second ?? '')
    const reading = (async () => {
      for await (const _ of snapshot.rows(0));
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await snapshot.close()
    await source.close()
  })
})

describe('cuts', () => {
  it('part evenly what lies evenly, and never before the lowest key or twice in one place', () => {
    expect(cutsBetween([0n, 100n], 4)).toEqual([25n, 50n, 75n])
    expect(cutsBetween([0n, 10n, 1000n], 4)).toEqual([5n, 10n, 505n])
    expect(cutsBetween([7n, 8n], 5)).toEqual([])
    expect(cutsBetween([7n], 5)).toEqual([])
    expect(cutsBetween([], 5)).toEqual([])
    expect(cutsBetween([-(2n ** 63n), 2n ** 63n - 1n], 2)).toEqual([-1n])
  })
})
