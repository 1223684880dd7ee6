/** Rows in COPY text give the bytes, and the tally, that the same rows give in the `json` form, whatever the choices about the file. */
import { describe, expect, it } from 'vitest'
import { type Cell, chunks, collect, column, MACHINE } from '../../test/contracts/row-text.ts'
import { createRandom } from '../cli/demo/random.ts'
import type { CellType, Shape } from '../job/row-text.ts'
import type { Output, ProfileName } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import { csvFormat } from './csv.ts'
import type { Format } from './format.ts'
import { jsonFormat } from './json.ts'
import { ndjsonFormat } from './ndjson.ts'

const TYPES: readonly CellType[] = [
  'text',
  'integer',
  'decimal',
  'float',
  'boolean',
  'date',
  'time',
  'timestamp',
  'uuid',
  'json',
  'bytes',
  'any',
]
const FLAT: Shape = [column('id', 'integer', { key: true, hidden: true }), ...TYPES.map((type) => column(type, type))]
const INNER: Shape = [column('a'), column('n', 'decimal'), column('t', 'timestamp')]
const NESTED: Shape = [...FLAT, { kind: 'one', name: 'there', cells: INNER }, { kind: 'many', name: 'many', cells: INNER }]

const TEXTS = [
  ...[
    '',
    ' ',
    'a',
    'NULL',
    '\\N',
    '\\.',
    '\\',
    '"',
    '""',
    ',',
    ';',
    '1',
    'a,b;c|d\te',
    'x\ny',
    'x\r\ny',
    '\b\f\v\u0001\u001f\u007f',
  ],
  ...[
    '=1',
    '+1',
    '-1',
    '-1,5',
    '@x',
    '\t=1',
    '-Infinity',
    'Infinity',
    'NaN',
    '007',
    '1e5',
    't',
    'f',
    'true',
    '\u2028é😀',
    '\ufeffx',
  ],
  ...[
    '2024-02-29 12:00:00',
    '2024-02-29 12:00:00.123456+00',
    '2024-02-30 12:00:00',
    'infinity',
    '0044-03-15 12:00:00+00 BC',
    '12024-01-01 00:00:00',
  ],
  ...[
    '{"a":1}',
    '{"a":\t1,\n"b":[1,2,"x\\ny"]}',
    '{"a":',
    '[]',
    'null',
    '"x"',
    '{"b":"00"}',
    '[[1]]',
    '\\x00ff',
    'x'.repeat(3000),
  ],
]
const NUMBERS = ['0', '-0', '1', '-12.50', '1e-07', '9223372036854775807', '0.10', 'Infinity', '-Infinity']

const random = createRandom('copy text')
const pick = <T>(from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T

function cell(type: CellType): Cell {
  if (random.next() < 0.15) return null
  if (type === 'bytes') return { bytes: Buffer.from(pick(TEXTS)) }
  const isNumber = type === 'integer' || type === 'decimal' || type === 'float'
  return isNumber && random.next() < 0.8
    ? { number: pick(NUMBERS) }
    : pick(TEXTS.filter((text) => !isNumber || Number.isNaN(Number(text)) || text === '' || text === ' '))
}

function row(id: number, isNested: boolean): Cell[] {
  const flat: Cell[] = [{ number: String(id) }, ...TYPES.map(cell)]
  if (!isNested) return flat
  const isThere = random.next() < 0.5
  const inner = (): Cell[] => [pick(TEXTS), { number: pick(NUMBERS) }, cell('timestamp')]
  const one: Cell[] = isThere ? ['t', ...inner()] : ['f', null, null, null]
  return [...flat, ...one, random.next() < 0.3 ? null : { many: [inner(), inner()] }]
}

async function written(form: 'json' | 'copy', format: Format, rows: readonly Cell[][], shape: Shape, output: Output) {
  const tally = new RowTally('things')
  const bytes = await collect(format.encode(chunks(form, rows, 97), shape, output, tally))
  return { text: bytes.toString(), results: tally.results, changes: tally.changes, log: tally.log }
}

const OUTPUTS: readonly Partial<Output>[] = [
  {},
  { times: 'rfc3339' },
  { times: 'rfc3339', timeZone: 'America/St_Johns' },
  { omitBlank: true, times: 'rfc3339' },
  { quoting: 'all' },
  { nullText: 'NULL' },
  { delimiter: ';', lineEnd: '\r\n' },
  { delimiter: '1', times: 'rfc3339' },
  { delimiter: '\t' },
  ...(['excel', 'excel-eu', 'bigquery', 'postgres'] satisfies ProfileName[]).map((profile) => ({
    profile,
    delimiter: ';',
    formulaGuard: profile.startsWith('excel'),
  })),
  { profile: 'excel-eu', delimiter: ';' },
]

describe('rows in COPY text', () => {
  it.each(OUTPUTS)('are written as the same rows in the json form, with %o', async (more) => {
    const output: Output = { ...MACHINE, ...more }
    const flat = Array.from({ length: 250 }, (_, id) => row(id, false))
    const nested = Array.from({ length: 250 }, (_, id) => row(id, true))
    expect(await written('copy', csvFormat, flat, FLAT, output)).toEqual(await written('json', csvFormat, flat, FLAT, output))
    for (const format of [jsonFormat, ndjsonFormat]) {
      expect(await written('copy', format, nested, NESTED, output)).toEqual(await written('json', format, nested, NESTED, output))
    }
  })

  it('are written so with one column, and with none', async () => {
    for (const type of TYPES) {
      const rows = Array.from({ length: 200 }, () => [cell(type)])
      for (const format of [csvFormat, jsonFormat, ndjsonFormat]) {
        const shape = [column('only', type)]
        expect(await written('copy', format, rows, shape, MACHINE)).toEqual(await written('json', format, rows, shape, MACHINE))
      }
    }
    for (const format of [csvFormat, jsonFormat, ndjsonFormat]) {
      expect(await written('copy', format, [[], []], [], MACHINE)).toEqual(await written('json', format, [[], []], [], MACHINE))
    }
  })
})
