/** What callers are told when PostgreSQL cannot read rows: what happened and where, never a value or a place on the server. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { part, readRows } from '../../../test/contracts/sample-part.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Source } from '../source.ts'
import { createPostgresSource } from './postgres.ts'

const VIEW = { kind: 'view' as const, primaryKey: [] }

let database: TestDatabase
let source: Source

beforeAll(async () => {
  database = await createDatabase(`
    create table numbers (id int primary key, text text);
    insert into numbers values (1, '1'), (2, '4111111111111111');
    create function fail(words text, state text) returns int language plpgsql as $$ begin raise exception '%', words using errcode = state; end $$;
    create view ratios as select 10 / (id - 2) as x from numbers;
    create view conflicted as select fail('canceling statement due to conflict with recovery', '40001') as x;
    create view ranged as select text::int as x from numbers;
    create view zoned as select now() at time zone text as x from numbers;
    create view encoded as select convert_from('\\xff4111', 'UTF8') as x;
    create view raised as select fail('customer 4111 has no rate', 'P0001') as x;
    create view filed as select pg_read_file('/nowhere/4111') as x;
    create view tenants as select current_setting('app.tenant') as x;
    create schema closed;
    create function closed.called() returns int language sql as 'select 1';
    revoke all on function closed.called() from public;
    create view calling as select closed.called() as x;
    drop role if exists faults_reader;
    create role faults_reader login password 'secret';
    create table closed.inner (x int);
    grant select on closed.inner, calling to faults_reader`)
  source = createPostgresSource({ url: database.url, parallel: 1 })
})

afterAll(async () => {
  await source.close()
  await database.run('drop owned by faults_reader; drop role faults_reader')
  await database.drop()
})

async function faultOf(table: string, read = source): Promise<string> {
  const error: unknown = await readRows(read, part(table, ['x'], VIEW)).catch((thrown: unknown) => thrown)
  const { code, message } = error as { code: string; message: string }
  return `${code}: ${message}`
}

const unread = (table: string, why: string): string => `SOURCE_FAILED: PostgreSQL could not read the rows of "${table}": ${why}.`

it('a fault in a view says what happened and of which', async () => {
  expect(await faultOf('ratios')).toBe(unread('ratios', 'division by zero (SQLSTATE 22012)'))
})

it('a conflict is one that is tried again, and named', async () => {
  expect(await faultOf('conflicted')).toMatch(/^SOURCE_CONFLICT: .*canceling statement due to conflict with recovery/)
})

it('a value that PostgreSQL quotes is left out, wherever it stands in the sentence', async () => {
  expect(await faultOf('ranged')).toBe(unread('ranged', 'value "…" is out of range for type integer (SQLSTATE 22003)'))
  expect(await faultOf('zoned')).toBe(unread('zoned', 'time zone "…" not recognized (SQLSTATE 22023)'))
  expect(await faultOf('encoded')).toBe(unread('encoded', 'invalid byte sequence for encoding "…" (SQLSTATE 22021)'))
})

it('what a function of the database raises is left to the log of PostgreSQL', async () => {
  const words = `a function raised an exception, whose words are in PostgreSQL's log (SQLSTATE P0001)`
  expect(await faultOf('raised')).toBe(unread('raised', words))
})

it('a file of the server is not named', async () => {
  expect(await faultOf('filed')).toMatch(/could not open file "…" for reading: .*SQLSTATE 58P01/)
})

it('a session variable that is missing is named, with the setting that gives it', async () => {
  expect(await faultOf('tenants')).toMatch(/session variable: .*"app.tenant"\. Set it in sessionVariables of the source\./)
})

it('a privilege that is missing is the one that the schema or function wants', async () => {
  const reader = createPostgresSource({
    url: Object.assign(new URL(database.url), { username: 'faults_reader', password: 'secret' }).href,
    parallel: 1,
  })
  expect(await faultOf('calling', reader)).toMatch(/permission denied for function called\. Grant it EXECUTE there/)
  const inner = part('inner', ['x'], { primaryKey: [], table: { schema: 'closed', name: 'inner' } })
  await expect(readRows(reader, inner)).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
    message: expect.stringMatching(/"closed.inner": permission denied for schema closed\. Grant it USAGE there/),
  })
  await reader.close()
})

it('a fault of the address never shows the password', async () => {
  const nobody = Object.assign(new URL(database.url), { username: 'nobody', password: 'secret' }).href
  for (const url of [nobody, database.url.replace(/:\d+\//, ':1/'), `${database.url}_missing`]) {
    const away = createPostgresSource({ url, parallel: 1 })
    const error: unknown = await away.tables().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    expect(String(error)).not.toMatch(/canary|secret|nobody|127\.0\.0\.1/)
    await away.close()
  }
})
