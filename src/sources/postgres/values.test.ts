/** What becomes of PostgreSQL's values, from the table to the file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, MACHINE } from '../../../test/contracts/row-text.ts'
import { field, part } from '../../../test/contracts/sample-part.ts'
import { exportFile } from '../../../test/one-export.ts'
import { createDatabase, serverVersion, type TestDatabase } from '../../../test/postgres.ts'
import { csvFormat } from '../../formats/csv.ts'
import type { RowChunk } from '../../job/row-text.ts'
import type { Output, WrittenForm } from '../../job/spec.ts'
import { RowTally } from '../../job/tally.ts'
import { CopyOut } from './copy-out.ts'
import { createPostgresSource } from './postgres.ts'

/** Numerics have no infinity before 14. */
const INFINITY = (await serverVersion()) < 14 ? 'NaN' : 'Infinity'

const TEXTS = [
  'plain',
  '',
  ' ',
  'NULL',
  'null',
  '\\N',
  '\\.',
  '\\',
  'a,b',
  'a;b',
  'a"b',
  '""',
  '"',
  'a\nb',
  'a\r\nb',
  '\r',
  '\n',
  'tab\there',
  '\b\f\v\u0001\u001f\u007f',
  '=1+1',
  '+1',
  '-1',
  '@x',
  '007',
  '1e5',
  'Infinity',
  '{"b":"00"}',
  '[1]',
  '\ufeffbom',
  '\u2028\u2029\u0085',
  '😀 שלום ﷽ e\u0301',
  't',
  'f',
  "it's",
  'x'.repeat(5000),
]
const TYPES = `
  create type mood as enum ('sad', 'very "happy"');
  create domain cents as numeric(12, 2);
  create domain price as cents check (value >= 0);
  create type pair as (a int, b text);
  create table types (
    id int primary key, i2 int2, i8 int8, n numeric(12, 2), wide numeric, f4 float4, f8 float8, b bool, c char(4), v varchar(20), nm name,
    d date, t time, tz timetz, ts timestamp, tstz timestamptz, iv interval, u uuid, j json, jb jsonb, raw bytea, e mood, p price,
    ia int[], ta text[], r int4range, tr tstzrange, comp pair, ip inet, net cidr, m money, bits bit(4), x xml, vec tsvector, pt point, mac macaddr);
  insert into types values
    (1, -32768, 9223372036854775807, 3576.10, 1e-20, 0.1, 5e-324, true, 'ab', 'v', 'nm',
      '2024-02-29', '24:00:00', '12:00:00.5+02', '2024-02-29 12:00:00.123456', '2024-02-29 12:00:00.123456+02', '1 mon -2 days +03:00:00.5',
      '0190A7B0-5D3C-7E2F-9A41-3C5B8E6F7D12', E'{"a":  1,\\n "n":12345678901234567890123, "a":2}', '{"n":12345678901234567890123}',
      '\\x00ff5c0a', 'very "happy"', 12.50, '{1,NULL,3}', E'{"a,b","c\\\\"d",NULL,""}', '[1,5)', '["2024-01-01 00:00:00+00",infinity)',
      row(null, null), '10.0.0.1', '10.0.0.0/8', 1234.5, B'0101', '<a>1</a>', 'a:1 b:2', '(1,2)', '08:00:2b:01:02:03'),
    (2, 0, -9223372036854775808, -0.01, 'NaN', 'Infinity', '-Infinity', false, '', '', '',
      'infinity', '00:00', '00:00+00', '-infinity', '0044-03-15 12:00:00+00 BC', '-178000000 years', null, 'null', '[]',
      '', 'sad', 0, '{}', '{}', 'empty', null, row(1, E'x"y\\\\z,\\n'), '::1/64', '::/0', -0.5, B'1111', null, '', null, null),
    (3, null, null, null, '${INFINITY}', 'NaN', 'NaN', null, null, null, null, '5874897-12-31', null, null, '294276-12-31 23:59:59.999999',
      'infinity', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`

let database: TestDatabase

beforeAll(async () => {
  const values = TEXTS.map((text, index) => `(${index}, $text$${text}$text$)`).join(',')
  database = await createDatabase(
    `
    create table texts (id int primary key, t text);
    insert into texts values ${values}, (${TEXTS.length}, null);
    create table only_text (t text);
    insert into only_text select t from texts order by id;
    create table kinds (id int primary key);
    insert into kinds values (1), (2), (3);
    create table nothing ();
    insert into nothing default values;
    insert into nothing default values;
    ${TYPES}`,
  )
  await database.run(`alter table types add foreign key (id) references kinds (id);
    create table links (id int primary key, type_id int references types (id));
    insert into links values (1, 1), (2, 2), (3, 3)`)
})

afterAll(() => database.drop())

/** COPY's own file, over the connection of a person. */
async function copied(table: string): Promise<string> {
  const client = await database.connect()
  await client.query(`set timezone = 'UTC'; set bytea_output = 'hex'; set lc_monetary = 'C'`)
  const copy = client.query(new CopyOut(`copy ${table} to stdout (format csv)`))
  return (await collect(bytesOf(copy.chunks('written')))).toString()
}

