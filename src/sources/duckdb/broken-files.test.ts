/** Files that are broken, or change while they are read: a clear failure that names the table, and never a short file that ends well. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { part, readRows } from '../../../test/contracts/sample-part.ts'
import type { Source } from '../source.ts'
import { createDuckDbSource } from './duckdb.ts'
import type { DuckDbSourceOptions } from './place.ts'

const ROWS = 100_000
const KEYLESS = { primaryKey: [] }
const never = new AbortController().signal

let folder: string
let parquet: Buffer
let database: Buffer
let csv: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freight-broken-'))
  mkdirSync(join(folder, 'days', 'orders'), { recursive: true })
  const instance = await DuckDBInstance.create(join(folder, 'made.duckdb'))
  const connection = await instance.connect()
  await connection.run(`create table orders as select i as id, md5(i::varchar) as t from range(${ROWS}) r(i);
    copy orders to '${join(folder, 'made.parquet')}'; copy orders to '${join(folder, 'made.csv')}';
    copy (select 1 as id, date '2024-01-01' as day) to '${join(folder, 'days/orders/date.parquet')}';
    copy (select 2 as id, 5 as day) to '${join(folder, 'days/orders/number.parquet')}'`)
  connection.closeSync()
  instance.closeSync()
  parquet = readFileSync(join(folder, 'made.parquet'))
  database = readFileSync(join(folder, 'made.duckdb'))
  csv = readFileSync(join(folder, 'made.csv'), 'utf8')
})
afterAll(() => rmSync(folder, { recursive: true }))

type Kind = DuckDbSourceOptions['kind']

/** The path of a file of the table "orders", in a folder of its own. */
function orders(kind: Kind, what: string, content: Buffer | string): string {
  const inside = join(folder, `${kind} ${what}`)
  mkdirSync(inside)
  writeFileSync(join(inside, `orders.${kind}`), content)
  return join(inside, `orders.${kind}`)
}

function source(kind: Kind, path: string): Source {
  return createDuckDbSource({ kind, path, folders: [], consistency: 'snapshot', tempDir: join(folder, 'tmp') })
}

async function rowsIn(kind: Kind, path: string, columns = ['id', 't']): Promise<readonly (readonly unknown[])[]> {
  const opened = source(kind, path)
  try {
    return await readRows(opened, part('orders', columns, KEYLESS))
  } finally {
    await opened.close()
  }
}

/** As a later version of DuckDB would write it: the number of the version, and the checksum of its block. */
function ofLaterVersion(file: Buffer): Buffer {
  const later = Buffer.from(file)
  later.writeBigUInt64LE(9_999n, 12)
  let sum = 5_381n
  for (let at = 8; at < 4_096; at += 8) sum ^= BigInt.asUintN(64, later.readBigUInt64LE(at) * 0xbf58476d1ce4e5b9n)
  later.writeBigUInt64LE(sum, 0)
  return later
}

it('a file that is cut, damaged, empty or of another kind cannot be read', async () => {
  const files: [Kind, string, Buffer | string][] = [
    ['parquet', 'cut', parquet.subarray(0, parquet.length / 2)],
    ['parquet', 'empty', ''],
    ['parquet', 'of text', 'id,t\n1,some text that is no Parquet\n'],
    ['parquet', 'damaged', Buffer.from(parquet).fill(0x55, 1_000, 50_000)],
    ['duckdb', 'cut', database.subarray(0, 5_000)],
    ['duckdb', 'empty', ''],
    ['duckdb', 'of text', 'some text that is no database'.repeat(1_000)],
  ]
  const readings = files.map(async ([kind, what, content]) => {
    const named = kind === 'duckdb' ? 'A file of the source' : 'A file of "orders"'
    await expect(rowsIn(kind, orders(kind, what, content)), `${kind} ${what}`).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: `${named} cannot be read: it is missing, cut or damaged, or of another kind than its address says.`,
    })
  })
  await Promise.all(readings)
})

