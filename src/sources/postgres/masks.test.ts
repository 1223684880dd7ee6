/** Masks made by PostgreSQL are those that the code makes of the same text, whatever the column's type and whichever way its rows are read. */
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MACHINE } from '../../../test/contracts/row-text.ts'
import { field, join, many, part, readRows, rowsOf } from '../../../test/contracts/sample-part.ts'
import { describeMasks, MASK_KEY, PEOPLE } from '../../../test/contracts/source-masks.ts'
import { createDatabase, serverVersion, type TestDatabase } from '../../../test/postgres.ts'
import type { MaskName, WrittenForm } from '../../job/spec.ts'
import { hashed, hmacPads, partial } from '../mask.ts'
import type { Source } from '../source.ts'
import { literal } from './literals.ts'
import { createPostgresSource } from './postgres.ts'

const TABLE = `create table people (id int primary key, email text, phone varchar(40), pin bigint, photo bytea, boss_id int);
  create view all_people as select * from people`
const text = (value: string | null): string => (value === null ? 'null' : literal(value))
const insert = PEOPLE.map(
  ({ id, email, phone, pin, photo, boss }) =>
    `(${id}, ${text(email)}, ${text(phone)}, ${pin}, ${photo === null ? 'null' : `decode('${photo}', 'hex')`}, ${boss})`,
)

describeMasks('PostgreSQL', async () => {
  const database = await createDatabase(`${TABLE}; insert into people values ${insert.join(', ')}`)
  const source = createPostgresSource({ url: database.url, parallel: 1, maskKey: MASK_KEY })
  const discard = async (): Promise<void> => {
    await source.close()
    await database.drop()
  }
  return { source, discard }
})

const TEXTS = [
  '',
  'a',
  '@',
  'a@b',
  '@a',
  'a@b@c',
  'ab\\c\t\n"\'d@e',
  '1234567',
  '12345678',
  'äöüßäöü',
  'äöüßäöüß',
  '😀@😀',
  'e\u0301ab😀cdef',
  ' '.repeat(9),
]
const COLUMNS = {
  odd: ['text collate odd', `'Ada@Example.com'`],
  name: ['name', `'somebody'`],
  fixed: ['char(10)', `'12345678'`],
  money: ['numeric(12,2)', '1234567.50'],
  ratio: ['float8', '0.1'],
  yes: ['boolean', 'true'],
  uuid: ['uuid', `'00000000-0000-4000-8000-00000000abcd'`],
  at: ['timestamptz', `'2024-05-01 12:00:00.25+02'`],
  day: ['date', `'2024-05-01'`],
  host: ['inet', `'10.0.0.1'`],
  doc: ['json', `'{"b": "x@y",  "a":1}'`],
  docb: ['jsonb', `'{"b": "x@y",  "a":1}'`],
  tags: ['text[]', `array['a b', null]`],
  pair: ['pair', 'row(null, null)::pair'],
  positive: ['positive', '7'],
} as const
/** As the file has them. */
const WRITTEN: Record<keyof typeof COLUMNS, string> = {
  odd: 'Ada@Example.com',
  name: 'somebody',
  fixed: '12345678  ',
  money: '1234567.50',
  ratio: '0.1',
  yes: 'true',
  uuid: '00000000-0000-4000-8000-00000000abcd',
  at: '2024-05-01 10:00:00.25+00',
  day: '2024-05-01',
  host: '10.0.0.1',
  doc: '{"b": "x@y",  "a":1}',
  docb: '{"a": 1, "b": "x@y"}',
  tags: '{"a b",NULL}',
  pair: '(,)',
  positive: '7',
}

let database: TestDatabase
const opened: Source[] = []
const BIG = 24_000

beforeAll(async () => {
  const columns = Object.entries(COLUMNS)
  database = await createDatabase(`
    create collation odd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create type pair as (a int, b text); create domain positive as int check (value > 0);
    create table texts (id int primary key, t text);
    insert into texts values ${TEXTS.map((each, id) => `(${id}, ${literal(each)})`).join(', ')};
    create table typed (id int primary key, parent int, ${columns.map(([name, [type]]) => `"${name}" ${type}`).join(', ')});
    insert into typed values (1, 1, ${columns.map(([, [, value]]) => value).join(', ')}), (2, 1${', null'.repeat(columns.length)});
    create table big (id int primary key, secret text, pad text);
    insert into big select n, 'secret' || n || '@example.com', repeat(md5(n::text), 12) from generate_series(1, ${BIG}) n;
    create view broken as select id, 1 / (id - id) as t from texts; analyze big`)
})
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()))
  await database.drop()
})

function source(options: { parallel?: number; csv?: 'server' | 'binary'; maskKey?: string } = { maskKey: MASK_KEY }): Source {
  const made = createPostgresSource({ url: database.url, parallel: 1, ...options })
  opened.push(made)
  return made
}

const masked = (column: string, mask: MaskName) => field(column, { mask, type: 'text' })
const never = new AbortController().signal
const FORM: WrittenForm = { format: 'csv', output: MACHINE }