async function* bytesOf(chunks: AsyncIterable<RowChunk>): AsyncIterable<Uint8Array> {
  for await (const { bytes } of chunks) yield bytes
}

const TABLES = ['texts', 'only_text', 'types']

describe('CSV', () => {
  it.each(TABLES)("of %s is PostgreSQL's own CSV to the byte", async (resource) => {
    const { text } = await exportFile({ url: database.url }, { resource, options: { header: false } })
    expect(text).toBe(await copied(resource))
  })

  it.each(TABLES)('of %s is the same to the byte whether PostgreSQL writes it or the format', async (resource) => {
    const source = createPostgresSource({ url: database.url, parallel: 1 })
    const described = await source.describe(resource)
    const select = described?.columns.map(({ name, type }) => field(name, { type })) ?? []
    const hidden = field(described?.columns[0]?.name ?? '', { hidden: true })
    const asked = part(resource, [hidden, ...select], { primaryKey: described?.primaryKey ?? [] })
    const snapshot = await source.open({ parts: [asked], layout: 'flat' }, new AbortController().signal)
    const outputs: Partial<Output>[] = [{}, { quoting: 'all' }, { delimiter: ';' }, { delimiter: '1' }, { delimiter: '\\' }]
    for (const more of outputs) {
      const output: Output = { ...MACHINE, ...more, header: false }
      const forms: string[] = []
      const write = (wanted?: WrittenForm): Promise<Buffer> => {
        const rows = noting(snapshot.rows(0, wanted), forms)
        return collect(csvFormat.encode(rows, snapshot.shape(0), output, new RowTally(resource)))
      }
      const written = await write({ format: 'csv', output })
      expect(written.toString()).toBe((await write()).toString())
      expect(forms).toEqual(['written', 'copy'])
    }
    await snapshot.close()
    await source.close()
  })

  it('is left to the format where PostgreSQL would write it otherwise', async () => {
    const source = createPostgresSource({ url: database.url, parallel: 1 })
    const select = ['id', field('tstz', { type: 'timestamp' })]
    const snapshot = await source.open({ parts: [part('types', select)], layout: 'flat' }, new AbortController().signal)
    const formOf = async (more: Partial<Output>): Promise<string[]> => {
      const forms: string[] = []
      for await (const _ of noting(snapshot.rows(0, { format: 'csv', output: { ...MACHINE, ...more } }), forms));
      return forms
    }
    const others: Partial<Output>[] = [
      { nullText: 'NULL' },
      { lineEnd: '\r\n' },
      { formulaGuard: true },
      { times: 'rfc3339' },
      { profile: 'bigquery' },
    ]
    for (const other of others) expect(await formOf(other)).toEqual(['copy'])
    await snapshot.close()
    await source.close()
  })
})

async function* noting(chunks: AsyncIterable<RowChunk>, forms: string[]): AsyncIterable<RowChunk> {
  for await (const chunk of chunks) {
    forms.push(chunk.form)
    yield chunk
  }
}

describe('NDJSON', () => {
  it('of texts is what row_to_json writes', async () => {
    const { text } = await exportFile({ url: database.url }, { resource: 'texts', format: 'ndjson' })
    const rows = await database.run('select row_to_json(q)::text as line from texts q order by id')
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows.map(({ line }) => JSON.parse(line ?? '')))
    expect(text).toBe(rows.map(({ line }) => `${line}\n`).join(''))
  })

  it('of every type is what row_to_json writes, but for what the docs name', async () => {
    const { text } = await exportFile(
      { url: database.url },
      { resource: 'types', format: 'ndjson', options: { times: 'database' } },
    )
    const rows = await database.run(`select row_to_json(q)::text as line from (select * from types) q order by id`)
    const others = await database.run(`
      select ts::text, tstz::text, encode(raw, 'base64') as raw from types order by id`)
    const expected = rows.map(({ line }, index) => ({ ...JSON.parse(line ?? ''), ...others[index] }))
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(expected)
  })

  it('of every type keeps each digit, and the database text where JSON has nothing better', async () => {
    const { text } = await exportFile({ url: database.url }, { resource: 'types', format: 'ndjson' })
    expect(text).toBe(`${NDJSON.join('\n')}\n`)
  })

  it('has arrays, composites and what has a cast to json as row_to_json has them, in a related row as well', async () => {
    await database.run(`
      create extension hstore;
      create type moment as (at timestamptz, what json);
      create domain tags as text[];
      create table structures (id int primary key, h hstore, moments moment[], tags tags, grid int[][], f float8[], iv int2vector, r int4range[]);
      insert into structures values (1, 'a=>1,b=>NULL', array[row('2024-01-01Z', '{"x": 1}')::moment, null], '{a,é}', '{{1,2},{3,4}}', '{NaN,0.1}', '1 2', '{"[1,2)"}');
      insert into structures (id) values (2);
      create table holders (id int primary key, structure_id int references structures (id));
      insert into holders values (1, 1), (2, 2)`)
    const rows = await database.run(`select row_to_json(q)::text as line from structures q order by id`)
    const lines = rows.map(({ line }) => line ?? '')
    const own = await exportFile({ url: database.url }, { resource: 'structures', format: 'ndjson' })
    expect(own.text).toBe(`${lines.join('\n')}\n`)
    const asked = { resource: 'holders', format: 'ndjson', fields: ['id'], includes: ['structure'] }
    const related = await exportFile({ url: database.url }, asked)
    expect(related.text).toBe(lines.map((line, index) => `{"id":${index + 1},"structure":${line}}\n`).join(''))
    const elements = await exportFile({ url: database.url }, { ...asked, resource: 'structures', includes: ['holders'] })
    expect(elements.text).toBe('{"id":1,"holders":[{"id":1,"structure_id":1}]}\n{"id":2,"holders":[{"id":2,"structure_id":2}]}\n')
    const csv = await exportFile(
      { url: database.url },
      { resource: 'structures', fields: ['grid', 'h'], options: { header: false } },
    )
    expect(csv.text).toBe('"{{1,2},{3,4}}","""a""=>""1"", ""b""=>NULL"\n,\n')
  })

  it('has the same cells in a relation as in a row', async () => {
    const asked = { format: 'ndjson', fields: ['id'] }
    const one = await exportFile({ url: database.url }, { ...asked, resource: 'links', includes: ['type'] })
    expect(one.text.trimEnd().split('\n')).toEqual(NDJSON.map((row, index) => `{"id":${index + 1},"type":${row}}`))
    const many = await exportFile({ url: database.url }, { ...asked, resource: 'kinds', includes: ['types'] })
    expect(many.text.trimEnd().split('\n')).toEqual(NDJSON.map((row, index) => `{"id":${index + 1},"types":[${row}]}`))
  })
})

