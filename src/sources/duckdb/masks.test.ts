/** Masks made by DuckDB are those that the code makes of the same text: of databases, Parquet and CSV files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { field, part, readRows } from '../../../test/contracts/sample-part.ts'
import { describeMasks, MASK_KEY, PEOPLE } from '../../../test/contracts/source-masks.ts'
import type { MaskName } from '../../job/spec.ts'
import { hashed, partial } from '../mask.ts'
import type { Source } from '../source.ts'
import { createDuckDbSource } from './duckdb.ts'
import type { DuckDbSourceOptions } from './place.ts'

let folder: string
const opened: Source[] = []

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'freight-masks-'))
}

function source(kind: DuckDbSourceOptions['kind'], path: string, maskKey: string | null = MASK_KEY): Source {
  const key = maskKey === null ? {} : { maskKey }
  const made = createDuckDbSource({ kind, path, folders: [], consistency: 'snapshot', tempDir: join(folder, 'tmp'), ...key })
  opened.push(made)
  return made
}

async function run(database: string, statements: string): Promise<void> {
  const instance = await DuckDBInstance.create(database)
  const connection = await instance.connect()
  await connection.run(statements)
  connection.closeSync()
  instance.closeSync()
}

beforeAll(() => {
  folder = makeFolder()
})
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()))
  rmSync(folder, { recursive: true })
})

const quoted = (text: string | null): string => (text === null ? 'null' : `'${text.replaceAll("'", "''")}'`)
const people = PEOPLE.map(
  ({ id, email, phone, pin, photo, boss }) =>
    `(${id}, ${quoted(email)}, ${quoted(phone)}, ${pin}, ${photo === null ? 'null' : `unhex('${photo}')`}, ${boss})`,
)
const PEOPLE_SQL = `create table people (id integer primary key, email varchar, phone varchar, pin bigint, photo blob, boss_id integer);
  create view all_people as select * from people; insert into people values ${people.join(', ')}`

describeMasks('DuckDB', async () => {
  const path = join(folder, 'people.duckdb')
  await run(path, PEOPLE_SQL)
  const made = source('duckdb', path)
  return { source: made, discard: () => made.close() }
})

describeMasks('Parquet', async () => {
  const copies = ['people', 'all_people'].map((name) => `copy people to '${join(folder, name)}.parquet' (format parquet)`)
  await run(':memory:', [PEOPLE_SQL, ...copies].join('; '))
  const made = source('parquet', join(folder, '*.parquet'))
  return { source: made, discard: () => made.close() }
})

const TEXTS = [
  '',
  'a',
  '@',
  'a@b',
  '@a',
  'a@b@c',
  'd@\\c\t"\'',
  '1234567',
  '12345678',
  'äöüßäöüß',
  '😀@😀',
  'e\u0301ab😀cdef',
  '00501',
  '1e5',
]
const VALUES = {
  odd: [`varchar collate nocase`, `'Ada@Example.com'`, 'Ada@Example.com'],
  money: ['decimal(12,2)', '1234567.50', '1234567.50'],
  huge: ['hugeint', '170141183460469231731687303715884105727', '170141183460469231731687303715884105727'],
  ratio: ['double', '0.1', '0.1'],
  infinite: ['double', `'-inf'`, '-Infinity'],
  none: ['float', `'nan'`, 'NaN'],
  yes: ['boolean', 'true', 'true'],
  day: ['date', `'2024-05-01'`, '2024-05-01'],
  moment: ['timestamptz', `'2024-05-01 12:00:00.25+02'`, '2024-05-01 10:00:00.25+00'],
  doc: ['json', `'{"a": "x@y"}'`, '{"a": "x@y"}'],
  tags: ['decimal(4,2)[]', '[1.50, null]', '["1.50",null]'],
  pair: ['struct(a integer)', '{a: 1}', '{"a":1}'],
} as const

const masked = (column: string, mask: MaskName) => field(column, { mask, type: 'text' })

describe('masks in SQL', () => {
  it('give of any text of a CSV file what the code gives of it, whatever it looks like', async () => {
    const lines = TEXTS.map((text, id) => `${id},"${text.replaceAll('"', '""')}"\n`)
    writeFileSync(join(folder, 'texts.csv'), `id,t\n${lines.join('')}${TEXTS.length},\n`)
    const select = [field('id', { type: 'integer' }), masked('t', 'hash'), masked('t', 'partial'), masked('t', 'null')]
    const rows = await readRows(source('csv', join(folder, '*.csv')), part('texts', select, { primaryKey: [] }), 'flat')
    const expected = TEXTS.map((text, id) => [id, hashed(text, MASK_KEY), partial(text), null])
    expect(rows).toEqual([...expected, [TEXTS.length, null, null, null]])
  })

  it('take a value of any type as the text that the file would have', async () => {
    const columns = Object.entries(VALUES)
    const path = join(folder, 'typed.duckdb')
    await run(
      path,
      `create table typed (id integer primary key, ${columns.map(([name, [type]]) => `${name} ${type}`).join(', ')});
       insert into typed values (1, ${columns.map(([, [, value]]) => value).join(', ')}), (2${', null'.repeat(columns.length)})`,
    )
    const select = columns.flatMap(([name]) => [masked(name, 'hash'), masked(name, 'partial'), masked(name, 'null')])
    const expected = columns.flatMap(([, [, , text]]) => [hashed(text, MASK_KEY), partial(text), null])
    const made = source('duckdb', path)
    expect(await readRows(made, part('typed', ['id', ...select]), 'flat')).toEqual([
      [1, ...expected],
      [2, ...expected.map(() => null)],
    ])
    const asked = part('typed', ['id', masked('money', 'hash')])
    await expect(readRows(source('duckdb', path, null), asked, 'flat')).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
  })
})
