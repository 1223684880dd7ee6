/** PostgreSQL to Parquet, the whole way: every cell read back by two readers and compared with what the database says itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExportedFile, exportFile } from '../../../test/one-export.ts'
import { type ParquetFile, readByDuckDb, readByHyparquet } from '../../../test/parquet-readers.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'

const ROWS = 4_000

/** NULL in every fifth row or so, each column in others. */
const nullable = (column: number, value: string): string => `case when (n * 7 + ${column}) % 5 = 0 then null else ${value} end`

const VALUES = [
  ['big', 'bigint', `(n::numeric * 2305843009213693951 - 4611686018427387904.0 * (n % 3)) % 9223372036854775807`],
  ['small', 'smallint', `n % 60000 - 30000`],
  ['total', 'numeric(12,2)', `(n * 7919 % 999999999) / 100.0 * (1 - 2 * (n % 2))`],
  ['exact', 'numeric(38,10)', `(n::numeric * 1234567890123456789012 % 1e27) / 1e10`],
  ['digits', 'numeric', `n::numeric ^ 9 / 1e7`],
  [
    'double',
    'float8',
    `case n % 9 when 0 then 'NaN' when 1 then 'infinity' when 2 then '-infinity' else sqrt(n)::float8 / 1e5 end`,
  ],
  ['paid', 'boolean', `n % 2 = 0`],
  ['day', 'date', `date '0001-01-01' + ((n * 913) % 3652058)::int`],
  ['clock', 'time', `time '00:00' + n * 21.600007 * interval '1 s'`],
  ['moment', 'timestamptz', `timestamptz '1600-01-01 00:00:00Z' + n * interval '31 days 1.000001 s'`],
  ['local', 'timestamp', `timestamp '1969-12-31 23:59:59.999999' + n * interval '1.5 s'`],
  ['ref', 'uuid', `md5(n::text)::uuid`],
  [
    'document',
    'jsonb',
    `jsonb_build_object('n', n::numeric * 12345678901234567890, 'text', E'a"b\\\\c\\n' || n, 'none', null, 'list', jsonb_build_array(n, 1.50))`,
  ],
  ['raw', 'bytea', `decode(md5(n::text), 'hex') || '\\x00ff0a'::bytea`],
  [
    'note',
    'text',
    `(array['', 'plain', 'a,b', 'say "hi"', E'two\\nlines', E'tab\\t\\\\N', 'NULL', '😀 é', '{1,2}', '007'])[n % 10 + 1]`,
  ],
  ['mood', 'mood', `(array['sad', 'very "happy"'])[n % 2 + 1]::mood`],
  ['price', 'cents', `n % 1000 / 4.0`],
  ['numbers', 'int[]', `(array['{}', '{1,NULL,-3}', '{2147483647,-2147483648}']::text[])[n % 3 + 1]::int[]`],
  ['bigs', 'bigint[]', `array[n, null, 9223372036854775807]`],
  ['prices', 'numeric(10,2)[]', `array[n / 4.0, null, -0.01]`],
  ['flags', 'boolean[]', `array[n % 2 = 0, null, true]`],
  ['refs', 'uuid[]', `array[md5(n::text)::uuid, null]`],
  ['words', 'text[]', `array['a,b', E'c"d\\\\e\\n', null, 'NULL', '', '{' || n || '}']`],
] as const

type Name = (typeof VALUES)[number][0]

let database: TestDatabase
let exported: ExportedFile
let byDuckDb: ParquetFile
let byHyparquet: Record<string, unknown>[]
/** What PostgreSQL says of each cell; of lists as JSON. */
let source: Record<string, string | null>[]

beforeAll(async () => {
  const columns = VALUES.map(([name, type]) => `${name} ${type}`)
  const cells = VALUES.map(([, type, value], index) => nullable(index, `(${value})::${type}`))
  database = await createDatabase(`
    create type mood as enum ('sad', 'very "happy"');
    create domain cents as numeric(12, 2) check (value >= 0);
    create table orders (id bigint primary key, ${columns.join(', ')});
    insert into orders select n, ${cells.join(', ')} from generate_series(1, ${ROWS}::bigint) n;
    create table lines (id int primary key, order_id bigint references orders (id), sku text, price numeric(10,2), amount bigint);
    insert into lines select n, n % ${ROWS / 2} + 1, case when n % 4 > 0 then E'a"b\\\\c\\n' || n end, n / 4.0, n * 922337203685477
      from generate_series(1, ${ROWS}) n;
    create index on lines (order_id);
    analyze`)
  exported = await exportFile({ url: database.url }, { resource: 'orders', includes: ['lines'], format: 'parquet' })
  byDuckDb = await readByDuckDb(exported.bytes)
  byHyparquet = await readByHyparquet(exported.bytes)
  const texts = VALUES.map(([name, type]) => `${type.endsWith('[]') ? `array_to_json(${name})` : name}::text as ${name}`)
  source = await database.run(`set timezone = 'UTC'; select id, ${texts.join(', ')},
    '[' || coalesce((select string_agg(row_to_json(l)::text, ',' order by l.id) from lines l where order_id = o.id), '') || ']' as lines
    from orders o order by id`)
})

afterAll(() => database.drop())

