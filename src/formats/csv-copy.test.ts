/** CSV in the profile `postgres`, loaded by PostgreSQL itself. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exportFile } from '../../test/one-export.ts'
import { createDatabase, serverVersion, type TestDatabase } from '../../test/postgres.ts'
import { randomNumbers } from '../../test/random.ts'

const VERSION = await serverVersion()

const TEXTS = [
  '',
  ' ',
  'a,b',
  'say "hi"',
  '""',
  '"',
  'a\nb',
  'a\r\nb',
  '\r',
  '\n',
  '\t',
  '\\',
  '\\N',
  '\\.',
  'NULL',
  'null',
  '=1+1',
  '-1',
  "it's",
].concat(['\x01\x1f\x7f', '\u2028\u0085', '\ufeff', '😀 שלום', 'x'.repeat(20_000), '{"a":1}', '00123', '\\x00', 'ID', 'id,note'])

let folder: string
let database: TestDatabase

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freight-copy-'))
  // The server may run as another user.
  chmodSync(folder, 0o755)
  database = await createDatabase()
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await database.drop()
})

async function load(table: string, file: Buffer): Promise<void> {
  const path = join(folder, `${table}.csv`)
  writeFileSync(path, file)
  await database.run(`copy ${table} from '${path}' with (format csv, header${VERSION < 15 ? '' : ' match'})`)
}

it('of PostgreSQL loads into an equal table with the same rows, of every type', async () => {
  const random = randomNumbers(5)
  const texts = [...TEXTS, ...Array.from({ length: 500 }, () => TEXTS.map((text) => (random(9) ? '' : text)).join(''))]
  await database.run(`
    create type mood as enum ('sad', 'very "happy"');
    create type pair as (a int, b text);
    create table things (
      id int primary key, i8 int8, n numeric, f8 float8, f4 float4, b bool, c char(4), d date, t time, tz timetz, ts timestamp, tstz timestamptz,
      iv interval, u uuid, j json, jb jsonb, raw bytea, e mood, ia int[], ta text[], r tstzrange, comp pair, ip inet, bits bit(4), note text, "a ""b"", c" text);
    insert into things values
      (1, -9223372036854775808, 1e-20, 5e-324, 0.1, true, 'ab', '2024-02-29', '24:00', '12:00:00.5+02', '2024-02-29 12:00:00.123456', '2024-02-29 12:00+02',
       '1 mon -2 days +03:00:00.5', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12', E'{"a":  1,\\n "a":2}', '{"n":12345678901234567890}', '\\x00ff5c0a',
       'very "happy"', '{1,NULL,3}', E'{"a,b","c\\\\"d",NULL,""}', '["2024-01-01 00:00:00+00",infinity)', row(1, E'x"y\\\\z,\\n'), '::1/64', B'0101', null, ''),
      (2, 9223372036854775807, 'NaN', '-Infinity', 'NaN', false, '', 'infinity', '00:00', '00:00+00', '-infinity', '0044-03-15 12:00:00+00 BC',
       '-178000000 years', null, 'null', '[]', '', 'sad', '{}', '{}', 'empty', row(null, null), '10.0.0.1', B'1111', '', null),
      (3, null, '${VERSION < 14 ? 'NaN' : 'Infinity'}', '-0', null, null, null, '5874897-12-31', null, null, '294276-12-31 23:59:59.999999', 'infinity', null, null, null, null, null, null,
       null, null, null, null, null, null, null, null);
    insert into things (id, note) select 3 + at, note from unnest(array[${texts.map((text) => `$t$${text}$t$`).join(',')}]) with ordinality as t (note, at);
    create table loaded (like things)`)
  const file = await exportFile({ url: database.url }, { resource: 'things', options: { profile: 'postgres' } })
  await load('loaded', file.bytes)
  const differences = await database.run(`
    select * from (select md5(whole::text) as row, id from things whole) a full join (select md5(whole::text) as row, id from loaded whole) b using (id, row)
    where a.id is null or b.id is null`)
  const rows = await database.run('select (select count(*) from things) as things, (select count(*) from loaded) as loaded')
  expect(rows).toEqual([{ things: String(3 + texts.length), loaded: String(3 + texts.length) }])
  expect(differences).toEqual([])
})

it('with a to-many relation loads into a json column, element by element', async () => {
  const notes = TEXTS.map(
    (text, index) => `(${index + 1}, ${(index % 2) + 1}, $t$${text}$t$, '\\x00${index.toString(16).padStart(2, '0')}', 1e-20)`,
  )
  await database.run(`
    create table carts (id int primary key, name text);
    insert into carts values (1, 'a "b", c'), (2, null), (3, 'none');
    create table lines (id int primary key, cart_id int references carts (id), note text, raw bytea, price numeric);
    insert into lines values ${notes.join(',')}, (100, 1, null, null, null);
    create table loaded_carts (id int, name text, lines json)`)
  const file = await exportFile(
    { url: database.url },
    {
      resource: 'carts',
      fields: ['id', 'name', 'lines.id', 'lines.note', 'lines.raw', 'lines.price'],
      options: { profile: 'postgres' },
    },
  )
  await load('loaded_carts', file.bytes)
  const expanded = (from: string): string => `
    select id, name, at, line->>'id' as line, line->>'note' as note, decode(line->>'raw', 'base64') as raw, (line->>'price')::numeric as price
    from ${from}`
  const loaded = await database.run(
    `${expanded('loaded_carts, json_array_elements(lines) with ordinality as each (line, at)')} order by id, at`,
  )
  const source = await database.run(`
    select c.id, c.name, row_number() over (partition by c.id order by l.id) as at, l.id as line, l.note, l.raw, l.price
    from carts c join lines l on l.cart_id = c.id order by c.id, at`)
  expect(loaded).toEqual(source)
  expect(await database.run(`select name, lines::text from loaded_carts where id = 3`)).toEqual([{ name: 'none', lines: '[]' }])
})

it('of SQLite loads into typed columns, with NULs replaced and counted', async () => {
  const source = { url: `sqlite:${join(folder, 'team.db')}` }
  const db = new Sqlite(join(folder, 'team.db'))
  db.exec(`create table notes (id integer primary key, note text, price decimal, paid boolean, raw blob, at timestamp, doc json)`)
  const insert = db.prepare('insert into notes values (?, ?, ?, ?, ?, ?, ?)')
  const texts = [...TEXTS, null, 'a\0b']
  for (const [index, text] of texts.entries()) {
    insert.run(
      index,
      text,
      index + 0.25,
      index % 2,
      Buffer.from([0, index, 0x5c]),
      `2024-02-29 12:00:0${index % 10}.5`,
      '{"a": 1.0}',
    )
  }
  db.close()
  await database.run(
    'create table notes (id bigint, note text, price numeric, paid boolean, raw bytea, at timestamptz, doc jsonb)',
  )
  const file = await exportFile(source, { resource: 'notes', options: { profile: 'postgres' } })
  await load('notes', file.bytes)
  const rows = await database.run(`select id, note, price, paid, raw, at at time zone 'UTC' as at, doc from notes order by id`)
  expect(rows).toEqual(
    texts.map((text, index) => ({
      id: String(index),
      note: text?.replaceAll('\0', '\ufffd') ?? null,
      price: String(index + 0.25),
      paid: index % 2 ? 't' : 'f',
      raw: `\\x00${index.toString(16).padStart(2, '0')}5c`,
      at: `2024-02-29 12:00:0${index % 10}.5`,
      doc: '{"a": 1.0}',
    })),
  )
  expect(file.manifest.changes).toEqual([{ resource: 'notes', column: 'note', cause: 'nul_replaced', cells: 1 }])
})
