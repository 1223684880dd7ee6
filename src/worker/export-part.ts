/** One part of a run: its rows, checked and counted, into one file or several. */
import { FreightError } from '../job/errors.ts'
import { numberedName } from '../job/numbered-name.ts'
import type { RowChunk, RowCount } from '../job/row-text.ts'
import type { CheckedPart } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import type { Parts } from '../parts.ts'
import type { Snapshot } from '../sources/source.ts'
import { HashedBody } from './hashed-body.ts'
import type { Ledger } from './ledger.ts'
import { rowsRead, withoutLeftOut } from './left-out.ts'
import type { RunInput, RunSink, WrittenFile } from './run.ts'
import { splitFiles } from './split-files.ts'
import type { Watchdog } from './watchdog.ts'

/** The exact count runs beside the rows for so long; it never delays one. */
const COUNT_BUDGET_MS = 2_000

/** What the parts of one run share. */
export interface Run {
  readonly input: RunInput
  readonly parts: Parts
  readonly sink: RunSink
  readonly snapshot: Snapshot
  readonly watchdog: Watchdog
  readonly ledger: Ledger
}

/** Yields each file once it is whole: one, or several where the part is split. */
export async function* exportPart(run: Run, index: number, name: string, tally: RowTally): AsyncIterable<WrittenFile> {
  const { snapshot, ledger, sink } = run
  const { spec } = run.input
  const part = spec.parts[index]
  if (!part) return
  const format = run.parts.format(spec.format)
  let counted = countBeside(snapshot, index, ledger)
  // Where finding the rows took longer than the budget, their number is known for nothing once the first have come.
  const countAgain = (): void => {
    counted = counted.then((count) => (count.rows === null ? countBeside(snapshot, index, ledger) : count))
  }
  const read = snapshot.rows(index, { format: spec.format, output: spec.output })
  const rows = withoutLeftOut(checkedRows(run, index, read, countAgain), tally)
  const proveAll = async (): Promise<void> => assertComplete(part, tally, ledger.processed(index), await counted)
  const encode = (some: AsyncIterable<RowChunk>) => format.encode(some, snapshot.shape(index), spec.output, tally)
  if (!part.split) {
    yield writeFile(run, name, provenComplete(encode(rows), proveAll), tally)
    return
  }
  const write = (number: number, content: AsyncIterable<Uint8Array>) => writeFile(run, numberedName(name, number), content, tally)
  for await (const file of splitFiles({ rows, split: part.split, format: spec.format, tally, encode, write, proveAll })) {
    sink.fileWritten(file)
    yield file
  }
}

/** Compressed, hashed and stored, whole or not at all. */
async function writeFile(run: Run, name: string, content: AsyncIterable<Uint8Array>, tally: RowTally): Promise<WrittenFile> {
  const { parts, sink, watchdog } = run
  const { spec } = run.input
  const compression = spec.compression ? parts.compression(spec.compression) : null
  const rowsBefore = tally.rows
  const body = new HashedBody(compression ? compression.compress(content) : content, watchdog)
  const bytes = await sink.put(name, body, watchdog.signal)
  const { mediaType } = compression ?? parts.format(spec.format)
  return { name, resource: tally.resource, rows: tally.rows - rowsBefore, bytes, sha256: body.sha256(), mediaType }
}

/** The count of the same snapshot; a count that fails is no count, the rows' own end marker still decides. */
async function countBeside(snapshot: Snapshot, part: number, ledger: Ledger): Promise<RowCount> {
  try {
    const count = await snapshot.count(part, { ms: COUNT_BUDGET_MS })
    if (count.rows !== null) ledger.total(part, count)
    return count
  } catch {
    return { rows: null, exact: false }
  }
}

/** Counts what passes, and ends the run where it is more than it may be. `onFirst`: called as the first rows come. */
async function* checkedRows(
  { input, ledger, watchdog }: Run,
  index: number,
  rows: AsyncIterable<RowChunk>,
  onFirst: () => void,
): AsyncIterable<RowChunk> {
  const part = input.spec.parts[index]
  for await (const chunk of rows) {
    watchdog.alive()
    if (ledger.processed(index) === 0) onFirst()
    if (part?.maxRows != null && ledger.processed(index) + rowsRead(chunk) > part.maxRows)
      throw tooManyRows(part.resource, part.maxRows)
    yield chunk
    ledger.add(index, rowsRead(chunk))
  }
}

function tooManyRows(resource: string, maxRows: number): FreightError {
  return new FreightError(
    'TOO_MANY_ROWS',
    `This export of "${resource}" has more than the ${maxRows} rows that one export of it may have; narrow it with filters or a limit. Nothing was cut.`,
  )
}

/** Runs `prove` after the last byte and before the end: when it throws, the file is never published. */
async function* provenComplete(bytes: AsyncIterable<Uint8Array>, prove: () => Promise<void>): AsyncIterable<Uint8Array> {
  yield* bytes
  await prove()
}

function assertComplete(part: CheckedPart, tally: RowTally, seen: number, count: RowCount): void {
  const accounted = tally.rows + tally.errors
  const exact = count.exact ? count.rows : null
  if (accounted === seen && (exact === null || exact === seen)) return
  throw new FreightError(
    'ROWS_INCOMPLETE',
    `"${part.resource}": ${seen} rows were read, ${accounted} accounted for, ${exact ?? 'an unknown number of'} expected. The file was not published.`,
  )
}
