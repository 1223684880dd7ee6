/**
 * What every format promises, tried on whatever a database may hold: the file parses with somebody else's reader, and each cell is the
 * database's own text again.
 */
import { describe, expect, it } from 'vitest'
import type { Format } from '../../src/formats/format.ts'
import { FreightError } from '../../src/job/errors.ts'
import type { CellType, RowChunk, RowForm, Shape } from '../../src/job/row-text.ts'
import type { Output } from '../../src/job/spec.ts'
import { RowTally } from '../../src/job/tally.ts'
import { type Cell, chunkOf, chunks, collect, column, columns, MACHINE } from './row-text.ts'

export interface FormatUnderTest {
  readonly format: Format
  /** The records of a file, each cell as text: a number as its digits, null for NULL. By a reader that knows nothing of Freight. */
  read(file: Buffer): Records | Promise<Records>
  /** How the format writes bytes. */
  bytes(bytes: Buffer): string
  /** How many UTF-16 units a cell holds; what is longer is cut, and counted. Absent: any number. */
  readonly cellUnits?: number
  /** The file is a container, in which neither text can be looked for nor rows stand that came written. */
  readonly isContainer?: true
}

interface Records {
  readonly names: string[]
  readonly rows: (string | null)[][]
}

export async function encode(
  format: Format,
  rows: AsyncIterable<RowChunk>,
  shape: Shape,
  output: Output = MACHINE,
  tally: RowTally = new RowTally('things'),
): Promise<Buffer> {
  return collect(format.encode(rows, shape, output, tally))
}

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

