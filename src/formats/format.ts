/** A format: row text in, file bytes out. `test/contracts/format.ts` is the proof of an implementation. */
import type { Layout, RowChunk, Shape } from '../job/row-text.ts'
import type { FormatName, Output } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'

export interface Format {
  readonly name: FormatName
  /** Without the dot. */
  readonly extension: string
  readonly mediaType: string
  readonly layout: Layout
  /**
   * The whole file, as chunks whose bytes are good until the next is asked for. Rows come out in order, those that come written
   * as they are; what is changed on the way is told to `tally`, as is every row written, before the chunk that holds it is
   * yielded. Throws what `rows` throws; never ends early. A row that the format cannot hold throws a FreightError that names row, key
   * and column, or is left out and told to `tally`, as its `onRowError` says. All rows of a chunk are told before the next is asked for.
   */
  encode(rows: AsyncIterable<RowChunk>, shape: Shape, output: Output, tally: RowTally): AsyncIterable<Uint8Array>
}
