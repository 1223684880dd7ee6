/**
 * What every format promises, tried on whatever a database may hold: the file parses with somebody else's reader, and each cell is the
 * database's own text again.
 */
import { describe, expect, it } from 'vitest'
import { FreightError } from '../../src/job/errors.ts'
import type { RowChunk, Shape } from '../../src/job/row-text.ts'
import { RowTally } from '../../src/job/tally.ts'
import { encode } from './encode.ts'
import type { FormatUnderTest } from './format-under-test.ts'
import { describeValues } from './format-values.ts'
import { type Cell, chunkOf, chunks, column, columns, MACHINE, oneChunk } from './row-text.ts'

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
    describeValues(under)

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
