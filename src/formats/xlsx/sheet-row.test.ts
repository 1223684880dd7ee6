import { describe, expect, it } from 'vitest'
import { encode } from '../../../test/contracts/encode.ts'
import { type Cell, column, columns, MACHINE } from '../../../test/contracts/row-text.ts'
import { readWorkbook } from '../../../test/xlsx-reader.ts'
import { NATIVE, one, sheetOf } from '../../../test/xlsx-sheet.ts'
import type { CellType, RowChunk, Shape } from '../../job/row-text.ts'
import { RowTally } from '../../job/tally.ts'
import { xlsxFormat } from '../xlsx.ts'

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
    ['9999-12-31 23:59:59', `2958465.999988425926 ${TIME}`],
    ['9999-12-31 23:59:59.999', `2958465.999999988426 ${TIME}.000`],
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
    // To the millisecond that is the year 10000, which Excel shows as #####.
    ['timestamp', '9999-12-31 23:59:59.999999'],
    ['timestamp', '9999-12-31 23:59:59.9995'],
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
