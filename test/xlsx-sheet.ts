/** The one sheet that rows come to, read by `xlsx-reader.ts`. */
import { xlsxFormat } from '../src/formats/xlsx.ts'
import type { RowChunk, Shape } from '../src/job/row-text.ts'
import type { Output } from '../src/job/spec.ts'
import { RowTally } from '../src/job/tally.ts'
import { encode } from './contracts/encode.ts'
import { type Cell, chunks, MACHINE } from './contracts/row-text.ts'
import { readWorkbook, type WorkbookSheet } from './xlsx-reader.ts'

export const NATIVE: Output = { ...MACHINE, times: 'native' }

export async function sheetOf(
  rows: readonly (readonly Cell[])[],
  shape: Shape,
  output: Output = NATIVE,
  tally = new RowTally('things'),
): Promise<WorkbookSheet> {
  const { sheets } = await readWorkbook(await encode(xlsxFormat, chunks('json', rows), shape, output, tally))
  return sheets[0] as WorkbookSheet
}

export async function* one(chunk: RowChunk): AsyncIterable<RowChunk> {
  yield chunk
}
