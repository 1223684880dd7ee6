/** The part of the formats' contract about values: each cell of a file is the database's own text again, or is counted as changed. */
import { expect, it } from 'vitest'
import type { CellType, RowForm } from '../../src/job/row-text.ts'
import { RowTally } from '../../src/job/tally.ts'
import { randomNumbers } from '../random.ts'
import { encode } from './encode.ts'
import type { FormatUnderTest } from './format-under-test.ts'
import { type Cell, chunks, column, columns, MACHINE } from './row-text.ts'

/** A value as it may lie in a database, and the type of its column. */
const VALUES: readonly (readonly [string, CellType, Cell])[] = [
  ['a comma', 'text', 'a,b'],
  ['a quote', 'text', 'a"b'],
  ['two quotes', 'text', '""'],
  ['only quotes', 'text', '"""'],
  ['a carriage return', 'text', 'a\rb'],
  ['a line feed', 'text', 'a\nb'],
  ['both', 'text', '\r\n'],
  ['spaces around', 'text', '  a b  '],
  ['only a space', 'text', ' '],
  ['only delimiters', 'text', ',,;;\t\t'],
  ['signs that some readers take for a comment', 'text', '# a # b // -- ; %'],
  ['a backslash', 'text', 'C:\\new\\table'],
  ['NULL', 'text', null],
  ['the empty text', 'text', ''],
  ['the text NULL', 'text', 'NULL'],
  ['the text \\N', 'text', '\\N'],
  ['the text \\.', 'text', '\\.'],
  ['the text null', 'text', 'null'],
  ['the text undefined', 'text', 'undefined'],
  ['a formula', 'text', '=1+1'],
  ['a full-width formula', 'text', '\uff1d1+1'],
  ['half a surrogate pair, spelt as an escape in a stored list', 'json', '["\\ud800","x"]'],
  ['a negative number', 'decimal', { number: '-1250.5' }],
  ['a small number', 'float', { number: '-1e-7' }],
  ['zeros in front', 'text', '00123'],
  ['text like a number', 'text', '1E5'],
  ['text like a date', 'text', '1-2'],
  ['twenty digits as text', 'text', '12345678901234567890'],
  ['the smallest 64-bit integer', 'integer', { number: '-9223372036854775808' }],
  ['the largest 64-bit integer', 'integer', { number: '9223372036854775807' }],
  ['beyond 2^53', 'integer', { number: '9007199254740993' }],
  ['a thousand digits', 'decimal', { number: '9'.repeat(1000) }],
  ['zeros behind', 'decimal', { number: '1.10' }],
  ['1e-300', 'float', { number: '1e-300' }],
  ['infinity', 'float', { number: 'Infinity' }],
  ['minus infinity', 'float', { number: '-Infinity' }],
  ['not a number', 'float', 'NaN'],
  ['minus zero', 'float', { number: '-0' }],
  ['the smallest float', 'float', { number: '5e-324' }],
  ['0.1', 'float', { number: '0.1' }],
  ['a large exponent', 'float', { number: '1E+21' }],
  ['NUL', 'text', 'a\0b'],
  ['control bytes', 'text', '\x01\x02\x08\x0b\x0c\x1b\x1f\x7f'],
  ['noncharacters', 'text', '\ufffe\uffff'],
  ['XML', 'text', ']]><a>&amp;_x0041_'],
  ['right to left', 'text', '\u202eabc\u200b e\u0301 \u00e9 👩‍👩‍👧 שלום'],
  ['line separators', 'text', 'a\u2028b\u2029c\u0085d'],
  ['a byte order mark', 'text', '\ufeffabc'],
  ['an array', 'text', '{1,NULL,"a,\\"b"}'],
  ['a range', 'text', '[1,5)'],
  ['text in an integer column', 'integer', 'twelve'],
  ['a number in a text column', 'text', { number: '12.50' }],
  ['infinity as a time', 'timestamp', 'infinity'],
  ['BC', 'timestamp', '4713-01-01 00:00:00 BC'],
  ['a far year', 'timestamp', '294276-12-31 23:59:59.999999'],
  ['microseconds', 'timestamp', '2024-02-29 12:34:56.123456+00'],
  ['a time of 24:00', 'time', '24:00:00'],
  ['an interval', 'text', '-178000000 years -1 mons'],
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
