import { describe, expect, it } from 'vitest'
import { encode } from '../../test/contracts/encode.ts'
import { describeFormat } from '../../test/contracts/format.ts'
import { type Cell, chunkOf, chunks, column, columns } from '../../test/contracts/row-text.ts'
import { readWorkbook, unzip, type WorkbookCell } from '../../test/xlsx-reader.ts'
import { NATIVE, one, sheetOf } from '../../test/xlsx-sheet.ts'
import type { RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import { createXlsxFormat, xlsxFormat } from './xlsx.ts'

describeFormat('xlsx', {
  format: xlsxFormat,
  async read(file) {
    const [sheet, ...more] = (await readWorkbook(file)).sheets
    if (!sheet || more.length > 0) throw new Error('one sheet was expected')
    const [header = [], ...rows] = sheet.rows
    const texts = (row: (WorkbookCell | null)[]): (string | null)[] => header.map((_, at) => row[at]?.text ?? null)
    return { names: header.map((cell) => cell?.text ?? ''), rows: rows.map(texts) }
  },
  bytes: (bytes) => `\\x${bytes.toString('hex')}`,
  cellUnits: 32_767,
  isContainer: true,
})

describe('text in a sheet', () => {
  it('comes back whatever looks like an escape, in a cell, a relation and a header', async () => {
    const texts = [
      '_x0041_',
      '_x0041',
      '_x0041\x01',
      '_\x01',
      '_x00\x01',
      '_x004\ufffe',
      '__x0041__x0042_x0043_',
      '_X0041_',
      '_x005F_',
    ]
    texts.push(
      '_xZZZZ_',
      '\x00\x1f\r',
      '\ufffe\uffff\uffef',
      '_',
      'a_b',
      '\u{1fffe}',
      '\x7f\x85',
      ' a',
      'a ',
      '\n',
      'a\nb',
      '\t',
      '  ',
      ']]>',
    )
    const shape: Shape = [...texts.map((text) => column(text)), { kind: 'many', name: 'items', cells: [column('a')] }]
    const sheet = await sheetOf([[...texts, { many: texts.map((text) => [text]) }]], shape)
    expect(sheet.rows[0]?.map((cell) => cell?.text)).toEqual([...texts, 'items'])
    expect(sheet.rows[1]?.slice(0, -1).map((cell) => cell?.text)).toEqual(texts)
    expect(JSON.parse(sheet.rows[1]?.at(-1)?.text ?? '')).toEqual(texts.map((a) => ({ a })))
  })

  it('reads escapes of row text that nobody has to write', async () => {
    const text = '_\\u00780041_ \\u005fx0041_ \\ufffe\\uffff\\u003ca\\u0026\\u000a\\/'
    const file = await encode(xlsxFormat, one({ form: 'json', bytes: Buffer.from(`["${text}"]\n`), rows: 1 }), columns(['text']))
    expect((await readWorkbook(file)).sheets[0]?.rows[1]?.[0]?.text).toBe('_x0041_ _x0041_ \ufffe\uffff<a&\n/')
  })

  it.each([
    ['fits to the unit', 'x'.repeat(32_767), 32_767],
    ['is cut behind the last unit', 'x'.repeat(32_768), 32_767],
    ['fits with characters of three bytes', '\u20ac'.repeat(32_767), 32_767],
    ['is cut among characters of three bytes', '\u20ac'.repeat(40_000), 32_767],
    ['fits with pairs', `${'😀'.repeat(16_383)}x`, 32_767],
    ['is cut before a pair that would be split', '😀'.repeat(16_384), 32_766],
    ['fits though its escapes are longer', '"\n_x0041_\x01<'.repeat(2_700), 29_700],
    ['is cut though its escapes are longer', '\\"\x02&'.repeat(10_000), 32_767],
    ['is cut at once when it is far too long', '\ufffe<'.repeat(200_000), 32_767],
  ])('a text %s', async (_, text, units) => {
    const tally = new RowTally('things')
    const shape = [column('id', 'integer', { key: true }), column('a'), column('b')]
    const sheet = await sheetOf([[{ number: '7' }, text, 'behind']], shape, NATIVE, tally)
    expect(sheet.rows[1]?.[1]?.text === text.slice(0, units)).toBe(true)
    expect(sheet.rows[1]?.[2]?.text).toBe('behind')
    const isCut = units < text.length
    expect(tally.changes).toEqual(isCut ? [{ resource: 'things', column: 'a', cause: 'text_cut', cells: 1 }] : [])
    expect(tally.log.map(({ row, key, column: name }) => [row, key, name])).toEqual(isCut ? [[1, '7', 'a']] : [])
    expect(tally.results.warnings).toBe(isCut ? 1 : 0)
  })

  it('cuts relations, bytes and long numbers too, and counts a cell that both was replaced and cut under both', async () => {
    const tally = new RowTally('things')
    const shape: Shape = [
      { kind: 'many', name: 'items', cells: [column('a')] },
      column('b', 'bytes'),
      column('c', 'decimal'),
      column('d'),
    ]
    const row: Cell[] = [
      { many: Array.from({ length: 5000 }, () => ['äöü"']) },
      { bytes: Buffer.alloc(20_000) },
      { number: '9'.repeat(40_000) },
      { raw: Buffer.concat([Buffer.from([0xff]), Buffer.alloc(40_000, 'x')]) },
    ]
    const sheet = await sheetOf([row, ['[]', null, null, 'fine']], shape, NATIVE, tally)
    expect(sheet.rows[1]?.map((cell) => cell?.text.length)).toEqual([32_767, 32_767, 32_767, 32_767])
    expect(sheet.rows[2]?.[3]?.text).toBe('fine')
    expect(tally.changes.map((change) => `${change.column} ${change.cause}`).toSorted()).toEqual([
      'b text_cut',
      'c number_as_text',
      'c text_cut',
      'd invalid_utf8',
      'd text_cut',
      'items text_cut',
    ])
    expect(tally.results).toEqual({ successful: 1, warnings: 1, errors: 0 })
  })
})

describe('a workbook', () => {
  it('has a bold, frozen header with a filter, and widths that fit', async () => {
    const shape = [
      column('id', 'integer'),
      column('a long name indeed'),
      column('note'),
      column('at', 'timestamp'),
      column('flag', 'boolean'),
    ]
    const row: Cell[] = [{ number: '1' }, 'x', 'y'.repeat(30), '2024-02-29 12:34:56', 't']
    const sheet = await sheetOf([row, row, [null, null, 'z'.repeat(500), null, null]], shape)
    expect(sheet.rows[0]?.every((cell) => cell?.bold)).toBe(true)
    expect(sheet.rows[1]?.some((cell) => cell?.bold)).toBe(false)
    expect([sheet.frozenRows, sheet.filter]).toEqual([1, 'A1:E4'])
    const [id = 0, name = 0, note = 0, at = 0, flag = 0] = sheet.widths
    expect(id).toBe(11)
    expect(name).toBeGreaterThanOrEqual(20)
    expect([note, at, flag]).toEqual([60, 24, 8])
  })

  it('has room for all digits of its numbers, which are shown as ##### otherwise, and none for markup', async () => {
    const shape = [
      column('wide', 'integer'),
      column('price', 'decimal'),
      column('spaced'),
      column('cyrillic'),
      column('han'),
      column('marked'),
      column('at', 'timestamp'),
    ]
    const row: Cell[] = [
      { number: '-123456789012345' },
      { number: '-9999999999.99' },
      ' twelve chars ',
      'Тринадцать букв',
      '東京都千代田区',
      'a'.repeat(20),
      null,
    ]
    const times: Output = { ...NATIVE, times: 'database' }
    const sheet = await sheetOf([row, [...row.slice(0, 6), '2024-02-29 12:34:56.123456+00']], shape, times)
    expect(sheet.widths).toEqual([17, 15, 15, 16, 15, 21, 30])
  })

  it.each([
    ['orders', 'orders', 'orders (2)'],
    ['a/b:c?[d]*\\e', 'a_b_c__d___e', 'a_b_c__d___e (2)'],
    ["'quoted' & <b>", "_quoted' & <b>", "_quoted' & <b> (2)"],
    ['History', 'History_', 'History_ (2)'],
    ['', 'Sheet', 'Sheet (2)'],
    ['x'.repeat(40), 'x'.repeat(31), `${'x'.repeat(27)} (2)`],
    [`${'x'.repeat(30)}😀`, 'x'.repeat(30), `${'x'.repeat(27)} (2)`],
  ])('names the sheets of %j', async (resource, first, second) => {
    const file = await encode(
      createXlsxFormat(3),
      chunks('json', [['a'], ['b'], ['c']]),
      columns(['text']),
      NATIVE,
      new RowTally(resource),
    )
    expect((await readWorkbook(file)).sheets.map((sheet) => sheet.name)).toEqual([first, second])
  })

  it.each([
    [0, [0]],
    [1, [1]],
    [4, [4]],
    [5, [4, 1]],
    [8, [4, 4]],
    [23, [4, 4, 4, 4, 4, 3]],
  ])('begins a new sheet where one is full: %d rows in sheets of %j', async (count, lengths) => {
    const rows = Array.from({ length: count }, (_, index): Cell[] => [{ number: String(index) }, `row\n${index}`])
    const shape = [column('id', 'integer', { key: true }), column('note')]
    for (const form of ['json', 'copy'] as const) {
      for (const size of [1, 3, 4, 7, 100]) {
        const tally = new RowTally('things')
        const { sheets } = await readWorkbook(await encode(createXlsxFormat(5), chunks(form, rows, size), shape, NATIVE, tally))
        expect(sheets.map((sheet) => sheet.rows.length - 1)).toEqual(lengths)
        expect(sheets.flatMap((sheet) => sheet.rows.slice(1).map((row) => row.map((cell) => cell?.text)))).toEqual(
          rows.map((_, index) => [String(index), `row\n${index}`]),
        )
        for (const sheet of sheets) expect(sheet.rows[0]?.map((cell) => cell?.text)).toEqual(['id', 'note'])
        expect(tally.rows).toBe(count)
      }
    }
  })

  it('fills a sheet to its 1,048,576th row, and no further', async () => {
    const bytes = Buffer.from('[7]\n'.repeat(1_048_576))
    const parts = await unzip(await encode(xlsxFormat, one({ form: 'json', bytes, rows: 1_048_576 }), columns(['integer'])))
    const sheets = ['xl/worksheets/sheet1.xml', 'xl/worksheets/sheet2.xml'].map((name) => parts.get(name) ?? Buffer.alloc(0))
    const last = sheets.map((sheet) => sheet.subarray(sheet.lastIndexOf('<row ')).toString())
    expect(last[0]).toMatch(
      /^<row r="1048576"><c r="A1048576"><v>7<\/v><\/c><\/row>\n<\/sheetData><autoFilter ref="A1:A1048576"\/>/,
    )
    expect(last[1]).toMatch(/^<row r="2"><c r="A2"><v>7<\/v><\/c><\/row>\n<\/sheetData><autoFilter ref="A1:A2"\/>/)
  })

  it('names a broken row by its number over all sheets', async () => {
    async function* rows(): AsyncIterable<RowChunk> {
      yield chunkOf('json', [['a'], ['b'], ['c']])
      yield { form: 'json', bytes: Buffer.from('["a"]\n["a"\n'), rows: 2 }
    }
    await expect(encode(createXlsxFormat(3), rows(), columns(['text']))).rejects.toThrow(/Row 5 of "things"/)
  })

  it('takes 16,384 columns and refuses one more', async () => {
    const wide = Array.from({ length: 16_384 }, (_, index) => column(`c${index}`))
    const sheet = await sheetOf([wide.map((_, index) => `v${index}`)], wide)
    expect(sheet.rows[1]?.at(-1)?.text).toBe('v16383')
    await expect(sheetOf([], [...wide, column('more')])).rejects.toMatchObject({ code: 'TOO_MANY_COLUMNS' })
    expect((await sheetOf([], [...wide, column('hidden', 'text', { hidden: true })])).rows[0]).toHaveLength(16_384)
  })

  it('is the same file from the same rows', async () => {
    const rows = Array.from({ length: 5000 }, (_, index): Cell[] => [`row ${index} ${index * 7919}`])
    const [first, second] = [
      await encode(xlsxFormat, chunks('json', rows, 7), columns(['text'])),
      await encode(xlsxFormat, chunks('json', rows), columns(['text'])),
    ]
    expect(first.equals(second)).toBe(true)
  })

  it('lets go of the rows when nobody reads on', async () => {
    let isClosed = false
    async function* rows(): AsyncIterable<RowChunk> {
      try {
        for (let chunk = 0; chunk < 1000; chunk++)
          yield chunkOf(
            'json',
            Array.from({ length: 100 }, (_, row) => [`${chunk} ${Math.sin(row + chunk)}`]),
          )
      } finally {
        isClosed = true
      }
    }
    let bytes = 0
    for await (const piece of xlsxFormat.encode(rows(), columns(['text']), NATIVE, new RowTally('things'))) {
      bytes += piece.length
      if (bytes > 50_000) break
    }
    expect(isClosed).toBe(true)
  })
})
