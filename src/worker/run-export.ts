/**
 * The corridor: one run of one export, from the checked spec to the written files and their manifest.
 *
 * The end of a stream never means success: a file is published only after the source's own end marker, with rows seen = rows
 * written + rows left out, and equal to the exact count of the same snapshot where there is one.
 */
import { createHash } from 'node:crypto'
import { FreightError } from '../job/errors.ts'
import type { Manifest, ManifestDelivery, ManifestField, ManifestFile, ManifestMask } from '../job/manifest.ts'
import { numberedName } from '../job/numbered-name.ts'
import type { RowChunk, RowCount, Shape } from '../job/row-text.ts'
import type { CheckedPart, CheckedSpec, Destination, Selected } from '../job/spec.ts'
import { type LogEntry, type Results, RowTally } from '../job/tally.ts'
import type { Parts } from '../parts.ts'
import type { Snapshot } from '../sources/source.ts'
import { fileNames } from './file-names.ts'
import { Ledger } from './ledger.ts'
import { rowsRead, withoutLeftOut } from './left-out.ts'
import { type SplitPart, splitFiles } from './split-files.ts'
import { Watchdog } from './watchdog.ts'

/** The exact count runs beside the rows for so long; it never delays one. */
const COUNT_BUDGET_MS = 2_000

export interface RunInput {
  readonly exportId: string
  readonly run: number
  readonly spec: CheckedSpec
  /** When the export was asked for; names the files. */
  readonly createdAt: Date
  readonly noProgressMs: number
  readonly maxRunMs: number
}

export interface RunProgress {
  readonly processed: number
  /** Null until the source has said something. */
  readonly total: number | null
  readonly totalIsEstimate: boolean
}

/** A run's signal, and what tells it that its delivery goes on. */
export interface DeliveryWatch {
  readonly signal: AbortSignal
  alive(): void
}

