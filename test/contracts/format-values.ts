/** The part of the formats' contract about values: each cell of a file is the database's own text again, or is counted as changed. */
import { expect, it } from 'vitest'
import type { CellType, RowForm } from '../../src/job/row-text.ts'
import { RowTally } from '../../src/job/tally.ts'
import { randomNumbers } from '../random.ts'
import { encode } from './encode.ts'
import type { FormatUnderTest } from './format.ts'
import { type Cell, chunks, column, columns, MACHINE } from './row-text.ts'

/** A value as it may lie in a database, and the type of its column. */
const VALUES: readonly (readonly [string, CellType, Cell])[] = [
  ['S1 a comma', 'text', 'a,b'],
  ['S1 a quote', 'text', 'a"b'],
  ['S1 two quotes', 'text', '""'],
  ['S1 only quotes', 'text', '"""'],
  ['S1 a carriage return', 'text', 'a\rb'],
  ['S1 a line feed', 'text', 'a\nb'],
  ['S1 both', 'text', '\r\n'],
  ['S1 spaces around', 'text', '  a b  '],
  ['S1 only a space', 'text', ' '],
  ['S1 only delimiters', 'text', ',,;;\t\t'],
  ['S1 a backslash', 'text', 'C:\\new\\table'],
  ['S2 NULL', 'text', null],
  ['S2 the empty text', 'text', ''],
  ['S3 the text NULL', 'text', 'NULL'],
  ['S3 the text \\N', 'text', '\\N'],
  ['S3 the text \\.', 'text', '\\.'],
  ['S3 the text null', 'text', 'null'],
  ['S3 the text undefined', 'text', 'undefined'],
  ['S4 a formula', 'text', '=1+1'],
  ['S4 a full-width formula', 'text', '\uff1d1+1'],
  ['S5 a negative number', 'decimal', { number: '-1250.5' }],
  ['S5 a small number', 'float', { number: '-1e-7' }],
  ['S6 zeros in front', 'text', '00123'],
  ['S6 text like a number', 'text', '1E5'],
  ['S6 text like a date', 'text', '1-2'],
  ['S6 twenty digits as text', 'text', '12345678901234567890'],
  ['S7 the smallest 64-bit integer', 'integer', { number: '-9223372036854775808' }],
  ['S7 the largest 64-bit integer', 'integer', { number: '9223372036854775807' }],
  ['S7 beyond 2^53', 'integer', { number: '9007199254740993' }],
  ['S8 a thousand digits', 'decimal', { number: '9'.repeat(1000) }],
  ['S8 zeros behind', 'decimal', { number: '1.10' }],
  ['S8 1e-300', 'float', { number: '1e-300' }],
  ['S9 infinity', 'float', { number: 'Infinity' }],
  ['S9 minus infinity', 'float', { number: '-Infinity' }],
  ['S9 not a number', 'float', 'NaN'],
  ['S9 minus zero', 'float', { number: '-0' }],
  ['S9 the smallest float', 'float', { number: '5e-324' }],
  ['S9 0.1', 'float', { number: '0.1' }],
  ['S9 a large exponent', 'float', { number: '1E+21' }],
  ['S14 NUL', 'text', 'a\0b'],
  ['S17 control bytes', 'text', '\x01\x02\x08\x0b\x0c\x1b\x1f\x7f'],
  ['S17 noncharacters', 'text', '\ufffe\uffff'],
  ['S18 XML', 'text', ']]><a>&amp;_x0041_'],
  ['S19 right to left', 'text', '\u202eabc\u200b e\u0301 \u00e9 👩‍👩‍👧 שלום'],
  ['S20 line separators', 'text', 'a\u2028b\u2029c\u0085d'],
  ['S21 a byte order mark', 'text', '\ufeffabc'],
  ['S29 an array', 'text', '{1,NULL,"a,\\"b"}'],
  ['S29 a range', 'text', '[1,5)'],
  ['S32 text in an integer column', 'integer', 'twelve'],
  ['S32 a number in a text column', 'text', { number: '12.50' }],
  ['S11 infinity as a time', 'timestamp', 'infinity'],
  ['S11 BC', 'timestamp', '4713-01-01 00:00:00 BC'],
  ['S11 a far year', 'timestamp', '294276-12-31 23:59:59.999999'],
  ['S11 microseconds', 'timestamp', '2024-02-29 12:34:56.123456+00'],
  ['S12 a time of 24:00', 'time', '24:00:00'],
  ['S12 an interval', 'text', '-178000000 years -1 mons'],
]