describe('masks in SQL', () => {
  it('give of any text what the code gives of it', async () => {
    const rows = await readRows(source(), part('texts', ['id', masked('t', 'hash'), masked('t', 'partial')]), 'flat')
    expect(rows).toEqual(TEXTS.map((each, id) => [id, hashed(each, MASK_KEY), partial(each)]))
  })

  it('take a value of any type as the text that the file would have, in rows and in related rows', async () => {
    const names = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]
    const select = names.flatMap((name) => [masked(name, 'hash'), masked(name, 'partial'), masked(name, 'null')])
    const expected = names.flatMap((name) => [hashed(WRITTEN[name], MASK_KEY), partial(WRITTEN[name]), null])
    const rows = await readRows(source(), part('typed', ['id', ...select]), 'flat')
    expect(rows).toEqual([
      [1, ...expected],
      [2, ...expected.map(() => null)],
    ])
    const children = many('children', join('typed', 'id', 'parent'), select)
    const [[, related] = []] = await readRows(source(), part('typed', ['id', children], { limit: 1 }), 'nested')
    expect(JSON.parse(String(related))).toEqual([expected, expected.map(() => null)])
  })
})

describe('a database in another encoding', () => {
  it.each(['LATIN1', 'SQL_ASCII'])('is masked by characters: %s', async (encoding) => {
    const name = `${new URL(database.url).pathname.slice(1)}_${encoding.toLowerCase()}`
    const provider = (await serverVersion()) < 15 ? '' : 'locale_provider libc'
    await database.run(
      `create database ${name} encoding '${encoding}' ${provider} lc_collate 'C' lc_ctype 'C' template template0`,
    )
    const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).href
    const client = new pg.Client(url)
    await client.connect()
    const texts = ['äda@example.com', 'äöüßäöüß', 'plain123']
    await client.query('create table texts (id int primary key, t text)')
    await client.query(`insert into texts values ${texts.map((each, id) => `(${id}, ${literal(each)})`).join(', ')}`)
    await client.end()
    const made = createPostgresSource({ url, parallel: 1, maskKey: MASK_KEY })
    const rows = await readRows(made, part('texts', ['id', masked('t', 'hash'), masked('t', 'partial')]), 'flat')
    await made.close()
    await database.run(`drop database ${name}`)
    const isKnown = encoding !== 'SQL_ASCII'
    expect(rows).toEqual(
      texts.map((each, id) => [id, hashed(each, MASK_KEY), isKnown || each.startsWith('plain') ? partial(each) : '***']),
    )
  })
})

describe('a masked column', () => {
  it.each([
    [1, 'server'],
    [3, 'server'],
    [1, 'binary'],
  ] as const)('is masked in CSV as it comes, over %i connections, made by: %s', async (parallel, csv) => {
    const asked = part('big', [
      field('id', { type: 'integer' }),
      masked('secret', 'hash'),
      masked('secret', 'partial'),
      masked('pad', 'null'),
    ])
    const snapshot = await source({ parallel, csv, maskKey: MASK_KEY }).open({ parts: [asked], layout: 'flat' }, never)
    const forms = new Set<string>()
    let written = ''
    for await (const { form, bytes } of snapshot.rows(0, FORM)) {
      forms.add(form)
      written += Buffer.from(bytes).toString()
    }
    expect([...forms]).toEqual(['written'])
    await snapshot.close()
    const lines = Array.from(
      { length: BIG },
      (_, at) => `${at + 1},${hashed(`secret${at + 1}@example.com`, MASK_KEY)},s***@example.com,\n`,
    )
    expect(written === lines.join('')).toBe(true)
  })
})

describe('the key of hashes', () => {
  it('is needed: without it nothing is given out', async () => {
    await expect(readRows(source({}), part('texts', ['id', masked('t', 'hash')]), 'flat')).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('no key'),
    })
    expect(await readRows(source({}), part('texts', ['id', masked('t', 'null')]), 'flat')).toHaveLength(TEXTS.length)
  })

  it('stands in no statement that others see, and in no error', async () => {
    const { inner, outer } = hmacPads(MASK_KEY)
    const secrets = [MASK_KEY, inner.toString('hex'), outer.toString('hex')]
    const snapshot = await source().open({ parts: [part('big', ['id', masked('secret', 'hash')])], layout: 'flat' }, never)
    const statements = async (): Promise<string> => JSON.stringify(await database.run('select query from pg_stat_activity'))
    const seen = [await statements()]
    for await (const { rows } of snapshot.rows(0)) {
      expect(rows).toBeGreaterThan(0)
      seen.push(await statements())
    }
    await snapshot.close()
    expect(seen.join()).toContain('freight.mask_inner')
    const broken = await source().open(
      { parts: [part('broken', ['id', masked('t', 'hash')], { kind: 'view' })], layout: 'flat' },
      never,
    )
    const thrown: unknown = await rowsOf(broken).catch((error: unknown) => error)
    await broken.close()
    expect(thrown).toMatchObject({ code: 'SOURCE_FAILED' })
    seen.push(inspect(thrown, { depth: 9 }))
    for (const secret of secrets) expect(seen.join()).not.toContain(secret)
  })
})
