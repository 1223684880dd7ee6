/** Rows that a source left out: told to the tally, each behind the rows it came after, and kept from the format. */
import type { RowChunk } from '../job/row-text.ts'
import type { RowTally } from '../job/tally.ts'

export async function* withoutLeftOut(chunks: AsyncIterable<RowChunk>, tally: RowTally): AsyncIterable<RowChunk> {
  for await (const chunk of chunks) {
    if (chunk.rows > 0) yield chunk
    if (chunk.leftOut) tally.leftOut(chunk.leftOut)
  }
}

/** All rows of a chunk that were read, written or not. */
export function rowsRead({ rows, leftOut = [] }: RowChunk): number {
  return rows + leftOut.length
}