/** Numbers in copy text are told by their column only, so a number in a text column is of the `json` form. */
function formsOf(type: CellType, cell: Cell): RowForm[] {
  const isNumber = typeof cell === 'object' && cell !== null && 'number' in cell
  return isNumber && type === 'text' ? ['json'] : ['json', 'copy']
}

function textOf(cell: Cell): string | null {
  if (typeof cell === 'string' || cell === null) return cell
  return 'number' in cell ? cell.number : ''
}

const PIECES = [
  'a',
  'Z',
  '7',
  ' ',
  '"',
  "'",
  ',',
  ';',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\\',
  '\\N',
  '\\.',
  '=',
  '-',
  '@',
  '\0',
  '\x1f',
  '\x7f',
].concat(['é', 'ß', '\u2028', '\ufeff', '😀', '{', '}', '[', ']', ':', 'null', '/', '\ufffd'])

function randomRow(random: (below: number) => number): Cell[] {
  const text = (): Cell => {
    if (random(8) === 0) return null
    return Array.from({ length: random(12) }, () => PIECES[random(PIECES.length)]).join('')
  }
  const digits = (): string =>
    `${random(2) ? '-' : ''}${1 + random(1e9)}${random(2) ? `.${random(1e6)}` : ''}${random(4) ? '' : `e-${random(300)}`}`
  const number = (): Cell => (random(6) === 0 ? null : { number: digits() })
  return [text(), number(), text(), number(), text()]
}

const RANDOM_SHAPE = columns(['text', 'decimal', 'text', 'float', 'any'])

