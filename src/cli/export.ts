/** `freight export`: one export without a server. */
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Progress } from '../job/job.ts'
import type { Manifest } from '../job/manifest.ts'
import { viewManifest } from '../job/manifest-view.ts'
import type { LogEntry, Results } from '../job/tally.ts'
import { chooseOutput, chooseSplitOutput, type FileOutput, freePath, outputFault, type StreamOutput } from './export-output.ts'
import { condition, defaultFileName, type ExportFlags, exportRequest, splitOf } from './export-request.ts'
import { CommandFailure } from './fault.ts'
import { bytesText, count, createBar, createReport, figuresOf, follow, type ProgressDisplay } from './progress-bar.ts'
import { offeringConfig, sourceConfig } from './settings.ts'
import { onStopSignal } from './signals.ts'
import { onStrayFault } from './stray-fault.ts'
import { commaList, EXIT, refuseRepeats, someText, wholeNumber } from './usage.ts'

/** Lines of the errors log that are printed below the summary. */
const LOG_LINES = 3
const MOST = Number.MAX_SAFE_INTEGER

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .summary('export one resource to a file, without a server')
    .description('Export one resource of a database to a file, without a server.')
    .option('--source <url>', 'sqlite: postgres: duckdb: parquet: csv: or --config', someText)
    .requiredOption('--resource <name>', 'the table, view or resource to export', someText)
    .option('--format <name>', 'csv, json, ndjson, parquet or xlsx', 'csv')
    .option('--profile <name>', 'CSV: machine, excel, excel-eu, postgres, bigquery')
    .option('--compress <name>', 'gzip or zstd')
    .option('--fields <list>', 'a,customer.email,line_items.*', commaList)
    .option('--include <list>', 'relations: customer,line_items.sku', commaList)
    .option('--where <condition>', 'status_eq=paid, repeated: all must hold', condition)
    .option('--sort <list>', 'a,-b: a minus sorts descending', commaList)
    .option('--limit <rows>', 'rows at most (per file: --split-rows N|--split-bytes N)', wholeNumber(0, MOST))
    .addOption(new Option('--split-rows <rows>').argParser(wholeNumber(1, MOST)).hideHelp())
    .addOption(new Option('--split-bytes <bytes>').argParser(wholeNumber(1, MOST)).conflicts('splitRows').hideHelp())
    .addOption(new Option('--on-row-error <what>').choices(['fail', 'skip']).hideHelp())
    .option('--dry-data', 'without keys, timestamps and blanks')
    .option('--output <file>', 'default: resource.format here; - is standard output', someText)
    .option('--force', 'replace an existing file')
    .option('--manifest <file>', 'write the receipt that "freight verify" checks', someText)
    .option('--progress <kind>', 'json: a line per second on standard error', progressKind)
    .addOption(new Option('--config <file>').argParser(someText).conflicts('source').hideHelp())
  for (const flags of CSV_FLAGS) command.addOption(new Option(flags).hideHelp())
  command.addOption(new Option('--max-cell-mb <number>').argParser(wholeNumber(1, 64)).hideHelp())
  command.addHelpText('after', CSV_HELP)
  refuseRepeats(command, ['where'])
  command.action(async (flags: ExportFlags) => {
    process.exitCode = await runExport(flags)
  })
}

const CSV_FLAGS = [
  '--delimiter <character>',
  '--no-header',
  '--quoting <kind>',
  '--null-text <text>',
  '--bom',
  '--line-end <kind>',
  '--times <kind>',
  '--time-zone <zone>',
]
const CSV_HELP = `
CSV: --delimiter ";"|tab --no-header --quoting minimal|all --null-text TEXT
     --bom --line-end lf|crlf  Times: --times database|rfc3339 --time-zone ZONE`

function progressKind(text: string): 'json' {
  if (text === 'json') return text
  throw new InvalidArgumentError('It can only be json; a bar is drawn on a terminal anyway.')
}

async function runExport(flags: ExportFlags): Promise<number> {
  const name = flags.output ?? defaultFileName(flags)
  const settings = flags.source === undefined ? await offeringConfig(flags.config) : sourceConfig(flags.source)
  const isSplit = splitOf(flags) !== null
  const force = flags.force ?? false
  const output = isSplit ? chooseSplitOutput(name, defaultFileName(flags), force) : chooseOutput(name, force)
  if (flags.manifest !== undefined) checkManifestPath(flags.manifest, flags.force ?? false, output)
  const stop = onStopSignal()
  const stray = onStrayFault()
  const startedMs = performance.now()
  let progress: Progress = { processed: 0, total: null, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: new Date() }
  const display = displayFor(flags)
  const stopDrawing = display ? follow(display, () => figuresOf(progress, new Date())) : () => {}
  try {
    // Loaded here, so that --help and a wrong flag do not wait for it.
    const { exportOnce } = await import('../one-shot.ts')
    const result = await exportOnce({
      ...settings,
      request: exportRequest(flags),
      output: 'path' in output ? output : { stream: output.stream },
      signal: AbortSignal.any([stop.signal, stray.signal, ...('path' in output ? [] : [output.signal])]),
      onProgress(latest) {
        progress = latest
      },
    })
    stopDrawing()
    // The last bytes may fail after everything else has gone well.
    if ('stream' in output && output.failure()) return endBroken(null, output, stop.signal)
    const manifest = withOwnNames(result)
    if (flags.manifest !== undefined) await writeManifest(flags.manifest, manifest)
    const seconds = (performance.now() - startedMs) / 1000
    tell(flags, { ...result, name: shownName(name, result.paths), manifest, seconds })
    return EXIT.done
  } catch (error) {
    stopDrawing()
    return endBroken(stray.signal.aborted ? stray.signal.reason : error, output, stop.signal)
  } finally {
    stop.dispose()
    stray.dispose()
  }
}