/** Numbers of a linear congruential generator (Numerical Recipes): the same on every run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
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

const BROKEN: readonly (readonly [string, string, number])[] = [
  ['a cell is missing', '["a"]\n', 1],
  ['a cell too many', '["a","b","c"]\n', 1],
  ['the row is cut in a text', '["a","b\n', 1],
  ['the row is cut behind a comma', '["a",\n', 1],
  ['the row is cut behind an escape', '["a","b\\\n', 1],
  ['the line end is missing', '["a","b"]', 1],
  ['a row too few', '["a","b"]\n', 2],
  ['a row too many', '["a","b"]\n["a","b"]\n', 1],
  ['a number is cut', '["a",-]\n', 1],
  ['a number is none', '["a",01]\n', 1],
  ['a word is none', '["a",nul]\n', 1],
  ['bytes are cut', '["a",{"b":"0"}]\n', 1],
  ['an array where a cell should be', '["a",["b"]]\n', 1],
  ['there is no row at all', '\n', 1],
]

export function describeFormat(name: string, under: FormatUnderTest): void {
  const { format } = under

  describe(`${name} keeps the contract of formats`, () => {
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

    it('writes a valid file for no rows and for a table without columns', async () => {
      expect((await under.read(await encode(format, chunks('json', []), columns(['text'])))).rows).toEqual([])
      const tally = new RowTally('things')
      const rows: Cell[][] = [[], []]
      await encode(format, chunks('json', rows), [], MACHINE, tally)
      expect(tally.rows).toBe(2)
      expect((await encode(format, chunks('json', rows), [])).equals(await encode(format, chunks('copy', rows), []))).toBe(true)
    })

    it('keeps rows that are alike, also one that reads like the header', async () => {
      const rows: Cell[][] = [
        ['c0', 'c1'],
        ['a', 'b'],
        ['a', 'b'],
      ]
      expect((await under.read(await encode(format, chunks('json', rows), columns(['text', 'text'])))).rows).toEqual(rows)
    })

    it('keeps columns with hostile names, and 1,600 of them', async () => {
      const names = [
        '__proto__',
        'constructor',
        'toJSON',
        'then',
        'length',
        ' ',
        'a"b',
        'a\nb',
        'a,b',
        'a',
        'A',
        'é'.repeat(31),
        'ID',
      ]
      const shape = names.map((each) => column(each))
      const file = await encode(format, chunks('json', [names.map((_, index) => `v${index}`)]), shape)
      const read = await under.read(file)
      expect(read.names).toEqual(names)
      expect(read.rows).toEqual([names.map((_, index) => `v${index}`)])

      const wide = Array.from({ length: 1600 }, (_, index) => `v${index}`)
      const wideFile = await encode(format, chunks('copy', [wide]), columns(wide.map(() => 'text')))
      expect((await under.read(wideFile)).rows).toEqual([wide])
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

    it('reads hidden cells and does not write them, and names their key in the log', async () => {
      const key = [column('id', 'integer', { key: true, hidden: true }), column('region', 'text', { key: true, hidden: true })]
      const tally = new RowTally('things')
      const rows: Cell[][] = [[{ number: '5' }, 'north "1"', { raw: Buffer.from([0xff]) }]]
      const file = await encode(format, chunks('json', rows), [...key, column('a')], MACHINE, tally)
      expect(await under.read(file)).toEqual({ names: ['a'], rows: [['\ufffd']] })
      expect(tally.log[0]?.key).toBe('5,north "1"')
    })

    it('writes a to-many relation as an array of objects, nested to any depth and empty for none', async () => {
      const inner: Shape = [column('note'), column('raw', 'bytes')]
      const items: Shape = [column('sku'), column('price', 'decimal'), { kind: 'many', name: 'notes', cells: inner }]
      const shape: Shape = [column('id', 'integer'), { kind: 'many', name: 'items', cells: items }, column('last')]
      const notes: Cell = { many: [['say "hi"\n\\', { bytes: Buffer.from('ab') }]] }
      const rows: Cell[][] = [
        [
          { number: '1' },
          {
            many: [
              ['a,b', { number: '1.10' }, notes],
              [null, null, null],
            ],
          },
          'x',
        ],
        [{ number: '2' }, null, 'y'],
        [{ number: '3' }, { many: [] }, 'z'],
      ]
      const json =
        '[{"sku":"a,b","price":1.10,"notes":[{"note":"say \\"hi\\"\\n\\\\","raw":"YWI="}]},{"sku":null,"price":null,"notes":[]}]'
      for (const form of ['json', 'copy'] as const) {
        const read = (await under.read(await encode(format, chunks(form, rows), shape))).rows
        expect(read).toEqual([
          ['1', json, 'x'],
          ['2', '[]', 'y'],
          ['3', '[]', 'z'],
        ])
      }
    })

    it('takes the elements of a to-many relation also in line, with spaces, as json_agg may leave them', async () => {
      const shape: Shape = [column('id', 'integer'), { kind: 'many', name: 'items', cells: [column('sku')] }]
      const bytes = Buffer.from('[1,[["a"], ["b"]]]\n[2, "[ [\\"a\\"] , [\\"b\\"] ]"]\n')
      const read = (await under.read(await encode(format, oneChunk({ form: 'json', bytes, rows: 2 }), shape))).rows
      expect(read).toEqual([
        ['1', '[{"sku":"a"},{"sku":"b"}]'],
        ['2', '[{"sku":"a"},{"sku":"b"}]'],
      ])
    })

    it.each(BROKEN)('refuses a chunk in which %s, and never writes a shifted row', async (_, text, rows) => {
      const broken = oneChunk({ form: 'json', bytes: Buffer.from(text), rows })
      const error = await encode(format, broken, columns(['text', 'text'])).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(FreightError)
      expect(error).toMatchObject({ code: 'SOURCE_FAILED' })
    })

    it.each(['a\n', 'a\tb\tc\n', 'a\tb', 'a\tb\\\n'])('refuses the copy text %j', async (text) => {
      const broken = oneChunk({ form: 'copy', bytes: Buffer.from(text), rows: 1 })
      await expect(encode(format, broken, columns(['text', 'text']))).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    })

    it('names the row that is broken, counted over all chunks', async () => {
      async function* rows(): AsyncIterable<RowChunk> {
        yield chunkOf('json', [
          ['a', 'b'],
          ['a', 'b'],
        ])
        yield { form: 'json', bytes: Buffer.from('["a","b"]\n["a"]\n'), rows: 2 }
      }
      await expect(encode(format, rows(), columns(['text', 'text']))).rejects.toThrow(/Row 4 of "things"/)
    })

    it('tells the tally of rows before their bytes, and throws what the rows throw', async () => {
      const tally = new RowTally('things')
      const fault = new Error('the source is gone')
      async function* rows(): AsyncIterable<RowChunk> {
        yield chunkOf('json', [['a'], ['b']])
        throw fault
      }
      const seen: number[] = []
      const reading = (async () => {
        for await (const bytes of format.encode(rows(), columns(['text']), MACHINE, tally)) {
          if (under.isContainer || Buffer.from(bytes).includes('a')) seen.push(tally.rows)
        }
      })()
      await expect(reading).rejects.toBe(fault)
      // A container may hold the rows back, and so show none of them.
      expect(seen.at(-1)).toBe(under.isContainer ? 0 : 2)
    })

    it.skipIf(under.isContainer)('passes rows on as they are that come written, and counts them', async () => {
      const tally = new RowTally('things')
      const file = await encode(format, chunks('json', rowsOf(6), 2), columns(['text']))
      const pieces: Buffer[] = []
      const written = format.encode(chunks('json', rowsOf(6), 2), columns(['text']), MACHINE, new RowTally('things'))
      for await (const piece of written) pieces.push(Buffer.from(piece))
      const [, second = Buffer.alloc(0)] = pieces.filter((piece) => piece.includes('row'))
      async function* mixed(): AsyncIterable<RowChunk> {
        yield chunkOf('json', rowsOf(6).slice(0, 2))
        yield { form: 'written', bytes: second, rows: 2 }
        yield chunkOf('json', rowsOf(6).slice(4))
      }
      expect((await encode(format, mixed(), columns(['text']), MACHINE, tally)).equals(file)).toBe(true)
      expect(tally.results).toEqual({ successful: 6, warnings: 0, errors: 0 })
    })
  })
}

function rowsOf(count: number): Cell[][] {
  return Array.from({ length: count }, (_, index) => [`row ${index}`])
}

export async function* oneChunk(chunk: RowChunk): AsyncIterable<RowChunk> {
  yield chunk
}
