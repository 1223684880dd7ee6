import { describe, expect, it } from 'vitest'
import { encode } from '../../test/contracts/encode.ts'
import { describeFormat } from '../../test/contracts/format.ts'
import { readObjects } from '../../test/contracts/json-objects.ts'
import { type Cell, chunks, column, columns, MACHINE, oneChunk } from '../../test/contracts/row-text.ts'
import type { Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import { ndjsonFormat } from './ndjson.ts'

describeFormat('ndjson', {
  format: ndjsonFormat,
  read(file) {
    const lines = file.toString().split('\n')
    if (lines.pop() !== '') throw new Error('the last line has no end')
    return readObjects(lines)
  },
  bytes: (bytes) => bytes.toString('base64'),
})

async function ndjson(
  rows: readonly (readonly Cell[])[],
  shape: Shape,
  output: Partial<Output> = {},
  tally = new RowTally('things'),
): Promise<string> {
  return (await encode(ndjsonFormat, chunks('json', rows), shape, { ...MACHINE, ...output }, tally)).toString()
}

const CUSTOMER: Shape = [
  column('email'),
  column('secret', 'text', { hidden: true }),
  { kind: 'one', name: 'country', cells: [column('code'), column('name')] },
]
const ORDER: Shape = [column('id', 'integer', { key: true }), { kind: 'one', name: 'customer', cells: CUSTOMER }, column('note')]

describe('ndjson', () => {
  it('writes an object per line and nothing for no rows', async () => {
    const shape = [column('id', 'integer'), column('name')]
    expect(
      await ndjson(
        [
          [{ number: '1' }, 'é"\n'],
          [{ number: '2' }, null],
        ],
        shape,
      ),
    ).toBe('{"id":1,"name":"é\\"\\n"}\n{"id":2,"name":null}\n')
    expect(await ndjson([], shape)).toBe('')
  })

  it('writes a to-one relation as an object, and null where there is none', async () => {
    const there = { number: '1' }
    const rows: Cell[][] = [
      [{ number: '1' }, there, 'a@b.c', 'hush', there, 'FR', 'France', 'x'],
      [{ number: '2' }, there, 'a@b.c', 'hush', { number: '0' }, null, null, 'y'],
      [{ number: '3' }, { number: '0' }, null, null, { number: '0' }, null, null, 'z'],
    ]
    const file =
      '{"id":1,"customer":{"email":"a@b.c","country":{"code":"FR","name":"France"}},"note":"x"}\n{"id":2,"customer":{"email":"a@b.c","country":null},"note":"y"}\n{"id":3,"customer":null,"note":"z"}\n'
    expect(await ndjson(rows, ORDER)).toBe(file)
    expect((await encode(ndjsonFormat, chunks('copy', rows), ORDER)).toString()).toBe(file)
  })

  it('names a related cell by its path when it was changed', async () => {
    const there = { number: '1' }
    const bad = { raw: Buffer.from([0xff]) }
    const tally = new RowTally('things')
    await ndjson([[{ number: '1' }, there, 'a', bad, there, bad, 'F', 'x']], ORDER, {}, tally)
    expect(tally.changes).toEqual([{ resource: 'things', column: 'customer.country.code', cause: 'invalid_utf8', cells: 1 }])
  })

  it("names the row by its own key, not by a related row's", async () => {
    const shape: Shape = [
      column('id', 'integer', { key: true }),
      { kind: 'one', name: 'one', cells: [column('id', 'integer', { key: true })] },
      column('a'),
    ]
    const tally = new RowTally('things')
    await ndjson([[{ number: '1' }, { number: '1' }, { number: '77' }, { raw: Buffer.from([0xff]) }]], shape, {}, tally)
    expect(tally.log[0]?.key).toBe('1')
  })

  it('leaves blank members out at every depth where asked', async () => {
    const items: Shape = [column('sku'), column('note'), column('qty', 'integer')]
    const shape: Shape = [
      column('a'),
      column('b'),
      { kind: 'one', name: 'one', cells: [column('x'), column('y')] },
      { kind: 'many', name: 'items', cells: items },
      column('doc', 'json'),
      column('raw', 'bytes'),
    ]
    const empty = { bytes: Buffer.alloc(0) }
    const rows: Cell[][] = [
      [
        null,
        '',
        { number: '1' },
        null,
        'y',
        {
          many: [
            ['s', '', null],
            [null, '', { number: '0' }],
          ],
        },
        'null',
        empty,
      ],
      ['a', ' ', { number: '0' }, null, null, null, '{"kept":null}', empty],
      [null, null, { number: '1' }, '', null, { many: [] }, '""', null],
    ]
    expect(await ndjson(rows, shape, { omitBlank: true })).toBe(
      '{"one":{"y":"y"},"items":[{"sku":"s"},{"qty":0}]}\n{"a":"a","b":" ","items":[],"doc":{"kept":null}}\n{"one":{},"items":[]}\n',
    )
  })

  it('writes booleans as such and what is none as it is', async () => {
    const shape = [column('a', 'boolean')]
    const cells: Cell[] = [
      { number: '1' },
      { number: '0' },
      't',
      'f',
      'true',
      'false',
      '1',
      null,
      { number: '2' },
      { number: '10' },
      'yes',
      'ttt',
    ]
    const values = ['true', 'false', 'true', 'false', 'true', 'false', 'true', 'null', '2', '10', '"yes"', '"ttt"']
    expect(
      await ndjson(
        cells.map((cell) => [cell]),
        shape,
      ),
    ).toBe(values.map((value) => `{"a":${value}}\n`).join(''))
  })

  it('puts documents in as they stand, on one line', async () => {
    const shape = [column('doc', 'json')]
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const documents = [
      '{"a": 1.00, "a": 12345678901234567890123}',
      '{\n\t"x y":\r\n "a\\nb"\n}',
      ' 5 ',
      'null',
      '"\\ud800"',
      deep,
      '"😀"',
      '-0',
    ]
    const tally = new RowTally('things')
    const lines = (
      await ndjson(
        documents.map((text) => [text]),
        shape,
        {},
        tally,
      )
    )
      .split('\n')
      .slice(0, -1)
    expect(lines).toEqual(documents.map((text) => `{"doc":${text.replace(/[\n\r\t]/g, '')}}`))
    expect(tally.changes).toEqual([])
  })

  it('writes a document that is none as a string, and counts it', async () => {
    const tally = new RowTally('things')
    const shape = [column('id', 'integer', { key: true }), column('doc', 'json')]
    const cells: Cell[] = ['{"a":', "{'a':1}", '', 'NaN', '"\t"', { bytes: Buffer.from('x') }, { number: '7' }]
    const file = await ndjson(
      cells.map((cell, index) => [{ number: `${index}` }, cell]),
      shape,
      {},
      tally,
    )
    expect(
      file
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { doc: unknown }).doc),
    ).toEqual(['{"a":', "{'a':1}", '', 'NaN', '"\t"', 'eA==', 7])
    expect(tally.changes).toEqual([{ resource: 'things', column: 'doc', cause: 'json_invalid', cells: 6 }])
    expect(tally.log[1]).toMatchObject({ row: 2, key: '1', column: 'doc' })
  })

  it('writes a number that JSON cannot hold as a string, and counts it', async () => {
    const shape = [column('a', 'float')]
    const cells: Cell[] = [{ number: 'Infinity' }, { number: '-Infinity' }, 'NaN', 'twelve', { number: '1e400' }]
    const file = '{"a":"Infinity"}\n{"a":"-Infinity"}\n{"a":"NaN"}\n{"a":"twelve"}\n{"a":1e400}\n'
    for (const form of ['json', 'copy'] as const) {
      const tally = new RowTally('things')
      const rows = chunks(
        form,
        cells.map((cell) => [cell]),
      )
      expect((await encode(ndjsonFormat, rows, shape, MACHINE, tally)).toString()).toBe(file)
      expect(tally.changes).toEqual([{ resource: 'things', column: 'a', cause: 'number_as_text', cells: 3 }])
    }
  })

  it('writes times as RFC 3339, in the zone asked for, and counts those it keeps', async () => {
    const tally = new RowTally('things')
    const shape = [column('at', 'timestamp'), column('day', 'date')]
    const rows: Cell[][] = [
      ['2024-07-01 12:00:00', '2024-07-01'],
      ['infinity', 'x'],
      [{ number: '17' }, null],
      ['a"b', null],
    ]
    expect(await ndjson(rows, shape, { times: 'rfc3339', timeZone: 'Europe/Paris' }, tally)).toBe(
      '{"at":"2024-07-01T14:00:00+02:00","day":"2024-07-01"}\n{"at":"infinity","day":"x"}\n{"at":17,"day":null}\n{"at":"a\\"b","day":null}\n',
    )
    expect(tally.changes).toEqual([{ resource: 'things', column: 'at', cause: 'time_kept', cells: 3 }])
  })

  it('spells a character the same whatever escape it came with', async () => {
    const bytes = Buffer.from('["\\u0041\\u00e9\\ud83d\\ude00\\/\\u000B\\u000a\\u0022\\u005c"]\n')
    const file = await encode(ndjsonFormat, oneChunk({ form: 'json', bytes, rows: 1 }), columns(['text']))
    expect(file.toString()).toBe('{"c0":"Aé😀/\\u000b\\n\\"\\\\"}\n')
  })

  it('counts a cell once although its row was written twice for want of room', async () => {
    const tally = new RowTally('things')
    const shape: Shape = [
      column('doc', 'json'),
      { kind: 'many', name: 'items', cells: [column('a long name '.repeat(400), 'float')] },
    ]
    const rows: Cell[][] = [['{', { many: Array.from({ length: 1000 }, () => [{ number: 'Infinity' }]) }]]
    const file = await ndjson(rows, shape, {}, tally)
    expect((JSON.parse(file) as { items: unknown[] }).items.length).toBe(1000)
    expect(tally.changes.map((change) => change.cells)).toEqual([1, 1000])
  })
})