/** The exit code where the reason is outside of the export; else throws it. */
function endBroken(error: unknown, output: FileOutput | StreamOutput, stopped: AbortSignal): number {
  if (stopped.aborted) {
    process.stderr.write(`Interrupted; ${'path' in output ? 'no file was written' : 'the output is not complete'}.\n`)
    return EXIT.interrupted
  }
  const failure = 'stream' in output ? output.failure() : null
  if (failure === null) throw error
  const fault = outputFault(failure)
  if (fault) throw fault
  return EXIT.failed
}

function checkManifestPath(name: string, force: boolean, output: FileOutput | StreamOutput): void {
  const path = freePath('--manifest', name, force)
  if ('path' in output && output.path === path)
    throw new CommandFailure('--manifest and --output name the same file.', { exitCode: EXIT.usage })
}

/** Null where nobody looks: standard error is no terminal. */
function displayFor(flags: ExportFlags): ProgressDisplay | null {
  if (flags.progress === 'json') return createReport(process.stderr)
  return process.stderr.isTTY ? createBar(process.stderr, flags.resource) : null
}

interface Written {
  readonly manifest: Manifest
  readonly paths: readonly string[]
}

/** The files are named as they are called here, so that they are found. */
function withOwnNames({ manifest, paths }: Written): Manifest {
  const files = manifest.files.map((file, index) => ({ ...file, name: basename(paths[index] ?? file.name) }))
  return { ...manifest, files }
}

async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(viewManifest(manifest), null, 2)}\n`)
  } catch (error) {
    throw new CommandFailure(`The export is done, but its manifest cannot be written to "${path}": ${(error as Error).message}`, {
      cause: error,
    })
  }
}

interface Outcome {
  readonly name: string
  readonly manifest: Manifest
  readonly results: Results
  readonly errorsLog: readonly LogEntry[]
  readonly seconds: number
}

/** What was asked for; of several files the first and the last. */
function shownName(name: string, paths: readonly string[]): string {
  const [first, second] = paths
  if (first === undefined) return 'standard output'
  const last = paths.at(-1) ?? first
  return second === undefined ? name : `${count(paths.length)} files, ${basename(first)} to ${basename(last)}`
}

/** `orders.csv: 59,998 rows, 12.3 MB in 0.8 s, sha256 1a2b3c4d5e6f…`, or the same as a JSON line. */
function tell(flags: ExportFlags, { name, manifest, results, errorsLog, seconds }: Outcome): void {
  const rows = manifest.files.reduce((sum, file) => sum + file.rows, 0)
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  if (flags.progress === 'json') {
    const line = { status: 'completed', rows, bytes, seconds: Math.round(seconds * 1000) / 1000, results, files: manifest.files }
    process.stderr.write(`${JSON.stringify(line)}\n`)
    return
  }
  const parts = [`${count(rows)} ${rows === 1 ? 'row' : 'rows'}`, `${bytesText(bytes)} in ${seconds.toFixed(1)} s`]
  const [only, second] = manifest.files
  if (only && !second) parts.push(`sha256 ${only.sha256.slice(0, 12)}…`)
  if (results.warnings > 0) parts.push(`${count(results.warnings)} with changed cells`)
  if (results.errors > 0) parts.push(`${count(results.errors)} left out`)
  const entries = results.errors + manifest.changes.reduce((sum, { cells }) => sum + cells, 0)
  process.stderr.write(`${name}: ${parts.join(', ')}\n${logLines(errorsLog, entries, flags)}`)
}

/** The first of all `entries`, of which the log itself holds no more than the first hundred. */
function logLines(errorsLog: readonly LogEntry[], entries: number, { manifest }: ExportFlags): string {
  const shown = errorsLog.slice(0, LOG_LINES)
  const lines = shown.map(({ row, column, what }) => `  row ${count(row)}${column === null ? '' : `, ${column}`}: ${what}\n`)
  const more = entries - shown.length
  if (more > 0) {
    const where = manifest === undefined ? '; --manifest FILE writes how many cells of each column were changed, and why' : ''
    lines.push(`  and ${count(more)} more${where}\n`)
  }
  return lines.join('')
}
