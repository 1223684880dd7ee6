/** CSV made of COPY BINARY is PostgreSQL's own CSV, to the byte. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, MACHINE } from '../../../test/contracts/row-text.ts'
import { field, part } from '../../../test/contracts/sample-part.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { RowChunk } from '../../job/row-text.ts'
import type { Output } from '../../job/spec.ts'
import { BinaryCsv } from './binary-csv.ts'
import { CopyOut } from './copy-out.ts'
import { createPostgresSource } from './postgres.ts'

const NUMERICS = [
  '0',
  '0.0',
  '-0.5',
  '1e-20',
  '9999',
  '10000',
  '10000.0001',
  '100000000',
  '-123456789012345678901234567890.000100',
  '1e300',
  '1.5e-300',
  'NaN',
  'Infinity',
  '-Infinity',
]
const INSTANTS = [
  '2000-01-01',
  '1999-12-31 23:59:59.999999',
  '2024-02-29 12:00:00.100000',
  '1900-02-28 23:59:59.000001',
  '2100-03-01',
  '0001-01-01',
  '0001-12-31 BC',
  '0044-03-15 12:00:00 BC',
  '4714-11-24 BC',
  '9999-12-31 23:59:59.999999',
  '10000-01-01',
  '1700-07-04 01:02:03.04',
  '2285-06-05 23:59:59.999999',
  '2300-01-01 00:00:00.5',
  '294276-12-31 23:59:59.999999',
  'infinity',
  '-infinity',
]
const TEXTS = [
  '',
  ' ',
  'plain',
  'a,b',
  'a;b',
  'say "hi"',
  '""',
  'a\nb',
  '\r',
  '\t',
  '\\',
  '\\.',
  '\\N',
  "it''s",
  '😀 שלום',
  '\u0001',
]
const WHOLE = ['0', '-1', '9', '10', '999999999', '1000000000', '9007199254740991', '9007199254740993', '-9007199254740992']
const ENDS = ['9223372036854775807', '-9223372036854775808', '4294967296', '-4294967297', '1000000000000000000']

const list = (values: readonly string[], type: string): string =>
  `array[${values.map((each) => `'${each}'`).join(',')}]::${type}[]`
const TABLE = `
  create type mood as enum ('sad', 'very "happy"');
  create domain cents as numeric(12, 2);
  create table edges (id int primary key, i8 int8, n numeric, ts timestamp, tstz timestamptz, d date, t text, v varchar, jb jsonb);
  insert into edges select at, (${list([...WHOLE, ...ENDS], 'int8')})[at], (${list(NUMERICS, 'numeric')})[at], (${list(INSTANTS, 'timestamp')})[at],
    (${list(INSTANTS, 'timestamp')})[at] at time zone 'UTC', (${list(INSTANTS, 'timestamp')})[at]::date, (${list(TEXTS, 'text')})[at],
    (${list(TEXTS, 'text')})[at], to_jsonb((${list(TEXTS, 'text')})[at]) from generate_series(1, 20) at;
  create table kinds (id int primary key, i2 int2, o oid, b bool, c char(4), nm name, t time, u uuid, j json, raw bytea, e mood, m cents, "a ""b"", c" text);
  insert into kinds values
    (1, -32768, 4294967295, true, 'ab', 'nm', '24:00:00', '0190A7B0-5D3C-7E2F-9A41-3C5B8E6F7D12', E'{"a":  1,\\n "a":2}', '\\x00ff5c0a', 'very "happy"', 12.5, ''),
    (2, 32767, 0, false, '', '', '00:00:00.000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[]', '', 'sad', -0.01, 'x'),
    (3, null, null, null, null, null, '12:34:56.5', null, null, null, null, null, null);
  create table many (id int primary key, i4 int4, i8 int8, n numeric(30, 6), wide numeric, ts timestamptz, d date, t time, u uuid, raw bytea, note text, doc jsonb);
  select setseed(0.5);
  insert into many select at, (random() * 4294967295 - 2147483648)::int8::int4, ((random() - 0.5) * 10 ^ (random() * 18))::int8, ((random() - 0.5) * 10 ^ (random() * 20))::numeric(30, 6),
    trim_scale((random() * 10 ^ (random() * 60 - 30))::numeric * 1000003), timestamp '2000-01-01' at time zone 'UTC' + (random() - 0.5) * interval '14000 years' * random() ^ 3,
    date '2000-01-01' + ((random() - 0.3) * 2000000)::int, time '00:00' + random() * interval '86399 s', md5(at::text)::uuid, decode(md5(at::text), 'hex'),
    case at % 5 when 0 then null when 1 then '' else substr('a,"b' || chr(10) || 'ü漢' || at, 1 + at % 9, at % 12) end, jsonb_build_object('a', at, 'b', '"x"')
  from generate_series(1, 10000) at;
  create table none (id int primary key, t text);
  create table wide (id int primary key, t text);
  insert into wide select at, repeat('"', at * 100000) from generate_series(1, 12) at;
  create table huge (id int primary key, n numeric);
  insert into huge select at, 10::numeric ^ (4000 * at) from generate_series(1, 30) at;
  create table floats (id int primary key, f float8)`

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase(TABLE)
})

afterAll(() => database.drop())

/** COPY's own file, over the connection of a person. */
async function copied(table: string, options = ''): Promise<string> {
  const client = await database.connect()
  await client.query(`set timezone = 'UTC'; set datestyle = 'ISO'; set bytea_output = 'hex'`)
  const copy = client.query(new CopyOut(`copy (select * from ${table} order by id) to stdout (format csv${options})`))
  return (await collect(bytesOf(copy.chunks('written')))).toString()
}

