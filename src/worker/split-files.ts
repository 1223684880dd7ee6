/** Writes one part's rows as several files, each whole and readable by itself. */
import { FreightError } from '../job/errors.ts'
import type { RowChunk } from '../job/row-text.ts'
import type { FormatName, Split } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import type { WrittenFile } from './run.ts'
import { RowSplitter } from './split-rows.ts'

/** Each is listed in the job's record, which is read whole; a split that needs more was asked for by mistake. */
const MAX_FILES = 10_000

export interface SplitPart {
  readonly rows: AsyncIterable<RowChunk>
  readonly split: Split
  readonly format: FormatName
  readonly tally: RowTally
  /** A whole file from these rows, before compression. */
  encode(rows: AsyncIterable<RowChunk>): AsyncIterable<Uint8Array>
  /** Stores file `number` (from 1), whole or not at all. */
  write(number: number, content: AsyncIterable<Uint8Array>): Promise<WrittenFile>
  /** Throws where the source's rows, read to their end, are not all accounted for. */
  proveAll(): Promise<void>
}

/** Yields each file once it is whole. The last is published only when all rows are proven to be there, as a single file is. */
export async function* splitFiles(part: SplitPart): AsyncIterable<WrittenFile> {
  const splitter = new RowSplitter(part.rows, part.split, part.format, () => part.tally.refused)
  try {
    for (let number = 1; ; number++) {
      if (number > MAX_FILES) throw tooManyFiles(part.tally.resource)
      yield await part.write(number, provenFile(part, splitter))
      if (!(await splitter.hasMore())) break
    }
    await part.proveAll()
  } finally {
    splitter.close()
  }
}

async function* provenFile(part: SplitPart, splitter: RowSplitter): AsyncIterable<Uint8Array> {
  const { tally } = part
  const before = tally.rows
  yield* splitter.measured(part.encode(splitter.file()))
  const written = tally.rows - before
  if (written !== splitter.fileRows) {
    throw new FreightError(
      'ROWS_INCOMPLETE',
      `"${tally.resource}": ${splitter.fileRows} rows were read for a file, ${written} written to it. The file was not published.`,
    )
  }
  if (splitter.hasEnded) await part.proveAll()
}

function tooManyFiles(resource: string): FreightError {
  return new FreightError(
    'OPTION_INVALID',
    `"${resource}" would be split into more than the ${MAX_FILES} files that one part may have; ask for larger files. Nothing was cut.`,
  )
}
