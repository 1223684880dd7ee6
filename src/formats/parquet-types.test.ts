/** Parquet's typed columns: nothing bent. Judged by DuckDB and by hyparquet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cell, chunks, collect, column } from '../../test/contracts/row-text.ts'
import { readByDuckDb, readByHyparquet, readFooter } from '../../test/parquet-readers.ts'
import { openParquetWriter, PARQUET_OUTPUT, type ParquetWriter, typed } from '../../test/parquet-writer.ts'
import type { CellType, RowForm, Shape } from '../job/row-text.ts'
import { RowTally } from '../job/tally.ts'
import { parquetColumns } from './parquet-columns.ts'
import { ParquetRow } from './parquet-row.ts'
import { encodeRows } from './rows.ts'

let parquet: ParquetWriter
beforeAll(() => {
  parquet = openParquetWriter()
})
afterAll(() => parquet.close())

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
    const file = await parquet.encode(chunks(form, rows), shape)
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
    const { schema, codecs } = readFooter(await parquet.encode(chunks('json', rows), shape))
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
    ['an element that no calendar has', 'text', 'date[]', '{2024-02-30}'],
    ['24:00 in an element', 'text', 'timestamp without time zone[]', '["2024-02-28 24:00:00"]'],
    ['a second 60 in an element', 'text', 'timestamp with time zone[]', '["2024-02-28 23:59:60"]'],
    ['an offset that no zone has in an element', 'text', 'timestamp with time zone[]', '["2024-02-28 12:00:00+99"]'],
    ['an element that is no double', 'json', 'double precision[]', '[9007199254740993]'],
    ['an element beyond any double', 'json', 'double precision[]', '[1e999]'],
    ['an element too small for any double', 'json', 'double precision[]', '[1e-400]'],
    ['a sign alone as an element', 'json', 'numeric(10,2)[]', '["-"]'],
    ['a third digit in an element of two', 'text', 'numeric(10,2)[]', '{1.125}'],
    ['a quote in an element', 'text', 'date[]', '{"2024-02-29\\"x"}'],
    ['more digits than a scale below zero leaves', 'decimal', 'numeric(2,-2)', { number: '12345' }],
  ])('fails the run and is named by row, key and column: %s', async (_what, type, declaredType, cell) => {
    const rows = [
      [{ number: '7' }, null],
      [{ number: '8' }, cell],
    ]
    // Before DuckDB: no process is needed to see it.
    const cells = shape(type, declaredType)
    const writer = new ParquetRow(cells, parquetColumns(cells), PARQUET_OUTPUT, { cellBytes: 1e6, rowBytes: 1e7 })
    await expect(collect(encodeRows(chunks('json', rows, 1), cells, new RowTally('things'), writer))).rejects.toMatchObject({
      code: 'CELL_UNFIT',
      message: expect.stringMatching(/^Row 2 \(key 8\) of "things", column "cell": /),
    })
  })

  it('says what a time may be where it is another one', async () => {
    const cells = shape('timestamp', '')
    const writer = new ParquetRow(cells, parquetColumns(cells), PARQUET_OUTPUT, { cellBytes: 1e6, rowBytes: 1e7 })
    const rows = [[{ number: '7' }, '10000-01-01 00:00:00']]
    await expect(collect(encodeRows(chunks('json', rows), cells, new RowTally('things'), writer))).rejects.toThrow(
      'the value is not a time of the years up to 9999, to the microsecond, which is the column',
    )
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
    ['elements with exponents', 'json', 'decimal(10,2)[]', '[1.5e2, "-0.1", null]', '[150.00, -0.10, NULL]'],
    ['doubles in a list', 'text', 'double precision[]', '{NaN,-Infinity,5e-324,0.1}', '[nan, -inf, 5e-324, 0.1]'],
    ['flags in a list', 'json', 'boolean[]', '[true, "f", 1, null]', '[true, false, true, NULL]'],
    ['times of day in a list', 'text', 'time without time zone[]', '{12:30,23:59:59.5}', "['12:30:00', '23:59:59.5']"],
    [
      'moments in a list',
      'text',
      'timestamp with time zone[]',
      '{"2024-02-29 12:30:00.5+05:30",2024-02-29}',
      "['2024-02-29 07:00:00.5+00', '2024-02-29 00:00:00+00']",
    ],
    ['local times in a list', 'text', 'timestamp(3) without time zone[]', '{"2024-02-29 12:30:00"}', "['2024-02-29 12:30:00']"],
    ['a scale below zero', 'decimal', 'numeric(5,-2)', { number: '1234500' }, '1234500'],
    // As DuckDB shows a DECIMAL(5,5).
    ['a scale above the precision', 'decimal', 'numeric(2,5)', { number: '0.00012' }, '.00012'],
    ['a number as a document', 'json', '', { number: '12.50' }, '12.50'],
    ['signs that some readers take for a comment', 'text', '', '# a # b // -- ; %', '# a # b // -- ; %'],
  ]

  it('is written where it is the same value', async () => {
    const cells = SAME.map(([what, type, declaredType]) => typed(what, type, declaredType))
    const file = await readByDuckDb(await parquet.encode(chunks('json', [SAME.map(([, , , cell]) => cell)]), cells))
    expect(file.names.map((name, index) => [name, file.rows[0]?.[index]])).toEqual(SAME.map(([what, , , , text]) => [what, text]))
  })

  it('is written as a JSON string, and counted, where a document is none', async () => {
    const tally = new RowTally('things')
    const rows = [
      [{ number: '1' }, '{"a":'],
      [{ number: '2' }, { bytes: Buffer.from('ab') }],
    ]
    const file = await parquet.encode(chunks('json', rows), shape('json', ''), tally)
    expect((await readByDuckDb(file)).rows.map(([, text]) => text)).toEqual(['"{\\"a\\":"', '"YWI="'])
    expect(tally.changes).toEqual([{ resource: 'things', column: 'cell', cause: 'json_invalid', cells: 2 }])
  })

  it('replaces half a surrogate pair in an element of a list, and counts it', async () => {
    const tally = new RowTally('things')
    // A list as SQLite and DuckDB keep it, one whose row text has the half itself, one that is whole, and PostgreSQL's.
    const lists = ['["\\ud800", "a\\udc00b", null]', '["x\ud800"]', '["\\ud83d\\ude00"]', '{"a\ud800",b}']
    const rows = lists.map((text): Cell[] => [text, 'x'])
    const file = await parquet.encode(chunks('json', rows), [typed('words', 'text', 'text[]'), column('text')], tally)
    const expected = [['\ufffd', 'a\ufffdb', null], ['x\ufffd'], ['😀'], ['a\ufffd', 'b']]
    expect((await readByHyparquet(file)).map(({ words }) => words)).toEqual(expected)
    expect(tally.changes).toEqual([{ resource: 'things', column: 'words', cause: 'invalid_utf8', cells: 3 }])
    expect(tally.results).toEqual({ successful: 1, warnings: 3, errors: 0 })
  })
})
