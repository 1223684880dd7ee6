/** How the source behaves towards the database and its administrators. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, field, many, one, part, readColumn, readRows, join as relation } from '../../../test/contracts/sample-part.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { TIMED } from '../../../test/timed.ts'
import type { Query, Snapshot, Source } from '../source.ts'
import { createPostgresSource } from './postgres.ts'

let database: TestDatabase
let source: Source
const never = (): AbortSignal => new AbortController().signal

beforeAll(async () => {
  database = await createDatabase(`
    create table orders (id int primary key, tenant text, total numeric, pad text);
    insert into orders select n, case when n % 2 = 0 then 'acme' else 'other' end, n, repeat('p', 200) from generate_series(1, 20000) n;
    create table locked (id int primary key);
    create table broken (id int primary key, zero int);
    insert into broken values (1, 1), (2, 0);
    insert into locked values (1);
    analyze`)
  source = createPostgresSource({ url: database.url, parallel: 1 })
})

afterAll(async () => {
  await source.close()
  await database.drop()
})

function open(query: Partial<Query> & { parts: Query['parts'] }, signal = never()): Promise<Snapshot> {
  return source.open({ layout: 'nested', ...query }, signal)
}

async function sessionsNamed(name: string): Promise<number> {
  return (
    await database.run(`select 1 from pg_stat_activity where datname = current_database() and application_name = '${name}'`)
  ).length
}

const asRole = (role: string): string => {
  const url = new URL(database.url)
  url.username = role
  url.password = 'secret'
  return url.href
}

describe('a session', () => {
  it("carries the job's id, reads only, and has its limits set", async () => {
    const snapshot = await open({ parts: [part('orders', ['id'])], job: 'job-4711', maxMs: 60_000 })
    expect(await sessionsNamed('freight job-4711')).toBe(1)
    await snapshot.close()
    const settings = `current_setting('transaction_read_only') || current_setting('transaction_isolation') || current_setting('statement_timeout')
      || current_setting('lock_timeout') || current_setting('idle_in_transaction_session_timeout') || current_setting('TimeZone')`
    await database.run(`create view settings as select ${settings} as said`)
    const inside = await open({ parts: [part('settings', ['said'], { kind: 'view', primaryKey: [] })], maxMs: 60_000 })
    for await (const { bytes } of inside.rows(0)) expect(Buffer.from(bytes).toString()).toBe('onrepeatable read1min5s10minUTC\n')
    await inside.close()
  })

  it('that a dead run left behind is ended by its process and start, and no other is', async () => {
    const abandoned = await open({ parts: [part('orders', ['id', 'pad'])], job: 'dead' })
    const session = abandoned.session ?? ''
    expect(session).toMatch(/^\d+@\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+00$/)
    // The process number is by now another's, which began at another time.
    await source.endSession(session.replace(/@\d{4}/, '@1999'))
    expect(await sessionsNamed('freight dead')).toBe(1)
    await source.endSession(session)
    expect(await sessionsNamed('freight dead')).toBe(0)
    await source.endSession(session)
    await source.endSession('nonsense')
    const reading = (async () => {
      for await (const _ of abandoned.rows(0));
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await abandoned.close()
  })

  it('is ended at once by an abort, in the middle of a statement that sends nothing', async () => {
    await database.run('create view asleep as select id, pg_sleep(60)::text as pause from locked')
    const stop = new AbortController()
    const snapshot = await open(
      { parts: [part('asleep', ['id', 'pause'], { kind: 'view', primaryKey: [] })], job: 'asleep' },
      stop.signal,
    )
    const reading = (async () => {
      for await (const _ of snapshot.rows(0));
    })()
    setTimeout(() => stop.abort(), 50)
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    await snapshot.close()
    expect(await sessionsNamed('freight asleep')).toBe(0)
  })

  it('gives up on a lock in time for others, saying so', async () => {
    const writer = await database.connect()
    await writer.query('begin; lock table locked in access exclusive mode')
    const opening = open({ parts: [part('locked', ['id'])] })
    await expect(opening).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringContaining('holds a lock on "locked"'),
    })
    await writer.query('rollback')
  }, 20_000)

  it('stops a count after its time, with an estimate instead', TIMED, async () => {
    await database.run('create or replace view slow as select id from orders where pg_sleep(0.001) is not null')
    const snapshot = await open({ parts: [part('slow', ['id'], { kind: 'view', primaryKey: [] })] })
    const started = performance.now()
    const count = await snapshot.count(0, { ms: 100 })
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(count.exact).toBe(false)
    expect(count.rows).toBeGreaterThan(0)
    await snapshot.close()
  })

  it('does not wait for a count when it is closed', TIMED, async () => {
    await database.run('create or replace view endless as select id from locked where pg_sleep(600) is not null')
    const own = createPostgresSource({ url: database.url, parallel: 1 })
    const query = { parts: [part('endless', ['id'], { kind: 'view', primaryKey: [] })], layout: 'flat', job: 'counting' } as const
    const snapshot = await own.open(query, never())
    const counted = expect(snapshot.count(0, { ms: 600_000 })).rejects.toMatchObject({ code: 'ABORTED' })
    await expect.poll(() => sessionsNamed('freight counting'), { timeout: 60_000 }).toBe(2)
    const started = performance.now()
    await snapshot.close()
    await own.close()
    // The pool gives up on a statement after 15 s.
    expect(performance.now() - started).toBeLessThan(10_000)
    await counted
    await database.run(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'freight counting'`)
  })

  it('estimates filters from statistics', async () => {
    const { rows } = await source.estimate(part('orders', ['id'], { where: compare('lt', 'id', 'integer', '1000') }), never())
    expect(rows).toBeGreaterThan(500)
    expect(rows).toBeLessThan(2_000)
  })
})

describe('privileges', () => {
  let limited: Source

  beforeAll(async () => {
    await database.run(`
      create role reader_${roleSuffix()} login password 'secret';
      create table secrets (id int primary key, open text, hidden text);
      insert into secrets values (1, 'o', 'h');
      grant select (id, open) on secrets to reader_${roleSuffix()};
      create table closed (id int primary key);
      create table rows (id int primary key, tenant text);
      insert into rows values (1, 'acme'), (2, 'other');
      alter table rows enable row level security;
      create policy own on rows using (tenant = current_setting('app.tenant', true));
      create table items (id int primary key, row_id int references rows (id));
      insert into items values (1, 1), (2, 2);
      grant select on rows, items to reader_${roleSuffix()}`)
    limited = createPostgresSource({ url: asRole(`reader_${roleSuffix()}`), parallel: 1 })
  })

  afterAll(async () => {
    await limited.close()
    await database.run(`drop owned by reader_${roleSuffix()}; drop role reader_${roleSuffix()}`)
  })

  it('that are missing are named by table and column', async () => {
    expect(await readRows(limited, part('secrets', ['id', 'open']))).toEqual([[1, 'o']])
    const message = expect.stringMatching(/may not read the column "hidden" of "secrets"/)
    await expect(readRows(limited, part('secrets', ['id', 'hidden']))).rejects.toMatchObject({ code: 'SOURCE_FAILED', message })
    const filtered = part('secrets', ['id'], { where: compare('eq', 'hidden', 'text', 'h') })
    await expect(readRows(limited, filtered)).rejects.toMatchObject({ code: 'SOURCE_FAILED', message })
    await expect(readRows(limited, part('closed', ['id']))).rejects.toMatchObject({ message: expect.stringMatching(/"closed"/) })
  })

  it('by row are respected, with the session variables of the export, in rows, counts and relations', async () => {
    const open = (variables: Record<string, string>): Promise<Snapshot> => {
      const toRow = relation('rows', 'row_id', 'id')
      const parts = [part('rows', ['id']), part('items', ['id', one('row', toRow, [field('id')])])]
      return limited.open({ parts, layout: 'nested', sessionVariables: variables }, never())
    }
    const text = async (snapshot: Snapshot, index: number): Promise<string> => {
      const pieces: string[] = []
      for await (const { bytes } of snapshot.rows(index)) pieces.push(Buffer.from(bytes).toString())
      return pieces.join('')
    }
    const acme = await open({ 'app.tenant': 'acme' })
    expect(await text(acme, 0)).toBe('1\n')
    expect(await text(acme, 1)).toBe('1\t1\t1\n2\t0\t\\N\n')
    expect(await acme.count(0, { ms: 5_000 })).toEqual({ rows: 1, exact: true })
    await acme.close()
    const hostile = await open({ 'app.tenant': `x' or 1=1; --` })
    expect(await text(hostile, 0)).toBe('')
    await hostile.close()
    expect(await readColumn(limited, part('rows', ['id']))).toEqual([])
  })
})

/** Roles belong to the whole server. */
function roleSuffix(): string {
  return new URL(database.url).pathname.slice(-12)
}

