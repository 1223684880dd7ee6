/** The whole file that a format makes of rows. */
import type { Format } from '../../src/formats/format.ts'
import type { RowChunk, Shape } from '../../src/job/row-text.ts'
import type { Output } from '../../src/job/spec.ts'
import { RowTally } from '../../src/job/tally.ts'
import { collect, MACHINE } from './row-text.ts'

export async function encode(
  format: Format,
  rows: AsyncIterable<RowChunk>,
  shape: Shape,
  output: Output = MACHINE,
  tally: RowTally = new RowTally('things'),
): Promise<Buffer> {
  return collect(format.encode(rows, shape, output, tally))
}
