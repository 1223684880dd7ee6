import { describe, expect, it } from 'vitest'
import { describeFormat, encode } from '../../test/contracts/format.ts'
import { type Cell, chunkOf, chunks, column, columns, MACHINE } from '../../test/contracts/row-text.ts'
import { readWorkbook, unzip, type WorkbookCell, type WorkbookSheet } from '../../test/xlsx-reader.ts'
import type { CellType, RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import { createXlsxFormat, xlsxFormat } from './xlsx.ts'

const NATIVE: Output = { ...MACHINE, times: 'native' }

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

async function sheetOf(
  rows: readonly (readonly Cell[])[],
  shape: Shape,
  output: Output = NATIVE,
  tally = new RowTally('things'),
): Promise<WorkbookSheet> {
  const { sheets } = await readWorkbook(await encode(xlsxFormat, chunks('json', rows), shape, output, tally))
  return sheets[0] as WorkbookSheet
}

/** Kind, text and, where it is not General, the number format of the one cell; null where there is none. */
async function cellOf(type: CellType, cell: Cell, output = NATIVE): Promise<{ shown: string | null; causes: string[] }> {
  const tally = new RowTally('things')
  const read = (await sheetOf([['x', cell]], [column('a'), column('b', type)], output, tally)).rows[1]?.[1]
  const format = read && read.format !== 'General' ? ` as ${read.format.replaceAll('\\', '')}` : ''
  return { shown: read ? `${read.kind} ${read.text}${format}` : null, causes: tally.changes.map(({ cause }) => cause) }
}

describe('the cells of a sheet', () => {
  it.each<[CellType, string, string]>([
    ['integer', '0', 'number 0'],
    ['integer', '-12', 'number -12'],
    ['integer', '12345678901', 'number 12345678901'],
    ['integer', '123456789012', 'number 123456789012 as 0'],
    ['integer', '-999999999999999', 'number -999999999999999 as 0'],
    ['decimal', '1.10', 'number 1.10'],
    ['decimal', '123456789.012345', 'number 123456789.012345'],
    ['decimal', '0.000000000000123456789012345', 'number 0.000000000000123456789012345'],
    ['decimal', '1.50000000000000000000', 'number 1.50000000000000000000'],
    ['float', '-0', 'number -0'],
    ['float', '0e400', 'number 0e400'],
    ['float', '1.5E+300', 'number 1.5E+300'],
    ['float', '9.99999999999999e307', 'number 9.99999999999999e307'],
    ['float', '2.2250738585072014e-308', 'text 2.2250738585072014e-308'],
    ['float', '3e-308', 'number 3e-308'],
    ['text', '-5', 'number -5'],
    ['json', '7', 'number 7'],
    ['any', '7.25', 'number 7.25'],
  ])('a number in a column of type %s: %s is %s', async (type, digits, shown) => {
    expect(await cellOf(type, { number: digits })).toEqual({ shown, causes: shown.startsWith('text') ? ['number_as_text'] : [] })
  })

  it.each<[CellType, Cell]>([
    ['integer', { number: '1234567890123456' }],
    ['integer', { number: '1234567890123450' }],
    ['integer', { number: '-9223372036854775808' }],
    ['decimal', { number: '1.000000000000001' }],
    ['decimal', { number: `0.${'0'.repeat(310)}1` }],
    ['float', { number: '5e-324' }],
    ['float', { number: '1e308' }],
    ['float', { number: '1e400' }],
    ['float', { number: 'Infinity' }],
    ['any', { number: '-Infinity' }],
    ['float', 'NaN'],
    ['decimal', 'Infinity'],
  ])('a number of type %s that no sheet holds is its text, and counted: %j', async (type, cell) => {
    const text = typeof cell === 'object' && cell !== null && 'number' in cell ? cell.number : cell
    expect(await cellOf(type, cell)).toEqual({ shown: `text ${text}`, causes: ['number_as_text'] })
  })

  it.each<[CellType, Cell, string | null]>([
    ['boolean', { number: '1' }, 'boolean true'],
    ['boolean', { number: '0' }, 'boolean false'],
    ['boolean', 't', 'boolean true'],
    ['boolean', 'f', 'boolean false'],
    ['boolean', 'true', 'boolean true'],
    ['boolean', '0', 'boolean false'],
    ['boolean', 'yes', 'text yes'],
    ['boolean', { number: '2' }, 'number 2'],
    ['boolean', null, null],
    ['integer', 'twelve', 'text twelve'],
    ['text', '00123', 'text 00123'],
    ['text', '=1+1', 'text =1+1'],
    ['text', '2024-01-02', 'text 2024-01-02'],
    ['text', '', 'text '],
    ['text', null, null],
    ['uuid', '1b4e28ba-2fa1-11d2-883f-0016d3cca427', 'text 1b4e28ba-2fa1-11d2-883f-0016d3cca427'],
    ['time', '24:00:00', 'text 24:00:00'],
    ['bytes', { bytes: Buffer.from([0, 0xab]) }, 'text \\x00ab'],
    ['json', '{"a": 1}', 'text {"a": 1}'],
  ])('of type %s: %j is %s', async (type, cell, shown) => {
    expect(await cellOf(type, cell)).toEqual({ shown, causes: [] })
  })

  it('has a boolean in line as one', async () => {
    const rows: RowChunk = { form: 'json', bytes: Buffer.from('[true,false]\n'), rows: 1 }
    const file = await encode(xlsxFormat, one(rows), columns(['any', 'any']))
    expect((await readWorkbook(file)).sheets[0]?.rows[1]?.map((cell) => `${cell?.kind} ${cell?.text}`)).toEqual([
      'boolean true',
      'boolean false',
    ])
  })
})

async function* one(chunk: RowChunk): AsyncIterable<RowChunk> {
  yield chunk
}

const DATE = 'as yyyy-mm-dd'
const TIME = 'as yyyy-mm-dd hh:mm:ss'

describe('times in a sheet', () => {
  it.each([
    ['1900-03-01', 61],
    ['1970-01-01', 25_569],
    ['2000-02-29', 36_585],
    ['2024-02-29', 45_351],
    ['9999-12-31', 2_958_465],
  ])('the date %s is the serial %d', async (text, serial) => {
    expect(await cellOf('date', text)).toEqual({ shown: `number ${serial} ${DATE}`, causes: [] })
  })

  it.each([
    ['1900-03-01 00:00:00', `61 ${TIME}`],
    ['2024-02-29 12:00:00', `45351.5 ${TIME}`],
    ['2024-02-29T06:00:00Z', `45351.25 ${TIME}`],
    ['2024-02-29 06:00:00+06', `45351 ${TIME}`],
    ['2024-02-29 12:34:56.5', `45351.524265046296 ${TIME}.000`],
    ['2024-02-29 12:34:56.123456', `45351.524260688148 ${TIME}.000`],
    ['2024-02-29 12:34:56.123456789', `45351.524260688148 ${TIME}.000`],
    ['9999-12-31 23:59:59.999999', `2958465.999999999988 ${TIME}.000`],
  ])('the timestamp %s is %s', async (text, shown) => {
    expect((await cellOf('timestamp', text)).shown).toBe(`number ${shown}`)
  })

  it.each<[CellType, Cell]>([
    ['date', '1900-02-28'],
    ['date', '1899-12-31'],
    ['date', '1900-02-29'],
    ['date', '2023-02-29'],
    ['date', '0044-03-15 BC'],
    ['date', 'infinity'],
    ['date', '10000-01-01'],
    ['date', '5874897-12-31'],
    ['date', '2024-02-29 00:00:00'],
    ['date', ''],
    ['timestamp', '1900-02-28 23:59:59.999999'],
    ['timestamp', '-infinity'],
    ['timestamp', '4713-01-01 00:00:00 BC'],
    ['timestamp', '294276-12-31 23:59:59.999999'],
    ['timestamp', '2024-02-29 24:00:00'],
    ['timestamp', '2024-02-29'],
  ])('a %s that has no serial stays text, and is counted: %s', async (type, text) => {
    expect(await cellOf(type, text)).toEqual({ shown: `text ${text}`, causes: ['time_kept'] })
  })

  it('keeps an epoch number, and counts it', async () => {
    expect(await cellOf('timestamp', { number: '1714979289' })).toEqual({ shown: 'number 1714979289', causes: ['time_kept'] })
  })

  it.each([
    ['Europe/Berlin', '2024-07-01 22:30:00', '45475.020833333333'],
    ['Europe/Berlin', '2024-12-31 23:30:00', '45658.020833333333'],
    ['America/St_Johns', '2024-01-01 01:00:00', '45291.895833333333'],
    ['Asia/Tokyo', '1900-02-28 20:00:00', '61.208333333333'],
  ])('reckons timestamps in %s: %s', async (timeZone, text, serial) => {
    expect((await cellOf('timestamp', text, { ...NATIVE, timeZone })).shown).toBe(`number ${serial} ${TIME}`)
    expect((await cellOf('date', '2024-07-01', { ...NATIVE, timeZone })).shown).toBe(`number 45474 ${DATE}`)
  })

  it("has the database's own text where that was asked for, and counts nothing", async () => {
    for (const [type, text] of [
      ['date', '1899-12-31'],
      ['date', '2024-07-01'],
      ['timestamp', '2024-07-01 22:30:00'],
    ] as const)
      expect(await cellOf(type, text, MACHINE)).toEqual({ shown: `text ${text}`, causes: [] })
  })

  it('gives 20,000 instants back to the microsecond', async () => {
    const start = Date.UTC(1900, 2, 1)
    const rows = Array.from({ length: 20_000 }, (_, index): Cell[] => {
      const at = new Date(start + index * 282_817_313)
      return [at.toISOString().replace('Z', String(index % 1000).padStart(3, '0'))]
    })
    const sheet = await sheetOf(rows, columns(['timestamp']))
    for (const [index, [expected]] of rows.entries()) {
      const serial = Number(sheet.rows[index + 1]?.[0]?.text)
      const days = Math.floor(serial)
      const micros = Math.round((serial - days) * 86_400_000_000)
      const at = new Date((days - 25_569) * 86_400_000 + Math.floor(micros / 1000))
      const read = at.toISOString().replace('Z', String(micros % 1000).padStart(3, '0'))
      expect(read).toBe(expected)
    }
  })

  it('writes times inside a relation as RFC 3339', async () => {
    const shape: Shape = [{ kind: 'many', name: 'items', cells: [column('at', 'timestamp')] }]
    const sheet = await sheetOf([[{ many: [['2024-02-29 12:34:56']] }]], shape)
    expect(sheet.rows[1]?.[0]?.text).toBe('[{"at":"2024-02-29T12:34:56Z"}]')
  })
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
    expect(id).toBeLessThan(12)
    expect(name).toBeGreaterThanOrEqual(20)
    expect([note, at, flag]).toEqual([60, 24, 8])
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