async function* bytesOf(chunks: AsyncIterable<RowChunk>): AsyncIterable<Uint8Array> {
  for await (const { bytes } of chunks) yield bytes
}

interface Read {
  readonly text: string
  readonly rows: number
  readonly forms: readonly string[]
}

async function read(table: string, more: Partial<Output> = {}, columns?: readonly string[]): Promise<Read> {
  const source = createPostgresSource({ url: database.url, parallel: 1, csv: 'binary' })
  const described = await source.describe(table)
  const shown = described?.columns.filter(({ name }) => columns?.includes(name) ?? true) ?? []
  const select = shown.map(({ name, type }) => field(name, { type }))
  const asked = part(table, [field('id', { hidden: true, type: 'integer' }), ...select])
  const snapshot = await source.open({ parts: [asked], layout: 'flat' }, new AbortController().signal)
  const seen = { text: '', rows: 0, forms: new Set<string>() }
  for await (const { form, bytes, rows } of snapshot.rows(0, { format: 'csv', output: { ...MACHINE, ...more } })) {
    seen.text += Buffer.from(bytes).toString()
    seen.rows += rows
    seen.forms.add(form)
  }
  await snapshot.close()
  await source.close()
  return { ...seen, forms: [...seen.forms] }
}

describe('CSV of COPY BINARY', () => {
  it.each([
    ['edges', 20],
    ['kinds', 3],
    ['many', 10_000],
    ['wide', 12],
    ['huge', 30],
  ])("of %s is PostgreSQL's own to the byte", async (table, rows) => {
    expect(await read(table)).toEqual({ text: await copied(table), rows, forms: ['written'] })
  })

  it('has other delimiters where no plain value holds them', async () => {
    for (const delimiter of [';', '|', '\t']) {
      const options = `, delimiter '${delimiter}'`
      expect(await read('edges', { delimiter })).toEqual({ text: await copied('edges', options), rows: 20, forms: ['written'] })
    }
  })

  it('of no rows is nothing', async () => {
    expect(await read('none')).toEqual({ text: '', rows: 0, forms: [] })
  })

  it('is left to COPY text for other types, forms and a single column', async () => {
    await database.run('insert into floats values (1, 0.1)')
    expect((await read('floats')).forms).toEqual(['copy'])
    for (const more of [{ quoting: 'all' }, { delimiter: '-' }, { times: 'rfc3339' }, { nullText: 'NULL' }] as const) {
      expect((await read('edges', more)).forms).toEqual(['copy'])
    }
    expect((await read('edges', {}, ['t'])).forms).toEqual(['copy'])
  })
})

describe('rows of COPY BINARY', () => {
  const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
  const ROW = Buffer.from([0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff])
  const TRAILER = Buffer.from([0xff, 0xff])
  const decoder = (): BinaryCsv => new BinaryCsv(['int4', 'text'], ',')

  it('are whole only with the trailer and the number that the server says', () => {
    const csv = decoder()
    expect(Buffer.from(csv.write(Buffer.concat([HEADER, ROW]))).toString()).toBe('7,\n')
    expect(() => csv.assertWhole(1)).toThrow(expect.objectContaining({ code: 'ROWS_INCOMPLETE' }))
    csv.write(TRAILER)
    expect(() => csv.assertWhole(2)).toThrow(expect.objectContaining({ code: 'ROWS_INCOMPLETE' }))
    expect(() => csv.assertWhole(null)).toThrow(expect.objectContaining({ code: 'ROWS_INCOMPLETE' }))
    csv.assertWhole(1)
  })

  it.each([
    ['has no header', [ROW]],
    ['is of a form to come', [HEADER.with(11, 1), ROW]],
    ['has a row that is cut', [HEADER, ROW.subarray(0, -3)]],
    ['has a row with another number of fields', [HEADER, Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xff])]],
    ['goes on behind its end', [HEADER, TRAILER, ROW]],
  ])('that %s are refused', (_, pieces) => {
    expect(() => decoder().write(Buffer.concat(pieces))).toThrow(expect.objectContaining({ code: 'SOURCE_FAILED' }))
  })
})
