import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ExcelJS from 'exceljs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encode } from '../../test/contracts/encode.ts'
import { chunks, collect, columns } from '../../test/contracts/row-text.ts'
import { ZipWriter } from '../formats/xlsx/zip.ts'
import { createXlsxFormat } from '../formats/xlsx.ts'
import { countSheetRows } from './count-sheet-rows.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-sheets-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

test('rows are counted over all sheets, without their headers', async () => {
  const rows = Array.from({ length: 9 }, (_, index) => [`<row ${index}>`])
  const file = await encode(createXlsxFormat(5), chunks('json', rows), columns(['text']))
  expect(await countSheetRows(written('three.xlsx', file))).toBe(9)
  expect(
    await countSheetRows(written('none.xlsx', await encode(createXlsxFormat(5), chunks('json', []), columns(['text'])))),
  ).toBe(0)
})

test('rows are counted in a workbook that another program wrote', async () => {
  const workbook = new ExcelJS.Workbook()
  const sheet = workbook.addWorksheet('orders')
  for (let row = 0; row < 2001; row++) sheet.addRow([row, `text ${row}`])
  const path = join(folder, 'other.xlsx')
  await workbook.xlsx.writeFile(path)
  expect(await countSheetRows(path)).toBe(2000)
})

test('rows are counted where the zip needs its large form', async () => {
  const zip = new ZipWriter(1)
  const text = `<worksheet>${'<row r="1"></row>'.repeat(100_001)}</worksheet>`
  const sheet = await collect(zip.entry('xl/worksheets/sheet1.xml', [Buffer.from(text)]))
  expect(await countSheetRows(written('large.xlsx', Buffer.concat([sheet, zip.end()])))).toBe(100_000)
})

test('a file that is cut, or is none, is refused', async () => {
  const file = await encode(createXlsxFormat(5), chunks('json', [['a']]), columns(['text']))
  for (const bytes of [file.subarray(0, -30), file.subarray(10), Buffer.from('id,note\n'), Buffer.alloc(0)]) {
    await expect(countSheetRows(written('cut.xlsx', bytes))).rejects.toThrow()
  }
})
