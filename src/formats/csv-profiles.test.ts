import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { encode } from '../../test/contracts/encode.ts'
import { type Cell, chunks, column, columns, EXCEL, MACHINE } from '../../test/contracts/row-text.ts'
import { randomNumbers } from '../../test/random.ts'
import type { Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import { csvFormat } from './csv.ts'

const EXCEL_EU: Output = { ...EXCEL, profile: 'excel-eu', delimiter: ';' }
const POSTGRES: Output = { ...MACHINE, profile: 'postgres' }
const BIGQUERY: Output = { ...MACHINE, profile: 'bigquery', nullText: '\\N', times: 'rfc3339' }

async function csv(row: readonly Cell[], shape: Shape, output: Output, tally = new RowTally('things')): Promise<string> {
  return (await encode(csvFormat, chunks('json', [row]), shape, { ...output, header: false, bom: false }, tally)).toString()
}

describe('the profile excel-eu', () => {
  it('writes a decimal comma in every number, and parts cells by semicolons', async () => {
    const shape = columns(['decimal', 'float', 'integer', 'any', 'text', 'float', 'text'])
    const row: Cell[] = [
      { number: '-1250.50' },
      { number: '1.5e-7' },
      { number: '-12' },
      { number: '0.5' },
      { number: '2.25' },
      { number: 'Infinity' },
      '1.5;2',
    ]
    expect(await csv(row, shape, EXCEL_EU)).toBe('-1250,50;1,5e-7;-12;0,5;2,25;Infinity;"1.5;2"\r\n')
  })

  it('leaves times, documents, bytes and relations as they are', async () => {
    const shape: Shape = [
      column('at', 'timestamp'),
      column('doc', 'json'),
      column('raw', 'bytes'),
      { kind: 'many', name: 'items', cells: [column('price', 'decimal')] },
    ]
    const row: Cell[] = ['2024-02-29 12:34:56.5', '{"a":1.5}', { bytes: Buffer.from([1]) }, { many: [[{ number: '1.5' }]] }]
    expect(await csv(row, shape, EXCEL_EU)).toBe('2024-02-29T12:34:56.5Z;"{""a"":1.5}";\\x01;"[{""price"":1.5}]"\r\n')
  })

  it('quotes a number whose comma is the delimiter', async () => {
    const row: Cell[] = [{ number: '1.5' }, { number: '15' }]
    expect(await csv(row, columns(['decimal', 'integer']), { ...EXCEL_EU, delimiter: ',' })).toBe('"1,5",15\r\n')
  })

  it('guards text, has a byte order mark, and keeps a first ID from being taken for SYLK', async () => {
    const file = await encode(csvFormat, chunks('json', [['=1+1']]), [column('ID')], EXCEL_EU)
    expect(file.toString()).toBe('\ufeff"ID"\r\n\'=1+1\r\n')
  })
})

describe('the profile bigquery', () => {
  it('writes bytes as base64, NULL as \\N and times as RFC 3339', async () => {
    const shape = columns(['bytes', 'bytes', 'text', 'text', 'text', 'timestamp', 'boolean'])
    const row: Cell[] = [
      { bytes: Buffer.from([0, 255, 62]) },
      { bytes: Buffer.alloc(0) },
      null,
      '',
      '\\N',
      '2024-02-29 12:00:00',
      't',
    ]
    expect(await csv(row, shape, BIGQUERY)).toBe('AP8+,,\\N,"","\\N",2024-02-29T12:00:00Z,t\n')
  })
})

it.each([
  ['postgres', POSTGRES],
  ['bigquery', BIGQUERY],
] as const)('the profile %s writes U+FFFD for NUL, and counts the cells', async (_, output) => {
  const tally = new RowTally('things')
  const row: Cell[] = ['a\0b\0', '\0,"\0', 'fine', { bytes: Buffer.from([0]) }]
  const [a, b, c] = parse(await csv(row, columns(['text', 'any', 'text', 'bytes']), output, tally))[0] ?? []
  expect([a, b, c]).toEqual(['a\ufffdb\ufffd', '\ufffd,"\ufffd', 'fine'])
  expect(tally.changes.map((change) => `${change.column} ${change.cause} ${change.cells}`)).toEqual([
    'c0 nul_replaced 1',
    'c1 nul_replaced 1',
  ])
  expect(tally.results).toEqual({ successful: 0, warnings: 1, errors: 0 })
})

const PIECES = [
  'a',
  ' ',
  '"',
  "'",
  ',',
  ';',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '\\',
  '\\N',
  '=',
  '-',
  '@',
  '\0',
  '\x1f',
  'é',
  '\ufeff',
  '😀',
  'NULL',
]
const TYPES = ['text', 'decimal', 'bytes', 'boolean', 'any'] as const

/** Of every type, and what a reader finds in their place. */
function randomRow(random: (below: number) => number, output: Output): { cells: Cell[]; read: string[] } {
  const replacesNul = output === POSTGRES || output === BIGQUERY
  const texts = [0, 1].map(() => Array.from({ length: random(10) }, () => PIECES[random(PIECES.length)]).join(''))
  const digits = `${random(2) ? '-' : ''}${random(1e6)}.${random(1e6)}`
  const bytes = Buffer.from(Array.from({ length: random(9) }, () => random(256)))
  const cells: Cell[] = [
    texts[0] ?? '',
    { number: digits },
    { bytes },
    random(2) ? 't' : 'f',
    random(3) ? (texts[1] ?? '') : null,
  ]
  const read = cells.map((cell) => {
    if (cell === null) return output.nullText
    if (typeof cell === 'object' && 'number' in cell) return output === EXCEL_EU ? cell.number.replace('.', ',') : cell.number
    if (typeof cell === 'object') return output === BIGQUERY ? bytes.toString('base64') : `\\x${bytes.toString('hex')}`
    return replacesNul ? cell.replaceAll('\0', '\ufffd') : cell
  })
  return { cells, read }
}

it.each([
  ['excel', EXCEL],
  ['excel-eu', EXCEL_EU],
  ['postgres', POSTGRES],
  ['bigquery', BIGQUERY],
] as const)('10,000 random rows in the profile %s are read back by a strict reader', async (_, output) => {
  const random = randomNumbers(7)
  const rows = Array.from({ length: 10_000 }, () => randomRow(random, output))
  const asked = chunks(
    'json',
    rows.map(({ cells }) => cells),
  )
  const file = await encode(csvFormat, asked, columns(TYPES), output)
  const records: string[][] = parse(file, { bom: output.bom, delimiter: output.delimiter, record_delimiter: output.lineEnd })
  const unguarded = (text: string): string =>
    output.formulaGuard ? text.replace(/^'(?='*(?:[ \t"',;|]*=|[-+@\t\r\n\0]))/, '') : text
  expect(records.slice(1).map((record) => record.map(unguarded))).toEqual(rows.map(({ read }) => read))
})