it('a CSV file is no database', async () => {
  await expect(rowsIn('duckdb', orders('csv', 'as a database', csv))).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringMatching(/of another kind than its address says/),
  })
})

it('a database of a later version of DuckDB is said to be one', async () => {
  await expect(rowsIn('duckdb', orders('duckdb', 'later', ofLaterVersion(database)))).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
    message: expect.stringMatching(/written by a version of DuckDB that this one cannot read/),
  })
})

it('a line that is too long is told by its number', async () => {
  const long = `id,t\n1,x\n1,${'x'.repeat(80_000_001)}\n`
  await expect(rowsIn('csv', orders('csv', 'long', long))).rejects.toMatchObject({
    code: 'ROW_TOO_LARGE',
    message: 'A CSV file of "orders" has, among its first lines, a line of more than the 80 MB that one may have.',
  })
})

it('empty files are passed over beside others of their table, and other delimiters are refused', async () => {
  const inside = join(folder, 'lake', 'orders')
  mkdirSync(inside, { recursive: true })
  for (const [name, text] of Object.entries({ 0: '', 1: 'id,t\n1,x\n', 2: '\ufeff\n' }))
    writeFileSync(join(inside, `${name}.csv`), text)
  const lake = source('csv', join(folder, 'lake', '*', '*.csv'))
  expect((await lake.describe('orders'))?.columns.map(({ name }) => name)).toEqual(['id', 't'])
  expect(await readRows(lake, part('orders', ['id', 't'], KEYLESS))).toEqual([['1', 'x']])
  await lake.close()
  writeFileSync(join(inside, '3.csv'), 'id;t\n2;y\n')
  const mixed = source('csv', join(folder, 'lake', '*', '*.csv'))
  await expect(mixed.describe('orders')).rejects.toThrow('The CSV files of "orders" are parted by different signs')
  await mixed.close()
})

it('files whose types of a column have nothing in common are told by the column', async () => {
  const pattern = join(folder, 'days', '*', '*.parquet')
  await expect(rowsIn('parquet', pattern, ['id', 'day'])).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
    message: expect.stringMatching(/^The files of "orders" have the types INTEGER and DATE for the column "day"/),
  })
})

describe.each(['csv', 'parquet'] as const)('a %s file that changes while it is read', (kind) => {
  /** The rows of orders, where something happens to the files after the first of them. */
  async function rowsWhile(what: string, change: (path: string) => void): Promise<number> {
    const content = kind === 'csv' ? csv : parquet
    const path = orders(kind, what, content)
    writeFileSync(path.replace('orders', 'others'), content)
    const files = source(kind, path.replace('orders', '*'))
    const snapshot = await files.open({ parts: [part('orders', ['id', 't'], KEYLESS)], layout: 'flat' }, never)
    let seen = 0
    try {
      for await (const { rows } of snapshot.rows(0)) {
        if (seen === 0) change(path)
        seen += rows
      }
      return seen
    } finally {
      await snapshot.close()
      await files.close()
    }
  }

  it('fails the export by the name of its table', async () => {
    const changed = {
      code: 'SOURCE_CHANGED',
      message:
        'A file of "orders" was written to, replaced or removed while it was read; start the export again when that is done.',
    }
    await Promise.all([
      expect(rowsWhile('cut meanwhile', (path) => truncateSync(path, 50_000))).rejects.toMatchObject(changed),
      expect(rowsWhile('removed', (path) => rmSync(path))).rejects.toMatchObject(changed),
      expect(rowsWhile('replaced', (path) => renameSync(path.replace('orders', 'others'), path))).rejects.toMatchObject(changed),
    ])
  })

  it('is none of the business of other tables', async () => {
    expect(await rowsWhile('beside', (path) => rmSync(path.replace('orders', 'others')))).toBe(ROWS)
  })
})