describe('tables of many kinds', () => {
  beforeAll(async () => {
    await database.run(`
      create schema sales;
      create table sales.orders (id bigint generated always as identity primary key, code text unique, double int generated always as (7 * 6) stored);
      create table sales.lines (order_id bigint references sales.orders (id), no int, "Weird ""Name" text, primary key (order_id, no));
      create index on sales.lines (order_id);
      insert into sales.orders (code) values ('a'), ('b');
      insert into sales.lines values (1, 2, 'two'), (1, 1, 'one');
      create table parted (id int, day date, primary key (id, day)) partition by range (day);
      create table parted_2024 partition of parted for values from ('2024-01-01') to ('2025-01-01');
      create table parted_2025 partition of parted for values from ('2025-01-01') to ('2026-01-01');
      insert into parted values (2, '2025-02-01'), (1, '2024-02-01');
      create materialized view summed as select count(*) as n from parted;
      create materialized view unfilled as select 1 as n with no data;
      create extension file_fdw;
      create server files foreign data wrapper file_fdw;
      create foreign table distant (id int, note text) server files options (program 'echo 1,far', format 'csv');
      create table "dotted.name" (id int primary key);
      create table wide (${Array.from({ length: 1_600 }, (_, n) => `c${n} int`).join(', ')});
      insert into wide (c0, c1599) values (1, 2);
      create table nothing ();
      insert into nothing default values;
      create table dropped (id int primary key, gone int, kept int);
      alter table dropped drop column gone;
      create domain word as text; create domain long_word as word;
      create table named (id int primary key, w long_word, "__proto__" int, "A" int, a int, tags text[]);
      insert into named values (1, 'w', 1, 2, 3, '{x}')`)
  })

  it('are all listed but partitions, those of other schemas with their schema', async () => {
    const names = await source.tables()
    expect(names).toEqual([...names].sort())
    for (const name of ['sales.orders', 'sales.lines', 'parted', 'summed', 'dotted.name']) expect(names).toContain(name)
    expect(names.filter((name) => /^parted_|^pg_|information_schema/.test(name))).toEqual([])
  })

  it('are described with their schema, generated columns, keys and foreign keys', async () => {
    const orders = await source.describe('sales.orders')
    expect(orders).toMatchObject({ schema: 'sales', name: 'orders', kind: 'table', primaryKey: ['id'] })
    expect(orders?.columns.map(({ name, type, declaredType, nullable }) => [name, type, declaredType, nullable])).toEqual([
      ['id', 'integer', 'bigint', false],
      ['code', 'text', 'text', true],
      ['double', 'integer', 'integer', true],
    ])
    const lines = await source.describe('sales.lines')
    expect(lines?.primaryKey).toEqual(['order_id', 'no'])
    expect(lines?.foreignKeys).toEqual([
      { columns: ['order_id'], table: 'orders', schema: 'sales', foreignColumns: ['id'], indexed: true },
    ])
    expect((await source.describe('parted'))?.primaryKey).toEqual(['id', 'day'])
    expect((await source.describe('summed'))?.kind).toBe('view')
    expect(await source.describe('distant')).toMatchObject({ kind: 'table', primaryKey: [] })
    expect((await source.describe('dotted.name'))?.schema).toBeNull()
    expect((await source.describe('dropped'))?.columns.map(({ name }) => name)).toEqual(['id', 'kept'])
    expect((await source.describe('named'))?.columns.map(({ name, type, declaredType }) => [name, type, declaredType])).toEqual([
      ['id', 'integer', 'integer'],
      ['w', 'text', 'text'],
      ['__proto__', 'integer', 'integer'],
      ['A', 'integer', 'integer'],
      ['a', 'integer', 'integer'],
      ['tags', 'text', 'text[]'],
    ])
    expect(await source.describe('pg_class')).toBeNull()
    expect(await source.describe('pg_catalog.pg_class')).toBeNull()
  })

  it('are read', async () => {
    const sales = (name: string) => ({ schema: 'sales', name })
    const lines = { ...relation('lines', 'id', 'order_id'), table: sales('lines'), orderBy: ['order_id', 'no'] }
    const orders = part('orders', ['code', many('lines', lines, [field('no'), field('Weird "Name')])], { table: sales('orders') })
    expect(await readRows(source, orders)).toEqual([
      ['a', '[[1,"one"],[2,"two"]]'],
      ['b', null],
    ])
    expect(await readRows(source, part('parted', ['id', 'day'], { primaryKey: ['id', 'day'] }))).toEqual([
      [1, '2024-02-01'],
      [2, '2025-02-01'],
    ])
    expect(await readRows(source, part('distant', ['id', 'note'], { primaryKey: [] }))).toEqual([[1, 'far']])
    expect(await readRows(source, part('summed', ['n'], { kind: 'view', primaryKey: [] }))).toEqual([[2]])
    expect(await readRows(source, part('named', ['w', '__proto__', 'A', 'a', 'tags']))).toEqual([['w', 1, 2, 3, '{x}']])
    const unfilled = readRows(source, part('unfilled', ['n'], { kind: 'view', primaryKey: [] }))
    await expect(unfilled).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('has not been populated'),
    })
  })

  it('are read with 1,600 columns, more than 50 in a relation, and none', async () => {
    const all = Array.from({ length: 1_600 }, (_, n) => `c${n}`)
    const [row] = await readRows(source, part('wide', all, { primaryKey: [] }))
    expect(row).toEqual([1, ...Array(1_598).fill(null), 2])
    const toWide = relation('wide', 'id', 'c0', { orderBy: [] })
    const cells = all.map((name) => field(name))
    const [related] = await readRows(source, part('broken', ['id', many('wide', toWide, cells)], { limit: 1 }))
    expect(JSON.parse(String(related?.[1]))).toEqual([[1, ...Array(1_598).fill(null), 2]])
    const snapshot = await open({ parts: [part('nothing', [], { primaryKey: [] })] })
    let rows = 0
    for await (const chunk of snapshot.rows(0)) rows += chunk.rows
    expect(rows).toBe(1)
    await snapshot.close()
  })

  it('that are gone or changed when the rows are read are named', async () => {
    await database.run('create view fading as select id from orders')
    const fading = part('fading', ['id'], { kind: 'view', primaryKey: [] })
    expect(await source.describe('fading')).not.toBeNull()
    await database.run('drop view fading')
    await expect(open({ parts: [fading] })).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('"fading"'),
    })
    // What a function reads is in nobody's hands before it is called.
    await database.run(`create function faded() returns int language plpgsql as 'begin return (select max(id) from gone); end'`)
    await database.run('create view fading as select faded() as id')
    const snapshot = await open({ parts: [fading] })
    const reading = (async () => {
      for await (const _ of snapshot.rows(0));
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_CHANGED', message: expect.stringContaining('"gone"') })
    await snapshot.close()
  })
})
