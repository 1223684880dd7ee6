/** Parquet: typed columns, nothing bent, nothing left behind. Judged by DuckDB and by hyparquet. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cell, chunkOf, chunks, collect, column, columns, MACHINE, oneChunk } from '../../test/contracts/row-text.ts'
import { readByDuckDb, readByHyparquet, readFooter } from '../../test/parquet-readers.ts'
import { randomNumbers } from '../../test/random.ts'
import type { CellType, RowChunk, RowForm, Shape, ShapeCell } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import type { Format } from './format.ts'
import { createParquetFormat } from './parquet.ts'
import { parquetColumns } from './parquet-columns.ts'
import { ParquetRow } from './parquet-row.ts'
import { encodeRows } from './rows.ts'

const OUTPUT: Output = { ...MACHINE, times: 'rfc3339' }

let tempDir: string
let format: Format
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), 'freight-parquet-'))
  format = createParquetFormat({ tempDir })
})
afterAll(() => {
  // Whatever went wrong, every process has taken its folder with it.
  expect(readdirSync(tempDir)).toEqual([])
  rmSync(tempDir, { recursive: true })
})

function encode(rows: AsyncIterable<RowChunk>, shape: Shape, tally = new RowTally('things'), output = OUTPUT): Promise<Buffer> {
  return collect(format.encode(rows, shape, output, tally))
}

function typed(name: string, type: CellType, declaredType: string): ShapeCell {
  return { kind: 'cell', name, type, declaredType, key: false, hidden: false }
}

const FORMS: readonly RowForm[] = ['json', 'copy']

describe('the types of the columns', () => {
  const shape: Shape = [
    typed('integer', 'integer', 'bigint'),
    typed('money', 'decimal', 'numeric(20,4)'),
    typed('digits', 'decimal', 'numeric'),
    typed('float', 'float', 'double precision'),
    typed('flag', 'boolean', ''),
    typed('day', 'date', ''),
    typed('clock', 'time', ''),
    typed('moment', 'timestamp', 'timestamp with time zone'),
    typed('local', 'timestamp', 'timestamp without time zone'),
    typed('uuid', 'uuid', ''),
    typed('document', 'json', ''),
    typed('bytes', 'bytes', ''),
    typed('text', 'text', ''),
    typed('any', 'any', ''),
    typed('numbers', 'text', 'bigint[]'),
    typed('prices', 'text', 'numeric(10,2)[]'),
    typed('words', 'text', 'text[]'),
  ]
  const rows: Cell[][] = [
    [
      { number: '9223372036854775807' },
      { number: '-1234567890123456.5000' },
      { number: '0.10000000000000000000000000000000000000001' },
      { number: '0.1' },
      't',
      '2024-02-29',
      '23:59:59.999999',
      '2024-02-29 12:34:56.123456+00',
      '2024-02-29 12:34:56.123456',
      '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12',
      '{"a": 1.10, "a": "é"}',
      { bytes: Buffer.from([0, 255, 10]) },
      'a,"b"\nc',
      'text',
      '{1,NULL,-9223372036854775808}',
      '{1.10,2}',
      '{"a,\\"b","\\\\",NULL,"NULL",""}',
    ],
    rowOf(null),
    [
      { number: '-9223372036854775808' },
      { number: '7' },
      { number: '12' },
      { number: 'Infinity' },
      'f',
      '0001-01-01',
      '00:00',
      '9999-12-31 23:59:59+05:30',
      '1970-01-01 00:00:00',
      'FFFFFFFF-5d3c-7e2f-9a41-3c5b8e6f7d12',
      '[]',
      { bytes: Buffer.alloc(0) },
      '',
      '',
      '{}',
      '{}',
      '{}',
    ],
  ]

  function rowOf(cell: null): Cell[] {
    return shape.map(() => cell)
  }

  it.each(FORMS)('come from the source, and each value is the same to two readers (%s)', async (form) => {
    const file = await encode(chunks(form, rows), shape)
    const byDuckDb = await readByDuckDb(file)
    expect(byDuckDb.types).toEqual([
      'BIGINT',
      'DECIMAL(20,4)',
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
      'BIGINT[]',
      'DECIMAL(10,2)[]',
      'VARCHAR[]',
    ])
    expect(byDuckDb.rows[0]).toEqual([
      '9223372036854775807',
      '-1234567890123456.5000',
      '0.10000000000000000000000000000000000000001',
      '0.1',
      'true',
      '2024-02-29',
      '23:59:59.999999',
      '2024-02-29 12:34:56.123456+00',
      '2024-02-29 12:34:56.123456',
      '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12',
      '{"a": 1.10, "a": "é"}',
      '\\x00\\xFF\\x0A',
      'a,"b"\nc',
      'text',
      '[1, NULL, -9223372036854775808]',
      '[1.10, 2.00]',
      expect.any(String),
    ])
    expect(byDuckDb.rows[1]).toEqual(rowOf(null))
    expect(byDuckDb.rows[2]?.slice(0, 9)).toEqual([
      '-9223372036854775808',
      '7.0000',
      '12',
      'inf',
      'false',
      '0001-01-01',
      '00:00:00',
      '9999-12-31 18:29:59+00',
      '1970-01-01 00:00:00',
    ])
    const [first, second, third] = await readByHyparquet(file)
    expect(first).toMatchObject({
      integer: 9223372036854775807n,
      float: 0.1,
      flag: true,
      moment: 1709210096123456n,
      local: 1709210096123456n,
      text: 'a,"b"\nc',
      words: ['a,"b', '\\', null, 'NULL', ''],
      numbers: [1n, null, -9223372036854775808n],
    })
    expect(Object.values(second ?? {}).every((cell) => cell === null || cell === undefined)).toBe(true)
    expect(third).toMatchObject({ text: '', any: '', numbers: [], words: [], float: Number.POSITIVE_INFINITY })
  })

  it('stand in the footer with their logical types, packed with zstd', async () => {
    const { schema, codecs } = readFooter(await encode(chunks('json', rows), shape))
    expect(codecs).toEqual(['ZSTD'])
    const logical = new Map(schema.map((element) => [element.name, element.logical]))
    expect(logical.get('document')).toBe('JSON')
    expect(logical.get('money')).toBe('DECIMAL')
    expect(logical.get('uuid')).toBe('UUID')
    expect(logical.get('moment')).toMatch(/^TIMESTAMP/)
    expect(logical.get('numbers')).toBe('LIST')
    expect(schema.find(({ name }) => name === 'bytes')).toEqual({ name: 'bytes', type: 'BYTE_ARRAY' })
  })
})

describe('a value that is not of its column', () => {
  const shape = (type: CellType, declaredType: string): Shape => [
    column('id', 'integer', { key: true }),
    typed('cell', type, declaredType),
  ]
  it.each<[string, CellType, string, Cell]>([
    ['text in an integer column', 'integer', '', 'twelve'],
    ['a fraction in an integer column', 'integer', '', { number: '1.5' }],
    ['65 bits', 'integer', '', { number: '9223372036854775808' }],
    ['bytes in an integer column', 'integer', '', { bytes: Buffer.from('a') }],
    ['a third digit in two', 'decimal', 'numeric(12,2)', { number: '0.125' }],
    ['too many digits before the point', 'decimal', 'numeric(4,2)', { number: '100' }],
    ['a small exponent', 'decimal', 'numeric(12,2)', { number: '1e-3' }],
    ['NaN in a decimal', 'decimal', 'numeric(12,2)', 'NaN'],
    ['infinity in a decimal', 'decimal', 'numeric(12,2)', { number: 'Infinity' }],
    ['more digits than a double has', 'float', '', { number: '0.12345678901234567890' }],
    ['a whole number that is no double', 'float', '', { number: '9007199254740993' }],
    ['a number beyond any double', 'float', '', { number: '1e400' }],
    ['a number too small for any double', 'float', '', { number: '1e-400' }],
    ['yes in a boolean column', 'boolean', '', 'yes'],
    ['2 in a boolean column', 'boolean', '', { number: '2' }],
    ['a day that no calendar has', 'date', '', '2023-02-29'],
    ['a date with a time', 'date', '', '2023-02-28 12:00:00'],
    ['infinity as a date', 'date', '', 'infinity'],
    ['24:00', 'time', '', '24:00:00'],
    ['seven digits of a second', 'time', '', '12:00:00.1234567'],
    ['an epoch number', 'timestamp', '', { number: '1700000000' }],
    ['infinity as a time', 'timestamp', '', 'infinity'],
    ['nanoseconds', 'timestamp', '', '2024-01-01 00:00:00.123456789'],
    ['a UUID without dashes', 'uuid', '', '0190a7b05d3c7e2f9a413c5b8e6f7d12'],
    ['text in a column of bytes', 'bytes', '', 'text'],
    ['an element that is no integer', 'text', 'integer[]', '{1,a}'],
    ['a list of lists', 'text', 'integer[]', '{{1},{2}}'],
  ])('fails the run and is named by row, key and column: %s', async (_what, type, declaredType, cell) => {
    const rows = [
      [{ number: '7' }, null],
      [{ number: '8' }, cell],
    ]
    // Before DuckDB: no process is needed to see it.
    const cells = shape(type, declaredType)
    const writer = new ParquetRow(cells, parquetColumns(cells), OUTPUT, { cellBytes: 1e6, rowBytes: 1e7 })
    await expect(collect(encodeRows(chunks('json', rows, 1), cells, new RowTally('things'), writer))).rejects.toMatchObject({
      code: 'CELL_UNFIT',
      message: expect.stringMatching(/^Row 2 \(key 8\) of "things", column "cell": /),
    })
  })

  const SAME: readonly (readonly [string, CellType, string, Cell, string])[] = [
    ['zeros behind the scale', 'decimal', 'DECIMAL(12, 2)', { number: '1.5000' }, '1.50'],
    ['an exponent', 'decimal', 'decimal(12,2)', { number: '1.5e+3' }, '1500.00'],
    ['a small exponent that fits', 'decimal', 'decimal(12,10)', { number: '1.0e-07' }, '0.0000001000'],
    [
      'a decimal kept as text',
      'decimal',
      'decimal(38,2)',
      '123456789012345678901234567890.12',
      '123456789012345678901234567890.12',
    ],
    ['a date as a moment', 'timestamp', '', '2024-02-29', '2024-02-29 00:00:00+00'],
    ['a moment without seconds', 'timestamp', '', '2024-02-29T12:30', '2024-02-29 12:30:00+00'],
    ['zeros behind the microseconds', 'timestamp', '', '2024-02-29T12:30:00.123456000Z', '2024-02-29 12:30:00.123456+00'],
    ['17 digits of a double', 'float', '', { number: '0.30000000000000004' }, '0.30000000000000004'],
    ['the smallest double', 'float', '', { number: '5e-324' }, '5e-324'],
    ['a large whole double', 'float', '', { number: '9007199254740992' }, '9007199254740992.0'],
    ['a number in a text column', 'text', '', { number: '12.50' }, '12.50'],
    ['infinity in a text column', 'any', '', { number: '-Infinity' }, '-Infinity'],
    ['bytes in a text column, as in CSV', 'text', '', { bytes: Buffer.from([1, 171]) }, '\\x01ab'],
    ['a decimal too wide for Parquet', 'decimal', 'numeric(50,10)', { number: `${'9'.repeat(40)}.5` }, `${'9'.repeat(40)}.5`],
    ['a time with a zone', 'time', 'time with time zone', '12:00:00+02', '12:00:00+02'],
    ['a list as JSON', 'json', 'INTEGER[]', '[1,null,3]', '[1, NULL, 3]'],
    ['a number as a document', 'json', '', { number: '12.50' }, '12.50'],
  ]

  it('is written where it is the same value', async () => {
    const cells = SAME.map(([what, type, declaredType]) => typed(what, type, declaredType))
    const file = await readByDuckDb(await encode(chunks('json', [SAME.map(([, , , cell]) => cell)]), cells))
    expect(file.names.map((name, index) => [name, file.rows[0]?.[index]])).toEqual(SAME.map(([what, , , , text]) => [what, text]))
  })

  it('is written as a JSON string, and counted, where a document is none', async () => {
    const tally = new RowTally('things')
    const rows = [
      [{ number: '1' }, '{"a":'],
      [{ number: '2' }, { bytes: Buffer.from('ab') }],
    ]
    const file = await encode(chunks('json', rows), shape('json', ''), tally)
    expect((await readByDuckDb(file)).rows.map(([, text]) => text)).toEqual(['"{\\"a\\":"', '"YWI="'])
    expect(tally.changes).toEqual([{ resource: 'things', column: 'cell', cause: 'json_invalid', cells: 2 }])
  })
})

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
    const file = await encode(chunks('json', rows), shape)
    expect((await readByDuckDb(file)).rows).toEqual(wanted)
    const others = await readByHyparquet(file)
    expect(others.map(({ a, b }) => [a ?? null, b ?? null])).toEqual(wanted.map(([, a, b]) => [a, b]))
    expect((await encode(chunks('copy', rows, 333), shape)).equals(file)).toBe(true)
  })

  it('is cut into row groups by rows and by bytes', async () => {
    async function* rows(): AsyncIterable<RowChunk> {
      for (let n = 0; n < 250; n++)
        yield chunkOf(
          'json',
          Array.from({ length: 1000 }, (_, k): Cell[] => [{ number: String(n * 1000 + k) }]),
        )
    }
    const grouped = await encode(rows(), columns(['integer']))
    const { rows: count, groups } = readFooter(grouped)
    expect(count).toBe(250_000)
    expect(groups.length).toBeGreaterThan(1)
    const heavy = Array.from({ length: 80 }, (_, n): Cell[] => [
      { number: String(n) },
      String.fromCharCode(65 + (n % 26)).repeat(1_000_000),
    ])
    const file = await encode(chunks('json', heavy, 1), columns(['integer', 'text']))
    expect(readFooter(file).groups.length).toBeGreaterThan(1)
    expect((await readByDuckDb(file)).rows.map(([id]) => id)).toEqual(heavy.map((_, n) => String(n)))
  })

  it('is whole, with its columns, for no rows, and tells NULL from empty text in a single column', async () => {
    const none = await encode(chunks('json', []), columns(['integer', 'text']))
    expect(await readByDuckDb(none)).toEqual({ names: ['c0', 'c1'], types: ['BIGINT', 'VARCHAR'], rows: [] })
    expect(await readByHyparquet(none)).toEqual([])
    const only = await encode(chunks('json', [[null], [''], ['NULL'], ['x']]), columns(['text']))
    expect((await readByDuckDb(only)).rows).toEqual([[null], [''], ['NULL'], ['x']])
  })

  it('takes hostile names and 1,600 columns, and refuses none and names that differ in case', async () => {
    const names = ['__proto__', 'constructor', ' ', 'a"b', "a'b", 'a\nb', 'a,b', 'select', 'é'.repeat(31), 'c0']
    const named = await readByDuckDb(
      await encode(
        chunks('json', [names]),
        names.map((name) => column(name)),
      ),
    )
    expect(named).toMatchObject({ names, rows: [names] })
    const wide = Array.from({ length: 1600 }, (_, index) => `v${index}`)
    expect((await readByDuckDb(await encode(chunks('copy', [wide]), columns(wide.map(() => 'text'))))).rows).toEqual([wide])
    await expect(encode(chunks('json', [[]]), [])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(encode(chunks('json', []), [column('a'), column('A')])).rejects.toThrow(/"a" and "A"/)
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
    const file = await readByDuckDb(await encode(chunks('json', rows), shape, tally))
    expect(file).toMatchObject({ names: ['items', 'text'], types: ['JSON', 'VARCHAR'] })
    expect(file.rows).toEqual([
      ['[{"sku":"a\\"b","price":1.10},{"sku":null,"price":null}]', 'a\ufffd'],
      ['[]', 'x'],
    ])
    expect(tally.results).toEqual({ successful: 1, warnings: 1, errors: 0 })
    expect(tally.log[0]).toMatchObject({ row: 1, key: '5', column: 'text' })
  })

  it('replaces half a surrogate pair in an element of a list, and counts it', async () => {
    const tally = new RowTally('things')
    // A list as SQLite and DuckDB keep it, one whose row text has the half itself, one that is whole, and PostgreSQL's.
    const lists = ['["\\ud800", "a\\udc00b", null]', '["x\ud800"]', '["\\ud83d\\ude00"]', '{"a\ud800",b}']
    const rows = lists.map((text): Cell[] => [text, 'x'])
    const file = await encode(chunks('json', rows), [typed('words', 'text', 'text[]'), column('text')], tally)
    const expected = [['\ufffd', 'a\ufffdb', null], ['x\ufffd'], ['😀'], ['a\ufffd', 'b']]
    expect((await readByHyparquet(file)).map(({ words }) => words)).toEqual(expected)
    expect(tally.changes).toEqual([{ resource: 'things', column: 'words', cause: 'invalid_utf8', cells: 3 }])
    expect(tally.results).toEqual({ successful: 1, warnings: 3, errors: 0 })
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
    const file = await encode(
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
    const file = await encode(chunks('json', large(2_000_000)), shape)
    expect((await readByDuckDb(file)).rows[1]?.[1]?.length).toBe(2_000_000)
    const named = {
      code: 'CELL_TOO_LARGE',
      message: expect.stringMatching(/^Row 2 \(key 2\) of "things", column "a": .*max_cell_mb/),
    }
    await expect(encode(chunks('json', large(2_000_001)), shape)).rejects.toMatchObject(named)
    const bytes: Cell[][] = [[{ number: '1' }, null, { bytes: Buffer.alloc(2_000_001) }]]
    await expect(encode(chunks('json', bytes), shape)).rejects.toMatchObject({
      code: 'CELL_TOO_LARGE',
      message: expect.stringContaining('"b"'),
    })
  })

  it('are written where the option raises the bound', async () => {
    const file = await encode(chunks('json', large(10_000_000)), shape, new RowTally('things'), { ...OUTPUT, maxCellMb: 10 })
    expect((await readByDuckDb(file)).rows[1]?.[1]?.length).toBe(10_000_000)
  })

  it('too many in one row fail by the name of the row', async () => {
    const cells = Array.from({ length: 10 }, (): Cell => 'x'.repeat(1_900_000))
    await expect(encode(chunks('json', [cells]), columns(cells.map(() => 'text')))).rejects.toMatchObject({
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
    await expect(encode(rows(), columns(['text']))).rejects.toBe(fault)
    await expect(
      encode(oneChunk({ form: 'json', bytes: Buffer.from('["a"'), rows: 1 }), columns(['text'])),
    ).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
    })
    expect(readdirSync(tempDir)).toEqual([])
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
    for await (const chunk of format.encode(rows(), columns(['text']), OUTPUT, new RowTally('things')))
      if (chunk.length > 0) break
    expect(isEnded).toBe(true)
    expect(children()).toEqual([])
    expect(readdirSync(tempDir)).toEqual([])
  })

  it('with the process fails the run, and never ends as a file', async () => {
    const reading = encode(endless(), columns(['text']))
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
        const format = createParquetFormat({ tempDir: ${JSON.stringify(tempDir)} })
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
