/** Parquet as a file: whole, with every row, and nothing left behind. Judged by DuckDB and by hyparquet. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cell, chunkOf, chunks, column, columns, oneChunk } from '../../test/contracts/row-text.ts'
import { readByDuckDb, readByHyparquet, readFooter } from '../../test/parquet-readers.ts'
import { openParquetWriter, PARQUET_OUTPUT, type ParquetWriter } from '../../test/parquet-writer.ts'
import { randomNumbers } from '../../test/random.ts'
import type { RowChunk, Shape } from '../job/row-text.ts'
import { RowTally } from '../job/tally.ts'

let parquet: ParquetWriter
beforeAll(() => {
  parquet = openParquetWriter()
})
afterAll(() => parquet.close())

describe('the file', () => {
  it('has the same rows whatever form they travelled in: 10,000 random ones, in their order', async () => {
    const random = randomNumbers(7)
    const pieces = ['a', '"', ',', '\n', '\r', '\\', '\\N', '\0', '\x1f', 'é', '😀', '\u2028', '\ufeff', ' ', "'", 'NULL', '']
    const text = (): Cell =>
      random(7) === 0 ? null : Array.from({ length: random(9) }, () => pieces[random(pieces.length)]).join('')
    const rows = Array.from({ length: 10_000 }, (_, n): Cell[] => [{ number: String(n) }, text(), text(), { number: `${n}.5` }])
    const shape: Shape = [column('id', 'integer'), column('a'), column('b'), column('n', 'decimal')]
    const wanted = rows.map((row) =>
      row.map((cell) => (typeof cell === 'object' && cell && 'number' in cell ? cell.number : cell)),
    )
    const file = await parquet.encode(chunks('json', rows), shape)
    expect((await readByDuckDb(file)).rows).toEqual(wanted)
    const others = await readByHyparquet(file)
    expect(others.map(({ a, b }) => [a ?? null, b ?? null])).toEqual(wanted.map(([, a, b]) => [a, b]))
    expect((await parquet.encode(chunks('copy', rows, 333), shape)).equals(file)).toBe(true)
  })

  it('is cut into row groups by rows and by bytes', async () => {
    async function* rows(): AsyncIterable<RowChunk> {
      for (let n = 0; n < 250; n++)
        yield chunkOf(
          'json',
          Array.from({ length: 1000 }, (_, k): Cell[] => [{ number: String(n * 1000 + k) }]),
        )
    }
    const grouped = await parquet.encode(rows(), columns(['integer']))
    const { rows: count, groups } = readFooter(grouped)
    expect(count).toBe(250_000)
    expect(groups.length).toBeGreaterThan(1)
    const heavy = Array.from({ length: 80 }, (_, n): Cell[] => [
      { number: String(n) },
      String.fromCharCode(65 + (n % 26)).repeat(1_000_000),
    ])
    const file = await parquet.encode(chunks('json', heavy, 1), columns(['integer', 'text']))
    expect(readFooter(file).groups.length).toBeGreaterThan(1)
    expect((await readByDuckDb(file)).rows.map(([id]) => id)).toEqual(heavy.map((_, n) => String(n)))
  })

  it('is whole, with its columns, for no rows, and tells NULL from empty text in a single column', async () => {
    const none = await parquet.encode(chunks('json', []), columns(['integer', 'text']))
    expect(await readByDuckDb(none)).toEqual({ names: ['c0', 'c1'], types: ['BIGINT', 'VARCHAR'], rows: [] })
    expect(await readByHyparquet(none)).toEqual([])
    const only = await parquet.encode(chunks('json', [[null], [''], ['NULL'], ['x']]), columns(['text']))
    expect((await readByDuckDb(only)).rows).toEqual([[null], [''], ['NULL'], ['x']])
  })

  it('takes hostile names and 1,600 columns, and refuses none, empty names and names that differ in case', async () => {
    const names = ['__proto__', 'constructor', ' ', 'a"b', "a'b", 'a\nb', 'a,b', 'select', 'é'.repeat(31), 'c0']
    const named = await readByDuckDb(
      await parquet.encode(
        chunks('json', [names]),
        names.map((name) => column(name)),
      ),
    )
    expect(named).toMatchObject({ names, rows: [names] })
    const wide = Array.from({ length: 1600 }, (_, index) => `v${index}`)
    expect((await readByDuckDb(await parquet.encode(chunks('copy', [wide]), columns(wide.map(() => 'text'))))).rows).toEqual([
      wide,
    ])
    await expect(parquet.encode(chunks('json', [[]]), [])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(parquet.encode(chunks('json', []), [column('a'), column('A')])).rejects.toThrow(/"a" and "A"/)
    await expect(parquet.encode(chunks('json', []), [column('a'), column('')])).rejects.toThrow(/^Column 2 has no name/)
  })

  it('has relations as JSON, leaves hidden keys out, and replaces and counts what is not UTF-8', async () => {
    const key = column('id', 'integer', { key: true, hidden: true })
    const shape: Shape = [
      key,
      { kind: 'many', name: 'items', cells: [column('sku'), column('price', 'decimal')] },
      column('text'),
    ]
    const tally = new RowTally('things')
    const rows: Cell[][] = [
      [
        { number: '5' },
        {
          many: [
            ['a"b', { number: '1.10' }],
            [null, null],
          ],
        },
        { raw: Buffer.from([0x61, 0xff]) },
      ],
      [{ number: '6' }, null, 'x'],
    ]
    const file = await readByDuckDb(await parquet.encode(chunks('json', rows), shape, tally))
    expect(file).toMatchObject({ names: ['items', 'text'], types: ['JSON', 'VARCHAR'] })
    expect(file.rows).toEqual([
      ['[{"sku":"a\\"b","price":1.10},{"sku":null,"price":null}]', 'a\ufffd'],
      ['[]', 'x'],
    ])
    expect(tally.results).toEqual({ successful: 1, warnings: 1, errors: 0 })
    expect(tally.log[0]).toMatchObject({ row: 1, key: '5', column: 'text' })
  })

  it('takes documents of every depth and kind', async () => {
    const documents = [
      '"\\ud800"',
      '1e400',
      `${'['.repeat(900)}${']'.repeat(900)}`,
      '{"a":1,"a":2}',
      '123456789012345678901234567890',
      ' [1 ,\n2] ',
    ]
    const file = await parquet.encode(
      chunks(
        'json',
        documents.map((text): Cell[] => [text, 'x']),
      ),
      columns(['json', 'text']),
    )
    expect((await readByDuckDb(file)).rows.length).toBe(documents.length)
  })
})

describe('large cells', () => {
  const shape: Shape = [column('id', 'integer', { key: true }), column('a'), column('b', 'bytes')]
  const large = (bytes: number): Cell[][] => [
    [{ number: '1' }, 'x', null],
    [{ number: '2' }, '"'.repeat(bytes), null],
  ]

  it('up to 2 MB are written, and a larger one is named by row, key and column', async () => {
    const file = await parquet.encode(chunks('json', large(2_000_000)), shape)
    expect((await readByDuckDb(file)).rows[1]?.[1]?.length).toBe(2_000_000)
    const named = {
      code: 'CELL_TOO_LARGE',
      message: expect.stringMatching(/^Row 2 \(key 2\) of "things", column "a": .*max_cell_mb/),
    }
    await expect(parquet.encode(chunks('json', large(2_000_001)), shape)).rejects.toMatchObject(named)
    const bytes: Cell[][] = [[{ number: '1' }, null, { bytes: Buffer.alloc(2_000_001) }]]
    await expect(parquet.encode(chunks('json', bytes), shape)).rejects.toMatchObject({
      code: 'CELL_TOO_LARGE',
      message: expect.stringContaining('"b"'),
    })
  })

  it('are written where the option raises the bound', async () => {
    const file = await parquet.encode(chunks('json', large(10_000_000)), shape, new RowTally('things'), {
      ...PARQUET_OUTPUT,
      maxCellMb: 10,
    })
    expect((await readByDuckDb(file)).rows[1]?.[1]?.length).toBe(10_000_000)
  })

  it('too many in one row fail by the name of the row', async () => {
    const cells = Array.from({ length: 10 }, (): Cell => 'x'.repeat(1_900_000))
    await expect(parquet.encode(chunks('json', [cells]), columns(cells.map(() => 'text')))).rejects.toMatchObject({
      code: 'ROW_TOO_LARGE',
      message: expect.stringMatching(/^Row 1 of "things": /),
    })
  })
})

describe('what goes wrong', () => {
  async function* endless(): AsyncIterable<RowChunk> {
    const chunk = chunkOf(
      'json',
      Array.from({ length: 5000 }, (_, n): Cell[] => [`some text that is not much ${n}`]),
    )
    for (;;) yield chunk
  }

  it('in the rows is thrown as it is, and nothing stays behind', async () => {
    const fault = new Error('the source is gone')
    async function* rows(): AsyncIterable<RowChunk> {
      yield chunkOf('json', [['a'], ['b']])
      throw fault
    }
    await expect(parquet.encode(rows(), columns(['text']))).rejects.toBe(fault)
    await expect(
      parquet.encode(oneChunk({ form: 'json', bytes: Buffer.from('["a"'), rows: 1 }), columns(['text'])),
    ).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
    })
    expect(readdirSync(parquet.tempDir)).toEqual([])
    expect(children()).toEqual([])
  })

  it('in the middle, when the reader has enough, ends the process and the rows', async () => {
    let isEnded = false
    async function* rows(): AsyncIterable<RowChunk> {
      try {
        yield* endless()
      } finally {
        isEnded = true
      }
    }
    for await (const chunk of parquet.format.encode(rows(), columns(['text']), PARQUET_OUTPUT, new RowTally('things')))
      if (chunk.length > 0) break
    expect(isEnded).toBe(true)
    expect(children()).toEqual([])
    expect(readdirSync(parquet.tempDir)).toEqual([])
  })

  it('with the process fails the run, and never ends as a file', async () => {
    const reading = parquet.encode(endless(), columns(['text']))
    const killing = (async () => {
      const isEngine = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine-process')
      while (!children().some(isEngine)) await new Promise((resolve) => setTimeout(resolve, 20))
      await new Promise((resolve) => setTimeout(resolve, 300))
      for (const pid of children().filter(isEngine)) process.kill(pid, 'SIGKILL')
    })()
    await expect(reading).rejects.toMatchObject({ code: 'WORKER_DIED' })
    await killing
  })

  it('without the package it says what to install', () => {
    const folder = mkdtempSync(join(tmpdir(), 'freight-without-'))
    try {
      for (const room of ['duckdb', 'formats', 'job']) cpSync(join('src', room), join(folder, room), { recursive: true })
      const script = `import { createParquetFormat } from './formats/parquet.ts'
        import { RowTally } from './job/tally.ts'
        const shape = [{ kind: 'cell', name: 'a', type: 'text', key: false, hidden: false }]
        const format = createParquetFormat({ tempDir: ${JSON.stringify(parquet.tempDir)} })
        try { for await (const bytes of format.encode([], shape, { nullText: '' }, new RowTally('a'))) console.log(bytes.length) }
        catch (error) { console.log(error.code, error.message) }`
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      writeFileSync(join(folder, 'script.ts'), script)
      const said = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'script.ts'], {
        cwd: folder,
      }).toString()
      expect(said).toMatch(/^CONFIG_INVALID .*npm install @duckdb\/node-api/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** Processes that this one has started and that are still there. */
function children(): number[] {
  const tasks = readdirSync(`/proc/${process.pid}/task`)
  const lists = tasks.map((task) => readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8'))
  return lists.flatMap((list) => list.split(' ').flatMap((pid) => (pid.trim() === '' ? [] : [Number(pid)])))
}
