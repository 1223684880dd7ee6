/** Parquet and CSV files as tables: exact values, one folder and no way out of it, one reading, an end whenever it is asked for. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, field, join as joinTo, many, part, readRows, rowsOf } from '../../../test/contracts/sample-part.ts'
import { TIMED } from '../../../test/timed.ts'
import type { Source } from '../source.ts'
import { createDuckDbSource } from './duckdb.ts'
import type { DuckDbSourceOptions } from './place.ts'

const VEGA = resolve('node_modules', 'vega-datasets', 'data')
const KEYLESS = { primaryKey: [] }

let folder: string
const opened: Source[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-files-'))
  for (const name of ['data', 'secret', 'lake/orders', 'lake/items']) mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'secret', 'keys.csv'), 'key\nhidden\n')
})
afterAll(async () => {
  await Promise.all(opened.map((source) => source.close()))
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  rmSync(folder, { recursive: true })
})

function source(kind: DuckDbSourceOptions['kind'], path: string, folders: readonly string[] = []): Source {
  const made = createDuckDbSource({ kind, path, folders, consistency: 'snapshot', tempDir: join(folder, 'tmp') })
  opened.push(made)
  return made
}

async function run(sql: string, database = ':memory:'): Promise<void> {
  const instance = await DuckDBInstance.create(database)
  const connection = await instance.connect()
  await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}

const never = new AbortController().signal

describe('CSV files', () => {
  it('are tables by their names, with types where every cell is spelt so, and each cell is the text of the file', async () => {
    const vega = source('csv', join(VEGA, '*.csv'))
    expect(await vega.tables()).toEqual(expect.arrayContaining(['airports', 'seattle-weather', 'zipcodes']))
    const weather = await vega.describe('seattle-weather')
    expect(weather?.columns.map(({ name, type }) => [name, type])).toEqual([
      ['date', 'date'],
      ['precipitation', 'float'],
      ['temp_max', 'float'],
      ['temp_min', 'float'],
      ['wind', 'float'],
      ['weather', 'text'],
    ])
    // 00501 is no number.
    expect((await vega.describe('zipcodes'))?.columns[0]).toMatchObject({ name: 'zip_code', type: 'text' })
    for (const name of ['airports', 'la-riots', 'disasters', 'species']) {
      const [names = [], ...file] = parse(readFileSync(join(VEGA, `${name}.csv`))) as string[][]
      const rows = await readRows(vega, part(name, names, KEYLESS))
      expect(rows.map((row) => row.map((cell) => cell ?? ''))).toEqual(file)
    }
  })

  it.each([
    ['a line with more fields', 'a,b\n1,2,3\n4,5,6\n'],
    ['a line with fewer', 'a,b,c\n1,2\n3,4,5\n'],
    ['one column and a line with two', 'name\nx,y\n'],
    ['a title before the names', 'Orders of May\n\na,b\n1,2\n'],
    ['a comment before the names', '# made by hand\na,b\n1,2\n'],
    ['a quote that is not closed', 'a,b\n1,"x\n2,y\n'],
    ['no line at all', ''],
    ['line ends alone', '\r\n\n'],
    ['an empty line before the names', '\na,b\n1,2\n'],
    ['lines with other ends', 'a,b\r\n1,2\n3,4\r\n'],
    ['text behind a quote', 'a,b\n1,"2"3\n'],
    ['UTF-16', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le')],
    ['bytes that are not UTF-8', Buffer.from('a,b\n1,caf\xe9\n', 'latin1')],
  ])('are refused, and no line of them is passed over: %s', async (_what, text) => {
    writeFileSync(join(folder, 'data', 'broken.csv'), text)
    const broken = source('csv', join(folder, 'data', 'broken.csv'))
    await expect(broken.describe('broken')).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringMatching(/^(The first lines? of a CSV|A CSV|The CSV) file of "broken" /),
    })
  })

  it.each([
    ['semicolons', 'a;b\n1;"2;3,4"\n'],
    ['tabs', 'a\tb\n1\t2;3,4\n'],
    ['bars', 'a|b\n1|2;3,4\n'],
    ['commas, with other signs inside quotes', '"a",b\n1,"2;3,4"\n'],
  ])('may be parted by %s, as their first line is', async (_what, text) => {
    writeFileSync(join(folder, 'data', 'parted.csv'), text)
    const parted = source('csv', join(folder, 'data', 'parted.csv'))
    expect(await readRows(parted, part('parted', ['a', 'b'], KEYLESS))).toEqual([['1', '2;3,4']])
  })

  it('may have line breaks of every kind and any character inside quotes, in the first line too', async () => {
    const texts = ['a\r\nb', '\r', '\n', '\u0001', '\u0002\u0003', '#"\\', ' a ', '""', '\u2028']
    const file = [['a;b\nc', 'd'], ...texts.map((text) => [text, 'x'])]
    const name = join(folder, 'data', 'hostile.csv')
    writeFileSync(name, file.map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`).join(''))
    const hostile = source('csv', name)
    expect(await readRows(hostile, part('hostile', file[0] ?? [], KEYLESS))).toEqual(file.slice(1))
  })

  it('may be packed', async () => {
    writeFileSync(join(folder, 'data', 'packed.csv.gz'), gzipSync('a;b\n1;x\n'))
    const packed = source('csv', join(folder, 'data', 'packed.csv.gz'))
    expect(await readRows(packed, part('packed.csv', ['a', 'b'], KEYLESS))).toEqual([['1', 'x']])
  })

  it('give numbers their own digits, keep what is not spelt as one, and tell NULL from empty text', async () => {
    writeFileSync(
      join(folder, 'data', 'odd.csv'),
      'id,n,t\n1,1.10,""\n2,007,\n3,9223372036854775807,"a ""b""\nc"\n4,-0.5e3,NULL\n',
    )
    const odd = source('csv', join(folder, 'data', 'odd.csv'))
    const asked = part(
      'odd',
      [field('id', { type: 'integer' }), field('n', { type: 'float' }), field('t', { type: 'text' })],
      KEYLESS,
    )
    const snapshot = await odd.open({ parts: [asked], layout: 'flat' }, never)
    let text = ''
    for await (const { bytes } of snapshot.rows(0)) text += Buffer.from(bytes).toString()
    await snapshot.close()
    expect(text.split('\n')).toEqual([
      '[1,1.10,""]',
      '[2,"007",null]',
      '[3,9223372036854775807,"a \\"b\\"\\nc"]',
      '[4,-0.5e3,"NULL"]',
      '',
    ])
    const where = compare('gt', 'n', 'float', '1.05')
    expect((await readRows(odd, { ...asked, where })).map(([id]) => id)).toEqual([1, 2, 3])
  })

  it('that are broken fail by their line, without a word of what stands there', async () => {
    writeFileSync(join(folder, 'data', 'broken.csv'), `id,n\n${'1,2\n'.repeat(30_000)}1,2,private\n`)
    const reading = readRows(source('csv', join(folder, 'data', 'broken.csv')), part('broken', ['id'], KEYLESS))
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringMatching(/line 30002/) })
    await expect(reading).rejects.not.toThrow(/private/)
  })
})

describe('Parquet files', () => {
  it('are read as they are: three million flights of vega-datasets, counted, filtered and sorted', async () => {
    const flights = source('parquet', join(VEGA, '*.parquet'))
    const described = await flights.describe('flights-3m')
    expect(described?.columns.map(({ name }) => name)).toEqual(['date', 'delay', 'distance', 'origin', 'destination'])
    expect(await flights.estimate(part('flights-3m', ['date']), never)).toEqual({ rows: 3_000_000, exact: false })
    const where = compare('eq', 'origin', 'text', 'LAS')
    const sort = [{ path: [], column: 'distance', descending: true }]
    const asked = part('flights-3m', ['distance', 'origin'], { ...KEYLESS, where, sort, limit: 5 })
    const snapshot = await flights.open({ parts: [asked, part('flights-3m', ['date'], KEYLESS)], layout: 'flat' }, never)
    expect((await rowsOf(snapshot, 0)).every(([, origin]) => origin === 'LAS')).toBe(true)
    expect(await snapshot.count(1, { ms: 10_000 })).toEqual({ rows: 3_000_000, exact: true })
    await snapshot.close()
  })

  it('keep 64 bits, decimals, microseconds, infinity and bytes; a folder is a table, and its rows have relations', async () => {
    const types = `9223372036854775807::bigint b, 1.10::decimal(38,2) d, 18446744073709551615::ubigint u, 'inf'::double f,
      timestamp '2024-02-29 12:34:56.123456' t, timestamptz '2024-02-29 12:34:56.5+01' z, '\\x00\\xFF'::blob x, [1.10::decimal(5,2)] l, 'é"' s`
    await run(`copy (select 1 as id, ${types}) to '${join(folder, 'lake/orders/a.parquet')}';
      copy (select 2 as id, ${types}) to '${join(folder, 'lake/orders/b.parquet')}';
      copy (select * from (values (1, 1, 'A'), (2, 1, 'B')) v(id, order_id, sku)) to '${join(folder, 'lake/items/c.parquet')}'`)
    const lake = source('parquet', join(folder, 'lake', '*', '*.parquet'))
    expect(await lake.tables()).toEqual(['items', 'orders'])
    const items = many('items', joinTo('items', 'id', 'order_id', { indexed: false }), [field('sku')])
    const asked = part('orders', ['id', 'b', 'd', 'u', 'f', 't', 'z', 'x', 'l', 's', items], KEYLESS)
    const snapshot = await lake.open({ parts: [asked], layout: 'flat' }, never)
    let text = ''
    for await (const { bytes } of snapshot.rows(0)) text += Buffer.from(bytes).toString()
    await snapshot.close()
    const cells = `9223372036854775807,1.10,18446744073709551615,9.0e+999,"2024-02-29 12:34:56.123456","2024-02-29 11:34:56.5+00",{"b":"00FF"},"[\\"1.10\\"]","é\\""`
    expect(text).toBe(`[1,${cells},"[[\\"A\\"],[\\"B\\"]]"]\n[2,${cells},null]\n`)
  })
})

describe('files of one table', () => {
  it.each(['parquet', 'csv'] as const)('keep the columns that only some of them have, NULL in the others: %s', async (kind) => {
    mkdirSync(join(folder, `grown-${kind}`))
    const file = (name: string): string => join(folder, `grown-${kind}`, `${name}.${kind}`)
    await run(`copy (select 1 as id, 'x' as a) to '${file('1')}'; copy (select 'y' as a, 2 as id, 'new' as b) to '${file('2')}'`)
    const grown = source(kind, join(folder, `grown-${kind}`.replace('grown', '*'), `*.${kind}`))
    expect((await grown.describe(`grown-${kind}`))?.columns.map(({ name }) => name)).toEqual(['id', 'a', 'b'])
    const rows = await readRows(grown, part(`grown-${kind}`, ['id', 'a', 'b'], KEYLESS))
    expect(rows.map((row) => row.map((cell) => cell && String(cell)))).toEqual([
      ['1', 'x', null],
      ['2', 'y', 'new'],
    ])
  })
})

describe('what a source may read', () => {
  it('is inside its folders, wherever links lead', async () => {
    symlinkSync(join(folder, 'secret', 'keys.csv'), join(folder, 'data', 'link.csv'))
    try {
      await expect(source('csv', join(folder, 'data', '*.csv')).tables()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
      await expect(source('csv', join(folder, 'secret', 'keys.csv'), [join(folder, 'data')]).tables()).rejects.toThrow(
        /outside the folders/,
      )
      const named = source('csv', join(folder, 'data', 'link.csv'), [join(folder, 'secret')])
      expect(await readRows(named, part('link', ['key'], KEYLESS))).toEqual([['hidden']])
    } finally {
      rmSync(join(folder, 'data', 'link.csv'))
    }
  })

  it('is not what a view of its database reads elsewhere', async () => {
    const path = join(folder, 'data', 'escape.duckdb')
    await run(
      `create view files as select * from read_csv('${join(folder, 'secret', 'keys.csv')}');
       create view text as select content from read_text('${join(folder, 'secret', 'keys.csv')}');
       create view listed as select file from glob('${folder}/*');
       create view settings as select current_setting('temp_directory') as t`,
      path,
    )
    const views = source('duckdb', path)
    for (const [view, column] of [
      ['files', 'key'],
      ['text', 'content'],
      ['listed', 'file'],
    ] as const) {
      await expect(readRows(views, part(view, [column], { ...KEYLESS, kind: 'view' }))).rejects.toMatchObject({
        code: 'SOURCE_FAILED',
      })
    }
  })

  it('must stay what it is until the last row', async () => {
    const path = join(folder, 'data', 'changing.csv')
    writeFileSync(path, `id,t\n${Array.from({ length: 200_000 }, (_, n) => `${n},some text`).join('\n')}\n`)
    const changing = source('csv', path)
    const snapshot = await changing.open({ parts: [part('changing', ['id', 't'], KEYLESS)], layout: 'flat' }, never)
    const reading = (async () => {
      for await (const { rows } of snapshot.rows(0)) if (rows > 0) writeFileSync(path, 'id,t\n1,other\n', { flag: 'a' })
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    await snapshot.close()
  })

  it('may be a database that another program writes to', async () => {
    const path = join(folder, 'data', 'busy.duckdb')
    await run("create table t (id integer primary key, v text); insert into t values (1, 'one')", path)
    const script = `import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from ${JSON.stringify(import.meta.resolve('@duckdb/node-api'))}
      const instance = await DuckDBInstance.create(${JSON.stringify(path)})
      const connection = await instance.connect()
      await connection.run("insert into t values (2, 'two')")
      console.log('open')
      process.stdin.on('end', () => process.exit()).resume()`
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      await new Promise((done) => writer.stdout.once('data', done))
      const busy = source('duckdb', path)
      expect((await busy.describe('t'))?.primaryKey).toEqual(['id'])
      expect(await readRows(busy, part('t', ['id', 'v']))).toEqual([
        [1, 'one'],
        [2, 'two'],
      ])
    } finally {
      writer.kill('SIGKILL')
    }
  })
})

it('an abort ends a query in its middle within a second', TIMED, async () => {
  const path = join(folder, 'data', 'slow.duckdb')
  await run('create or replace view slow as select max(a.i * b.i) as m from range(10000000) a(i), range(100000) b(i)', path)
  const stop = new AbortController()
  const slow = source('duckdb', path)
  const snapshot = await slow.open({ parts: [part('slow', ['m'], { ...KEYLESS, kind: 'view' })], layout: 'flat' }, stop.signal)
  const reading = rowsOf(snapshot)
  reading.catch(() => {})
  await new Promise((done) => setTimeout(done, 500))
  const counted = await snapshot.count(0, { ms: 50 })
  expect(counted.exact && counted.rows !== 1).toBe(false)
  const abortedAt = performance.now()
  stop.abort()
  await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
  await snapshot.close()
  expect(performance.now() - abortedAt).toBeLessThan(1_000)
})