export function describeValues(under: FormatUnderTest): void {
  const { format } = under

  it.each(VALUES)('%s comes back as it was, in both forms', async (_, type, cell) => {
    const shape = columns(['integer', type, 'text'])
    const rows: Cell[][] = [
      [{ number: '1' }, cell, 'x'],
      [{ number: '2' }, cell, cell === null ? 'y' : cell],
    ]
    if (typeof rows[1]?.[2] === 'object') rows[1][2] = 'y'
    const files: Buffer[] = []
    for (const form of formsOf(type, cell)) {
      const file = await encode(format, chunks(form, rows), shape)
      expect((await under.read(file)).rows).toEqual(rows.map((row) => row.map(textOf)))
      files.push(file)
    }
    expect(files.at(-1)).toEqual(files[0])
  })

  it('brings 10,000 random rows back, the same from both forms and however they are cut into chunks', async () => {
    const random = randomNumbers(20_251_206)
    const rows = Array.from({ length: 10_000 }, () => randomRow(random))
    const file = await encode(format, chunks('json', rows), RANDOM_SHAPE)
    expect((await under.read(file)).rows).toEqual(rows.map((row) => row.map(textOf)))
    expect((await encode(format, chunks('copy', rows), RANDOM_SHAPE)).equals(file)).toBe(true)
    expect((await encode(format, chunks('json', rows, 1), RANDOM_SHAPE)).equals(file)).toBe(true)
    expect((await encode(format, chunks('copy', rows, 10_000), RANDOM_SHAPE)).equals(file)).toBe(true)
  })

  it('tells NULL from the empty text in every column of a row', async () => {
    const rows: Cell[][] = [
      [null, ''],
      ['', null],
      [null, null],
      ['', ''],
    ]
    const file = await encode(format, chunks('json', rows), columns(['text', 'text']))
    expect((await under.read(file)).rows).toEqual(rows)
  })

  it('writes bytes exactly: none, each of the 256, and ten million', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const values = [Buffer.alloc(0), all, all.subarray(0, 255)]
    for (const form of ['json', 'copy'] as const) {
      const rows = chunks(
        form,
        values.map((bytes): Cell[] => [{ bytes }]),
      )
      const read = (await under.read(await encode(format, rows, columns(['bytes'])))).rows
      expect(read).toEqual(values.map((bytes) => [under.bytes(bytes)]))
    }
    const large = Buffer.alloc(10_000_000, all)
    const file = await encode(format, chunks('json', [[{ bytes: large }]]), columns(['bytes']))
    if (under.isContainer) {
      expect((await under.read(file)).rows).toEqual([[under.bytes(large).slice(0, under.cellUnits)]])
    } else expect(file.includes(under.bytes(large))).toBe(true)
  })

  const whole = under.cellUnits === undefined
  it(whole ? 'passes cells of 1 MB and 64 MB' : 'cuts cells of 1 MB and 64 MB, and counts them', async () => {
    const times = 2_000_000
    const rows: Cell[][] = [
      ['x'.repeat(1_000_000), 'small'],
      [{ raw: Buffer.from('text with \\"quotes\\" and, commas '.repeat(times)) }, 'behind'],
    ]
    const tally = new RowTally('things')
    const file = await encode(format, chunks('json', rows), columns(['text', 'text']), MACHINE, tally)
    const read = (await under.read(file)).rows
    expect(read[0]?.[0]).toHaveLength(under.cellUnits ?? 1_000_000)
    expect(read[1]?.[0] === 'text with "quotes" and, commas '.repeat(times).slice(0, under.cellUnits)).toBe(true)
    const cut = { resource: 'things', column: 'c0', cause: 'text_cut', cells: 2 }
    expect(tally.changes).toEqual(whole ? [] : [cut])
    expect(read[1]?.[1]).toBe('behind')
  })

  it('replaces bytes that are not UTF-8, counts the cells and names the row by its key', async () => {
    const shape = [column('id', 'integer', { key: true }), column('a'), column('b'), column('c')]
    const bad = { raw: Buffer.from([0x61, 0xff, 0x62, 0xed, 0xa0, 0x80]) }
    const rows: Cell[][] = [
      [{ number: '7' }, 'fine', 'é', 'x'],
      [{ number: '8' }, bad, 'é', bad],
      [{ number: '9' }, 'fine', 'é', 'x'],
    ]
    for (const form of ['json', 'copy'] as const) {
      const tally = new RowTally('things')
      const file = await encode(format, chunks(form, rows, 2), shape, MACHINE, tally)
      expect((await under.read(file)).rows[1]).toEqual(['8', 'a\ufffdb\ufffd\ufffd\ufffd', 'é', 'a\ufffdb\ufffd\ufffd\ufffd'])
      expect(tally.results).toEqual({ successful: 2, warnings: 1, errors: 0 })
      expect(tally.changes).toEqual([
        { resource: 'things', column: 'a', cause: 'invalid_utf8', cells: 1 },
        { resource: 'things', column: 'c', cause: 'invalid_utf8', cells: 1 },
      ])
      expect(tally.log[0]).toMatchObject({ resource: 'things', row: 2, key: '8', column: 'a' })
    }
  })

  it('replaces half of a surrogate pair, and counts it', async () => {
    const tally = new RowTally('things')
    const rows: Cell[][] = [
      ['a\ud800b', 'x'],
      ['\udc00', '😀'],
    ]
    const file = await encode(format, chunks('json', rows), columns(['text', 'text']), MACHINE, tally)
    expect((await under.read(file)).rows).toEqual([
      ['a\ufffdb', 'x'],
      ['\ufffd', '😀'],
    ])
    expect(tally.results).toEqual({ successful: 0, warnings: 2, errors: 0 })
  })
}