/** Where a run's bytes and news go. */
export interface RunSink {
  /** Stores one file, whole or not at all; resolves with its size. */
  put(name: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>
  /** Called after every chunk; must be cheap. */
  progress(progress: RunProgress): void
  /** What `Source.endSession` takes; awaited before the first row is read. */
  session(session: string): Promise<void>
  /** A file of a split part is whole. Called in the files' order. */
  fileWritten(file: WrittenFile): void
  /** Copies the written files to the caller's destination. Absent where exports have none, as on the command line. */
  deliver?(destination: Destination, files: readonly WrittenFile[], watch: DeliveryWatch): Promise<ManifestDelivery>
}

export interface WrittenFile extends ManifestFile {
  readonly mediaType: string
}

export interface RunOutcome {
  readonly results: Results
  readonly errorsLog: readonly LogEntry[]
  readonly files: readonly WrittenFile[]
  readonly manifest: Manifest
  readonly progress: RunProgress
}

export async function runExport(input: RunInput, parts: Parts, sink: RunSink, signal: AbortSignal): Promise<RunOutcome> {
  using watchdog = new Watchdog(signal, { noProgressMs: input.noProgressMs, maxRunMs: input.maxRunMs })
  try {
    const outcome = await readSnapshot(input, parts, sink, watchdog)
    // Only now: the source is done with, however long the destination takes.
    return await delivered(input, outcome, sink, watchdog)
  } catch (thrown) {
    // What an aborted stream throws depends on who noticed first; the reason of the abort is the truth.
    throw watchdog.signal.aborted ? watchdog.reason() : thrown
  }
}

/** Every file written and proven, and the snapshot closed. */
async function readSnapshot(input: RunInput, parts: Parts, sink: RunSink, watchdog: Watchdog): Promise<RunOutcome> {
  const { spec } = input
  const source = parts.source(spec.source)
  const format = parts.format(spec.format)
  const { sessionVariables = {}, onRowError = 'fail' } = spec
  const reading = { job: input.exportId, maxMs: input.maxRunMs, sessionVariables, onRowError }
  const snapshot = await source.open({ parts: spec.parts, layout: format.layout, ...reading }, watchdog.signal)
  try {
    if (snapshot.session !== null) await sink.session(snapshot.session)
    const ledger = new Ledger(spec.parts.length, (progress) => sink.progress(progress))
    return await exportParts({ input, parts, sink, snapshot, watchdog, ledger })
  } finally {
    await snapshot.close()
  }
}

/** With the receipt of its delivery, where the caller asked for one. */
async function delivered({ spec }: RunInput, outcome: RunOutcome, sink: RunSink, watchdog: Watchdog): Promise<RunOutcome> {
  if (!spec.destination) return outcome
  if (!sink.deliver) throw new FreightError('INTERNAL', 'This export has a destination where nothing can be delivered.')
  const alive = (): void => {
    watchdog.alive()
    // Said again and again: whoever holds the claim takes a thread that says nothing for dead.
    sink.progress(outcome.progress)
  }
  alive()
  const delivery = await sink.deliver(spec.destination, outcome.files, { signal: watchdog.signal, alive })
  return { ...outcome, manifest: { ...outcome.manifest, delivery } }
}

/** What the parts of one run share. */
interface Run {
  readonly input: RunInput
  readonly parts: Parts
  readonly sink: RunSink
  readonly snapshot: Snapshot
  readonly watchdog: Watchdog
  readonly ledger: Ledger
}

async function exportParts(run: Run): Promise<RunOutcome> {
  const { spec, createdAt } = run.input
  const format = run.parts.format(spec.format)
  const compression = spec.compression ? run.parts.compression(spec.compression) : null
  const extension = compression ? `${format.extension}.${compression.extension}` : format.extension
  const names = fileNames(spec.parts, extension, createdAt)
  const files: WrittenFile[] = []
  const tallies: RowTally[] = []
  for (const [index, part] of spec.parts.entries()) {
    const tally = new RowTally(part.resource, spec.onRowError)
    tallies.push(tally)
    for await (const file of exportPart(run, index, names[index] ?? part.resource, tally)) files.push(file)
  }
  return {
    results: sumResults(tallies),
    errorsLog: tallies.flatMap((tally) => tally.log).slice(0, 100),
    files,
    manifest: manifestOf(run.input, run.snapshot, files, tallies),
    progress: run.ledger.finished(),
  }
}

/** Yields each file once it is whole: one, or several where the part is split. */
async function* exportPart(run: Run, index: number, name: string, tally: RowTally): AsyncIterable<WrittenFile> {
  const { parts, sink, snapshot, watchdog, ledger } = run
  const { spec } = run.input
  const part = spec.parts[index]
  if (!part) return
  const format = parts.format(spec.format)
  const compression = spec.compression ? parts.compression(spec.compression) : null
  let counted = countBeside(snapshot, index, ledger)
  // Where finding the rows took longer than the budget, their number is known for nothing once the first have come.
  const countAgain = (): void => {
    counted = counted.then((count) => (count.rows === null ? countBeside(snapshot, index, ledger) : count))
  }
  const read = snapshot.rows(index, { format: spec.format, output: spec.output })
  const rows = withoutLeftOut(checkedRows(read, index, part, ledger, watchdog, countAgain), tally)
  const proveAll = async (): Promise<void> => assertComplete(part, tally, ledger.processed(index), await counted)
  const encode = (some: AsyncIterable<RowChunk>) => format.encode(some, snapshot.shape(index), spec.output, tally)
  const write = async (fileName: string, content: AsyncIterable<Uint8Array>): Promise<WrittenFile> => {
    const rowsBefore = tally.rows
    const body = new HashedBody(compression ? compression.compress(content) : content, watchdog)
    const bytes = await sink.put(fileName, body, watchdog.signal)
    const mediaType = compression?.mediaType ?? format.mediaType
    return { name: fileName, resource: part.resource, rows: tally.rows - rowsBefore, bytes, sha256: body.sha256(), mediaType }
  }
  if (!part.split) {
    yield write(name, provenComplete(encode(rows), proveAll))
    return
  }
  const writeNumbered: SplitPart['write'] = (number, content) => write(numberedName(name, number), content)
  for await (const file of splitFiles({
    rows,
    split: part.split,
    format: spec.format,
    tally,
    encode,
    write: writeNumbered,
    proveAll,
  })) {
    sink.fileWritten(file)
    yield file
  }
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

async function* checkedRows(
  rows: AsyncIterable<RowChunk>,
  index: number,
  part: CheckedPart,
  ledger: Ledger,
  watchdog: Watchdog,
  onFirst: () => void,
): AsyncIterable<RowChunk> {
  for await (const chunk of rows) {
    watchdog.alive()
    if (ledger.processed(index) === 0) onFirst()
    if (part.maxRows !== null && ledger.processed(index) + rowsRead(chunk) > part.maxRows)
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

/** Passes bytes through, hashing them, and keeps the watchdog informed of writes that went on. */
class HashedBody implements AsyncIterable<Uint8Array> {
  readonly #hash = createHash('sha256')
  readonly #bytes: AsyncIterable<Uint8Array>
  readonly #watchdog: Watchdog

  constructor(bytes: AsyncIterable<Uint8Array>, watchdog: Watchdog) {
    this.#bytes = bytes
    this.#watchdog = watchdog
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for await (const chunk of this.#bytes) {
      this.#hash.update(chunk)
      yield chunk
      this.#watchdog.alive()
    }
  }

  sha256(): string {
    return this.#hash.digest('hex')
  }
}

function sumResults(tallies: readonly RowTally[]): Results {
  const sum = { successful: 0, warnings: 0, errors: 0 }
  for (const { results } of tallies) {
    sum.successful += results.successful
    sum.warnings += results.warnings
    sum.errors += results.errors
  }
  return sum
}

function manifestOf(input: RunInput, snapshot: Snapshot, files: readonly WrittenFile[], tallies: readonly RowTally[]): Manifest {
  const { spec } = input
  return {
    version: 1,
    export: input.exportId,
    run: input.run,
    format: spec.format,
    compression: spec.compression,
    output: spec.output,
    snapshotAt: snapshot.takenAt?.toISOString() ?? null,
    files: files.map(({ name, resource, rows, bytes, sha256 }) => ({ name, resource, rows, bytes, sha256 })),
    fields: spec.parts.flatMap((part, index) => fieldsOf(part.resource, snapshot.shape(index), '')),
    changes: tallies.flatMap((tally) => tally.changes),
    masks: spec.parts.flatMap((part) => masksOf(part.resource, part.select, '')),
  }
}

function masksOf(resource: string, select: readonly Selected[], prefix: string): ManifestMask[] {
  return select.flatMap((node): ManifestMask[] => {
    const name = prefix + node.name
    if (node.kind !== 'field') return masksOf(resource, node.select, `${name}.`)
    return node.mask === undefined ? [] : [{ resource, name, mask: node.mask }]
  })
}

/** The columns as a reader of the file finds them; a to-many relation is one column of JSON. */
export function fieldsOf(resource: string, shape: Shape, prefix: string): ManifestField[] {
  return shape.flatMap((cell): ManifestField[] => {
    const name = prefix + cell.name
    if (cell.kind === 'one') return fieldsOf(resource, cell.cells, `${name}.`)
    if (cell.kind === 'many') return [{ resource, name, type: 'json' }]
    return cell.hidden ? [] : [{ resource, name, type: cell.type }]
  })
}
