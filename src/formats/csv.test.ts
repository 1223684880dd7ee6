import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { encode } from '../../test/contracts/encode.ts'
import { describeFormat } from '../../test/contracts/format.ts'
import { type Cell, chunks, column, columns, EXCEL, MACHINE, oneChunk } from '../../test/contracts/row-text.ts'
import type { Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import { csvFormat } from './csv.ts'

/** A strict reader: nothing trimmed, every record as long as the first, quotes only where they belong. */
function records(file: Buffer): (string | null)[][] {
  return parse(file, {
    delimiter: ',',
    record_delimiter: '\n',
    relax_quotes: false,
    relax_column_count: false,
    skip_empty_lines: false,
    trim: false,
    bom: false,
    cast: (value: string, context: { quoting: boolean }) => (value === '' && !context.quoting ? null : value),
  })
}

describeFormat('csv', {
  format: csvFormat,
  read(file) {
    const [names = [], ...rows] = records(file)
    return { names: names.map((name) => name ?? ''), rows }
  },
  bytes: (bytes) => `\\x${bytes.toString('hex')}`,
})

const BOM = '\ufeff'

async function csv(rows: readonly (readonly Cell[])[], shape: Shape, output: Partial<Output> = {}): Promise<string> {
  const json = await encode(csvFormat, chunks('json', rows), shape, { ...MACHINE, header: false, ...output })
  return json.toString()
}

describe('csv', () => {
  it('is read back by SQLite and PostgreSQL rules: NULL is an empty field, the empty text is ""', async () => {
    const shape = [column('id', 'integer'), column('a'), column('b', 'decimal')]
    const rows: Cell[][] = [
      [{ number: '1' }, null, null],
      [{ number: '2' }, '', { number: '1.10' }],
    ]
    expect(await csv(rows, shape, { header: true })).toBe('id,a,b\n1,,\n2,"",1.10\n')
  })

  it('quotes as little as PostgreSQL does, or everything but NULL', async () => {
    const shape = columns(['text', 'integer', 'text', 'text', 'text'])
    const rows: Cell[][] = [
      ['a b ', { number: '-5' }, 'x,y', 'say "hi"', null],
      ['a\tb', { number: '7' }, 'l\nm', "it's", ''],
    ]
    expect(await csv(rows, shape)).toBe('a b ,-5,"x,y","say ""hi""",\na\tb,7,"l\nm",it\'s,""\n')
    expect(await csv(rows.slice(0, 1), shape, { quoting: 'all', header: true })).toBe(
      '"c0","c1","c2","c3","c4"\n"a b ","-5","x,y","say ""hi""",\n',
    )
  })

  it('quotes whatever equals the text for NULL, numbers too', async () => {
    const shape = columns(['text', 'integer', 'text', 'boolean'])
    const rows: Cell[][] = [
      [null, { number: '0' }, '0', null],
      ['', { number: '10' }, '00', 't'],
    ]
    expect(await csv(rows, shape, { nullText: '0' })).toBe('0,"0","0",0\n"",10,00,t\n')
  })

  it.each([
    [';', '1.5;a,b;"c;d"\n'],
    ['\t', '1.5\ta,b\tc;d\n'],
    ['|', '1.5|a,b|c;d\n'],
    ['.', '"1.5".a,b.c;d\n'],
  ])('takes the delimiter %j', async (delimiter, file) => {
    expect(await csv([[{ number: '1.5' }, 'a,b', 'c;d']], columns(['decimal', 'text', 'text']), { delimiter })).toBe(file)
  })

  it('quotes a delimiter that came as an escape', async () => {
    expect(await csv([['a\tb', 'c\\d']], columns(['text', 'text']), { delimiter: '\t' })).toBe('"a\tb"\tc\\d\n')
    expect(await csv([['a\tb', 'c\\d']], columns(['text', 'text']), { delimiter: '\\' })).toBe('a\tb\\"c\\d"\n')
    const escaped = oneChunk({ form: 'json', bytes: Buffer.from('["a\\u002cb","\\u0022","\\/"]\n'), rows: 1 })
    expect((await encode(csvFormat, escaped, columns(['text', 'text', 'text']), { ...MACHINE, header: false })).toString()).toBe(
      '"a,b","""",/\n',
    )
  })

  it.each([
    { delimiter: '"' },
    { delimiter: '\n' },
    { delimiter: '' },
    { delimiter: ',,' },
    { delimiter: 'é' },
    { nullText: 'a,b' },
  ])('refuses options with which no file could be read: %j', async (output) => {
    await expect(csv([], columns(['text']), output)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('keeps a record of one column apart from the end of the data and from nothing', async () => {
    expect(await csv([['\\.'], [''], [null], ['a']], columns(['text']))).toBe('"\\."\n""\n\na\n')
    expect(await csv([['\\.', 'x']], columns(['text', 'text']))).toBe('\\.,x\n')
  })

  it('writes byte order mark, header and line ends as asked', async () => {
    const shape = columns(['text', 'text'])
    expect(await csv([['a', 'b\nc']], shape, { bom: true, header: true, lineEnd: '\r\n' })).toBe(`${BOM}c0,c1\r\na,"b\nc"\r\n`)
    expect(await csv([], shape, { header: true })).toBe('c0,c1\n')
    expect(await csv([], shape)).toBe('')
  })

  it("keeps a first cell's own byte order mark apart from the file's", async () => {
    const shape = columns(['text', 'text'])
    const rows: Cell[][] = [
      [`${BOM}a`, 'b'],
      [`${BOM}a`, 'b'],
    ]
    expect(await csv(rows, shape)).toBe(`"${BOM}a",b\n${BOM}a,b\n`)
    expect(await csv([[`${BOM}`]], columns(['text']), { bom: true })).toBe(`${BOM}"${BOM}"\n`)
    expect(await csv([], [column(`${BOM}a`), column('b')], { header: true })).toBe(`"${BOM}a",b\n`)
  })

  it('quotes a first header ID for Excel, which takes it for a SYLK file, and leaves it to machines as it is', async () => {
    const shape = [column('ID'), column('name')]
    expect(await csv([], shape, { ...EXCEL, header: true, bom: false })).toBe('"ID",name\r\n')
    expect(await csv([], shape, { header: true })).toBe('ID,name\n')
  })

  it('writes what the database wrote for booleans, documents, bytes and infinity', async () => {
    const shape = columns(['boolean', 'boolean', 'json', 'bytes', 'float'])
    const document = '{"a": 1.0,\n "a": 12345678901234567890}'
    const row: Cell[] = ['t', { number: '0' }, document, { bytes: Buffer.from([0, 0xab]) }, { number: '-Infinity' }]
    expect(await csv([row], shape)).toBe(`t,0,"${document.replaceAll('"', '""')}",\\x00ab,-Infinity\n`)
  })

  it('keeps NUL and control bytes as they are', async () => {
    expect(await csv([['a\0b', '\x01\x1f']], columns(['text', 'text']))).toBe('a\0b,\x01\x1f\n')
  })

  it('writes times as RFC 3339 where asked, and counts those that it cannot', async () => {
    const shape = [column('id', 'integer', { key: true }), column('at', 'timestamp'), column('day', 'date')]
    const rows: Cell[][] = [
      [{ number: '1' }, '2024-05-06 07:08:09.123456', '2024-05-06'],
      [{ number: '2' }, 'infinity', 'infinity'],
      [{ number: '3' }, { number: '1714979289' }, null],
      [{ number: '4' }, null, null],
    ]
    const tally = new RowTally('things')
    const file = await encode(csvFormat, chunks('json', rows), shape, { ...MACHINE, times: 'rfc3339', header: false }, tally)
    expect(file.toString()).toBe('1,2024-05-06T07:08:09.123456Z,2024-05-06\n2,infinity,infinity\n3,1714979289,\n4,,\n')
    expect(tally.changes).toEqual([{ resource: 'things', column: 'at', cause: 'time_kept', cells: 2 }])
    expect(tally.log.map(({ row, key }) => [row, key])).toEqual([
      [2, '2'],
      [3, '3'],
    ])
    expect(tally.results).toEqual({ successful: 2, warnings: 2, errors: 0 })
  })
})

const GUARDED = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '\0=1',
  '\uff1d1',
  '\uff0b1',
  '\uff0d1',
  '\uff201',
].concat(['  =1', ' \uff1d1', '"=1', '" =1', ',=1', ';=1', "'=1", "''-1", '=', '-'])
const UNGUARDED = ['', 'a=1', 'a-b', ' 1', ' -1', "O'Neil", "'quoted'", '1-2', '\uff01', 'é', '"quoted"', '\\N', '"', '  ']

describe('the formula guard', () => {
  it.each(GUARDED)('puts an apostrophe before the text %j, and counts it', async (text) => {
    for (const form of ['json', 'copy'] as const) {
      const tally = new RowTally('things')
      const file = await encode(
        csvFormat,
        chunks(form, [[text, 'x']]),
        columns(['text', 'any']),
        { ...MACHINE, formulaGuard: true },
        tally,
      )
      expect(records(file)[1]).toEqual([`'${text}`, 'x'])
      expect(tally.changes).toEqual([{ resource: 'things', column: 'c0', cause: 'formula_guarded', cells: 1 }])
      expect(tally.results.warnings).toBe(1)
    }
    expect(records(Buffer.from(await csv([[text, 'x']], columns(['text', 'text']))))[0]).toEqual([text, 'x'])
  })

  it.each(UNGUARDED)('leaves the text %j alone', async (text) => {
    const guarded = await csv([[text, 'x']], columns(['text', 'text']), { formulaGuard: true })
    expect(guarded).toBe(await csv([[text, 'x']], columns(['text', 'text'])))
  })

  it.each([
    ['decimal', '-1250.5'],
    ['integer', '+1'],
    ['float', '-1e-7'],
    ['float', '-Infinity'],
    ['date', '-4713-11-24'],
    ['timestamp', '-infinity'],
  ] as const)('never touches a %s that is %s, as number or as text', async (type, text) => {
    expect(await csv([[text]], columns([type]), { formulaGuard: true })).toBe(`${text}\n`)
  })

  it('never touches a number in any column', async () => {
    expect(await csv([[{ number: '-5' }, { number: '-5' }]], columns(['text', 'any']), { formulaGuard: true })).toBe('-5,-5\n')
  })

  it.each(['integer', 'decimal', 'float', 'date', 'timestamp', 'any', 'json', 'boolean'] as const)(
    'guards a formula that SQLite keeps in a column of type %s',
    async (type) => {
      expect(await csv([['=1+1', '-1+1']], columns([type, type]), { formulaGuard: true })).toBe("'=1+1,'-1+1\n")
    },
  )

  it('counts a cell of a relation once although it was written twice for want of room', async () => {
    const tally = new RowTally('things')
    const shape: Shape = [{ kind: 'many', name: 'items', cells: [column('price', 'float'), column('a')] }]
    const rows: Cell[][] = [[{ many: Array.from({ length: 1000 }, () => [{ number: 'Infinity' }, 'x'.repeat(200)]) }]]
    const file = await encode(csvFormat, chunks('json', rows), shape, MACHINE, tally)
    expect((JSON.parse(records(file)[1]?.[0] ?? '') as unknown[]).length).toBe(1000)
    expect(tally.changes).toEqual([{ resource: 'things', column: 'items.price', cause: 'number_as_text', cells: 1000 }])
  })

  it('guards header names, and a relation is never a formula', async () => {
    const shape: Shape = [column('=a'), { kind: 'many', name: 'items', cells: [column('sku')] }]
    const file = await csv([['x', { many: [['=1']] }]], shape, { ...EXCEL, header: true })
    expect(file).toBe(`${BOM}'=a,items\r\nx,"[{""sku"":""=1""}]"\r\n`)
  })
})