const NDJSON = [
  String.raw`{"id":1,"i2":-32768,"i8":9223372036854775807,"n":3576.10,"wide":0.00000000000000000001,"f4":0.1,"f8":5e-324,"b":true,"c":"ab  ","v":"v","nm":"nm","d":"2024-02-29","t":"24:00:00","tz":"12:00:00.5+02","ts":"2024-02-29T12:00:00.123456Z","tstz":"2024-02-29T10:00:00.123456Z","iv":"1 mon -2 days +03:00:00.5","u":"0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12","j":{"a":  1, "n":12345678901234567890123, "a":2},"jb":{"n": 12345678901234567890123},"raw":"AP9cCg==","e":"very \"happy\"","p":12.50,"ia":[1,null,3],"ta":["a,b","c\"d",null,""],"r":"[1,5)","tr":"[\"2024-01-01 00:00:00+00\",infinity)","comp":{"a":null,"b":null},"ip":"10.0.0.1","net":"10.0.0.0/8","m":"$1,234.50","bits":"0101","x":"<a>1</a>","vec":"'a':1 'b':2","pt":"(1,2)","mac":"08:00:2b:01:02:03"}`,
  String.raw`{"id":2,"i2":0,"i8":-9223372036854775808,"n":-0.01,"wide":"NaN","f4":"Infinity","f8":"-Infinity","b":false,"c":"    ","v":"","nm":"","d":"infinity","t":"00:00:00","tz":"00:00:00+00","ts":"-infinity","tstz":"0044-03-15 12:00:00+00 BC","iv":"-178000000 years","u":null,"j":null,"jb":[],"raw":"","e":"sad","p":0.00,"ia":[],"ta":[],"r":"empty","tr":null,"comp":{"a":1,"b":"x\"y\\z,\n"},"ip":"::1/64","net":"::/0","m":"-$0.50","bits":"1111","x":null,"vec":"","pt":null,"mac":null}`,
  `{"id":3,"i2":null,"i8":null,"n":null,"wide":"${INFINITY}","f4":"NaN","f8":"NaN","b":null,"c":null,"v":null,"nm":null,"d":"5874897-12-31","t":null,"tz":null,"ts":"294276-12-31 23:59:59.999999","tstz":"infinity","iv":null,"u":null,"j":null,"jb":null,"raw":null,"e":null,"p":null,"ia":null,"ta":null,"r":null,"tr":null,"comp":null,"ip":null,"net":null,"m":null,"bits":null,"x":null,"vec":null,"pt":null,"mac":null}`,
]

describe('a table without columns', () => {
  it('has an empty row in the file for each of its own', async () => {
    const written = async (format: string) => {
      const { text, results } = await exportFile({ url: database.url }, { resource: 'nothing', format })
      return [text, results.successful]
    }
    expect(await written('csv')).toEqual(['\n\n\n', 2])
    expect(await written('json')).toEqual(['[\n{},\n{}\n]\n', 2])
    expect(await written('ndjson')).toEqual(['{}\n{}\n', 2])
    expect((await written('xlsx'))[1]).toBe(2)
    await expect(written('parquet')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })
})
