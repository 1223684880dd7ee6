/**
 * The corridor: one run of one export, from the checked spec to the written files and their manifest.
 *
 * The end of a stream never means success: a file is published only after the source's own end marker, with rows seen = rows
 * written + rows left out, and equal to the exact count of the same snapshot where there is one.
 */
import { FreightError } from '../job/errors.ts'
import { type Results, RowTally } from '../job/tally.ts'
import type { Parts } from '../parts.ts'
import { exportPart, type Run } from './export-part.ts'
import { fileNames } from './file-names.ts'
import { Ledger } from './ledger.ts'
import type { RunInput, RunOutcome, RunSink, WrittenFile } from './run.ts'
import { manifestOf } from './run-manifest.ts'
import { Watchdog } from './watchdog.ts'

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

function sumResults(tallies: readonly RowTally[]): Results {
  const sum = { successful: 0, warnings: 0, errors: 0 }
  for (const { results } of tallies) {
    sum.successful += results.successful
    sum.warnings += results.warnings
    sum.errors += results.errors
  }
  return sum
}
