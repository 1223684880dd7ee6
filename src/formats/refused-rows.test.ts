/** Rows that a format cannot hold, where they are to be left out: the others are written as if those had not been there. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cell, chunks, collect, column, MACHINE } from '../../test/contracts/row-text.ts'
import { readByDuckDb } from '../../test/parquet-readers.ts'
import type { RowForm, Shape } from '../job/row-text.ts'
import { RowTally } from '../job/tally.ts'
import type { Format } from './format.ts'
import { createParquetFormat } from './parquet.ts'

let tempDir: string
let format: Format
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), 'freight-refused-'))
  format = createParquetFormat({ tempDir })
})
afterAll(() => {
  expect(readdirSync(tempDir)).toEqual([])
  rmSync(tempDir, { recursive: true })
})

const SHAPE: Shape = [
  column('id', 'integer', { key: true, hidden: true }),
  column('document', 'json'),
  column('n', 'integer'),
  column('text'),
]
const wrong: Cell = { raw: Buffer.from([0x62, 0xff]) }

async function encoded(rows: readonly (readonly Cell[])[], form: RowForm, perChunk: number) {
  const tally = new RowTally('things', 'skip')
  const bytes = await collect(format.encode(chunks(form, rows, perChunk), SHAPE, { ...MACHINE, times: 'rfc3339' }, tally))
  return { file: await readByDuckDb(bytes), tally }
}

it.each([
  ['json', 1],
  ['json', 3],
  ['json', 1000],
  ['copy', 4],
  ['copy', 1000],
] as const)('are left out wherever they stand, with what was counted of them (%s, chunks of %i)', async (form, perChunk) => {
  // The document of a refused row has been written, and counted as changed, before its number is seen.
  const rows = Array.from({ length: 300 }, (_, index): Cell[] => {
    const id = { number: String(index + 1) }
    if (index % 5 === 0 || index === 299) return [id, '{broken', 'not a number', wrong]
    return [id, index % 50 === 1 ? '{broken' : `{"a":${index}}`, { number: String(index) }, index % 50 === 2 ? wrong : 'x"y']
  })
  const { file, tally } = await encoded(rows, form, perChunk)
  const kept = rows.map((_, index) => index).filter((index) => index % 5 !== 0 && index !== 299)
  expect(file.rows.map(([, n]) => Number(n))).toEqual(kept)
  expect(file.rows.map(([document]) => document)).toEqual(kept.map((n) => (n % 50 === 1 ? '"{broken"' : `{"a":${n}}`)))
  expect(file.rows.map(([, , text]) => text)).toEqual(kept.map((n) => (n % 50 === 2 ? 'b\ufffd' : 'x"y')))
  expect(tally.results).toEqual({ successful: 300 - 61 - 12, warnings: 12, errors: 61 })
  expect(tally.changes).toEqual(
    expect.arrayContaining([
      { resource: 'things', column: 'document', cause: 'json_invalid', cells: 6 },
      { resource: 'things', column: 'text', cause: 'invalid_utf8', cells: 6 },
    ]),
  )
  const refused = tally.log.filter((entry) => entry.column === 'n')
  expect(refused.map(({ row, key }) => `${row} ${key}`)).toEqual(
    rows.flatMap((_, index) => (index % 5 === 0 || index === 299 ? [`${index + 1} ${index + 1}`] : [])).slice(0, refused.length),
  )
  expect(refused.length).toBeGreaterThan(50)
})

it('leave a whole file without rows where there are no others', async () => {
  const rows = Array.from({ length: 150 }, (_, index): Cell[] => [{ number: String(index) }, null, 'none', null])
  const { file, tally } = await encoded(rows, 'json', 40)
  expect(file).toMatchObject({ names: ['document', 'n', 'text'], rows: [] })
  expect(tally.results).toEqual({ successful: 0, warnings: 0, errors: 150 })
  expect(tally.log).toHaveLength(100)
})

it('may be refused for their size: a cell too large, or the row', async () => {
  const id = (number: number): Cell => ({ number: String(number) })
  const large = 'x'.repeat(2_000_001)
  const rows: Cell[][] = [
    [id(1), null, { number: '1' }, 'first'],
    [id(2), null, { number: '2' }, large],
    [id(3), `{"a":"${large}"}`, { number: '3' }, 'x'],
    [id(4), null, { number: '4' }, 'last'],
  ]
  const { file, tally } = await encoded(rows, 'json', 4)
  expect(file.rows.map(([, , text]) => text)).toEqual(['first', 'last'])
  expect(tally.log.map(({ row, key, column: name, what }) => [row, key, name, /max_cell_mb/.test(what)])).toEqual([
    [2, '2', 'text', true],
    [3, '3', 'document', true],
  ])
  const wide = Array.from({ length: 9 }, (_, index) => column(`c${index}`))
  const rowTally = new RowTally('things', 'skip')
  const cells = (text: string): Cell[] => wide.map(() => text)
  const pieces = format.encode(chunks('json', [cells('a'), cells('x'.repeat(1_900_000)), cells('b')]), wide, MACHINE, rowTally)
  expect((await readByDuckDb(await collect(pieces))).rows.map(([first]) => first)).toEqual(['a', 'b'])
  expect(rowTally.log).toMatchObject([{ row: 2, key: null, column: null }])
})

it('are left out of COPY text that is read in one pass, and the rows behind them are written', async () => {
  const rows = Array.from({ length: 300 }, (_, index): Cell[] => {
    return [{ number: String(index + 1) }, '{broken', index % 5 === 0 ? 'not a number' : { number: String(index) }, 'x"y']
  })
  const { file, tally } = await encoded(rows, 'copy', 100)
  const kept = rows.map((_, index) => index).filter((index) => index % 5 !== 0)
  expect(file.rows).toEqual(kept.map((n) => ['"{broken"', String(n), 'x"y']))
  expect(tally.results).toEqual({ successful: 0, warnings: 240, errors: 60 })
  expect(tally.changes).toEqual([{ resource: 'things', column: 'document', cause: 'json_invalid', cells: 240 }])
})