/** How DuckDB spells the same value. */
const RESPELT: Partial<Record<Name, (text: string) => string>> = {
  double: (text) => (/[a-z]{3}/i.test(text) ? text.toLowerCase().replace('infinity', 'inf') : String(Number(text))),
  raw: (text) => text.replace(/^\\x/, ''),
  refs: (text) => text.replaceAll('"', ''),
}
const RAW: Partial<Record<Name | 'list', (text: string) => string>> = {
  double: (text) => (/[a-z]{3}/.test(text) ? text : String(Number(text))),
  raw: (text) =>
    Buffer.from(
      text.replace(/\\x(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ).toString('hex'),
  list: (text) => text.replaceAll(', ', ',').replaceAll('NULL', 'null'),
}

const micros = (text: string): bigint => {
  const [, seconds = '', fraction = ''] = /^(.{19})\.?(\d*)/.exec(text) ?? []
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

/** What hyparquet makes of the same value. */
const IN_JAVASCRIPT: Readonly<Record<Name, (text: string) => unknown>> = {
  big: BigInt,
  small: BigInt,
  total: Number,
  exact: Number,
  digits: String,
  double: (text) => Number(text),
  paid: (text) => text === 'true',
  day: (text) => Date.parse(text) / 86_400_000,
  clock: (text) => micros(`1970-01-01 ${text}`),
  moment: micros,
  local: micros,
  ref: String,
  document: (text) => JSON.parse(text),
  raw: (text) => text.slice(2),
  note: String,
  mood: String,
  price: Number,
  numbers: (text) => JSON.parse(text, (_, each) => (typeof each === 'number' ? BigInt(each) : each)),
  bigs: (text) => integers(text),
  prices: (text) => JSON.parse(text),
  flags: (text) => JSON.parse(text),
  refs: (text) => JSON.parse(text),
  words: (text) => JSON.parse(text),
}

const integers = (text: string): (bigint | null)[] =>
  text
    .slice(1, -1)
    .split(',')
    .map((each) => (each === 'null' ? null : BigInt(each)))

describe('PostgreSQL to Parquet', () => {
  it('has every row once and none changed', () => {
    expect(exported.results).toEqual({ successful: ROWS, warnings: 0, errors: 0 })
    expect(source).toHaveLength(ROWS)
    expect(byDuckDb.rows.map(([id]) => id)).toEqual(source.map(({ id }) => id))
    expect(byHyparquet.map(({ id }) => String(id))).toEqual(source.map(({ id }) => id))
    expect(byDuckDb.names).toEqual(['id', ...VALUES.map(([name]) => name), 'lines'])
  })

  it('has columns of the types that the database declares', () => {
    expect(byDuckDb.types).toEqual([
      'BIGINT',
      'BIGINT',
      'BIGINT',
      'DECIMAL(12,2)',
      'DECIMAL(38,10)',
      'VARCHAR',
      'DOUBLE',
      'BOOLEAN',
      'DATE',
      'TIME',
      'TIMESTAMP WITH TIME ZONE',
      'TIMESTAMP',
      'UUID',
      'JSON',
      'BLOB',
      'VARCHAR',
      'VARCHAR',
      'DECIMAL(12,2)',
      'BIGINT[]',
      'BIGINT[]',
      'DECIMAL(10,2)[]',
      'BOOLEAN[]',
      'UUID[]',
      'VARCHAR[]',
      'JSON',
    ])
  })

  // A text with commas cannot be told from two in DuckDB's spelling of a list; the other reader sees those.
  it.each(VALUES.map(([name, type], index) => [name, type, index + 1] as const).filter(([name]) => name !== 'words'))(
    'is the same to DuckDB in every cell of %s (%s)',
    (name, type, index) => {
      const raw = type.endsWith('[]') ? RAW.list : RAW[name]
      const read = byDuckDb.rows.map((row) => spelt(row[index] ?? null, raw))
      expect(read).toEqual(source.map((row) => spelt(row[name] ?? null, RESPELT[name])))
      expect(read.filter((cell) => cell === null).length).toBeGreaterThan(ROWS / 6)
    },
  )

  it.each(VALUES.map(([name, type]) => [name, type] as const))('is the same to hyparquet in every cell of %s (%s)', (name) => {
    const wanted = source.map((row) => (row[name] == null ? null : IN_JAVASCRIPT[name](row[name])))
    const read = byHyparquet.map((row, index) => {
      const cell = row[name] ?? null
      if (cell instanceof Uint8Array) return Buffer.from(cell).toString('hex')
      return isSameDecimal(name, cell, wanted[index]) ? wanted[index] : cell
    })
    expect(read).toEqual(wanted)
  })

  it('has relations to many as JSON, with the digits of the database', () => {
    expect(byDuckDb.rows.map((row) => row.at(-1))).toEqual(source.map(({ lines }) => lines))
    expect(byHyparquet.map(({ lines }) => lines)).toEqual(source.map(({ lines }) => JSON.parse(lines ?? '')))
  })
})

function spelt(text: string | null, spell: ((text: string) => string) | undefined): string | null {
  return text === null || spell === undefined ? text : spell(text)
}

/** hyparquet's decimals are products of doubles, next to the double of the same digits. DuckDB has shown the digits. */
function isSameDecimal(name: Name, read: unknown, wanted: unknown): boolean {
  if (name !== 'total' && name !== 'exact' && name !== 'price') return false
  return typeof read === 'number' && typeof wanted === 'number' && Math.abs(read - wanted) <= Math.abs(wanted) * 1e-14
}
