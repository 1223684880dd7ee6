/** What an export would be: rows, bytes, seconds, its first rows, and what to be warned of. Stores nothing. */
import type { Principal } from '../access/principal.ts'
import { asFreightError, FreightError } from '../job/errors.ts'
import type { ChangeCause } from '../job/manifest.ts'
import type { RowCount } from '../job/row-text.ts'
import type { CheckedSpec, ExportRequest, FormatName } from '../job/spec.ts'
import { assertMay, assertPermitted } from './access.ts'
import type { ExportsContext } from './context.ts'
import { countRows, rowBound } from './count.ts'
import type { Preview } from './probe.ts'

const COUNT_MS = 1_000
const PREVIEW_MS = 2_000
const SAMPLE_MS = 1_000
/** Rows that are shown. */
const PREVIEW_ROWS = 20
/** Rows that the size per row is judged by: enough that a header line hardly counts. */
const SAMPLE_ROWS = 200
/**
 * An expectation, not a measurement of this server: a plain read of 13 columns from SQLite to a file, as the benchmarks give it.
 * Relations, sorts and slow disks take longer.
 */
const ROWS_PER_SECOND: Readonly<Record<FormatName, number>> = {
  csv: 300_000,
  json: 300_000,
  ndjson: 300_000,
  parquet: 200_000,
  xlsx: 150_000,
}

/** Those whose size the first rows tell; Parquet's says nothing until there are many. */
const FORMATS: readonly FormatName[] = ['csv', 'json', 'ndjson', 'xlsx']

const BINARY_FORMATS: ReadonlySet<FormatName> = new Set(['parquet', 'xlsx'])

interface Expectation {
  readonly format: FormatName
  /** Before compression. Null when it could not be sampled in time, or the format cannot hold the export. */
  readonly bytes: number | null
  /** Of the run, without waiting in the queue. Null when the rows are not known. */
  readonly seconds: number | null
}

export type EstimateWarning =
  | { readonly kind: 'cells_changed'; readonly column: string; readonly cause: ChangeCause; readonly cells: number }
  | { readonly kind: 'formula_like_cells'; readonly column: string; readonly cells: number }
  | { readonly kind: 'too_many_rows'; readonly rows: number; readonly bound: number; readonly exact: boolean }
  /** Why there is no preview. */
  | { readonly kind: 'preview_unavailable'; readonly error: FreightError }

export interface Estimate {
  readonly rows: RowCount
  readonly formats: readonly Expectation[]
  /** Of the first part; null when it took too long. */
  readonly preview: (Preview & { readonly format: FormatName; readonly resource: string }) | null
  readonly warnings: readonly EstimateWarning[]
}

/** Throws what the catalog refuses, and FORBIDDEN without exports:download. A source that is slow or away leaves nulls and a warning, not an error. */
export async function estimateExport(context: ExportsContext, caller: Principal, request: ExportRequest): Promise<Estimate> {
  assertMay(caller, 'write')
  const spec = context.catalog().check(request, caller)
  // Its first rows are shown.
  assertPermitted(context, caller, { spec }, 'download')
  const counts = await countParts(context, spec)
  const rows = sum(counts)
  const preview = await previewed(context, spec, PREVIEW_ROWS, PREVIEW_MS)
  // The bytes of a binary format show nothing, so its first rows are shown as CSV; what it changes is told all the same.
  const shown = asShown(context, caller, request, spec)
  const readable = shown === spec ? preview : shown && (await previewed(context, shown, PREVIEW_ROWS, PREVIEW_MS))
  const formats: Expectation[] = []
  for (const format of FORMATS) {
    const sampled = asFormat(context, caller, request, spec, format)
    formats.push({
      format,
      bytes: sampled && (await expectedBytes(context, sampled, counts)),
      seconds: expectedSeconds(rows, format),
    })
  }
  return {
    rows,
    formats,
    preview:
      readable && shown && 'bytes' in readable
        ? { ...readable, format: shown.format, resource: spec.parts[0]?.resource ?? '' }
        : null,
    warnings: [...boundWarnings(spec, rows), ...previewWarnings(preview), ...(await formulaWarnings(context, spec))],
  }
}

/**
 * What is asked for is sampled with its own options; those of one format may mean nothing to another. Null where another
 * format cannot hold the export: nobody asked for it, so that is no refusal.
 */
function asFormat(
  context: ExportsContext,
  caller: Principal,
  request: ExportRequest,
  spec: CheckedSpec,
  format: FormatName,
): CheckedSpec | null {
  if (format === spec.format) return spec
  try {
    return context.catalog().check({ ...request, format, compression: null, options: {} }, caller)
  } catch (thrown) {
    if (thrown instanceof FreightError) return null
    throw thrown
  }
}

function asShown(context: ExportsContext, caller: Principal, request: ExportRequest, spec: CheckedSpec): CheckedSpec | null {
  return BINARY_FORMATS.has(spec.format) ? asFormat(context, caller, request, spec, 'csv') : spec
}

async function countParts(context: ExportsContext, spec: CheckedSpec): Promise<readonly RowCount[]> {
  const counts: RowCount[] = []
  for (const part of spec.parts) counts.push(await countRows(context, { ...spec, parts: [part] }, COUNT_MS / spec.parts.length))
  return counts
}

function sum(counts: readonly RowCount[]): RowCount {
  return counts.reduce((total, count) => ({
    rows: total.rows === null || count.rows === null ? null : total.rows + count.rows,
    exact: total.exact && count.exact,
  }))
}

/** The bytes of a part's first rows, stretched to all its rows; exact when the sample is the whole part. */
async function expectedBytes(context: ExportsContext, spec: CheckedSpec, counts: readonly RowCount[]): Promise<number | null> {
  let bytes = 0
  for (const [index, part] of spec.parts.entries()) {
    const rows = counts[index]?.rows ?? null
    const sample = await previewed(context, { ...spec, parts: [part] }, SAMPLE_ROWS, SAMPLE_MS / spec.parts.length)
    if (!('bytes' in sample) || rows === null) return null
    bytes += sample.rows === 0 ? sample.bytes.length : (sample.bytes.length / sample.rows) * Math.max(rows, sample.rows)
  }
  return Math.round(bytes)
}

function expectedSeconds({ rows }: RowCount, format: FormatName): number | null {
  return rows === null ? null : Math.ceil((rows / ROWS_PER_SECOND[format]) * 10) / 10
}

/** A source that is away or slow is told as such; every other error is one. */
async function previewed(
  context: ExportsContext,
  spec: CheckedSpec,
  rows: number,
  ms: number,
): Promise<Preview | { unavailable: FreightError }> {
  try {
    return await context.probe.preview(spec, rows, { ms })
  } catch (thrown) {
    const error = asFreightError(thrown)
    if (error.code === 'SOURCE_UNAVAILABLE') return { unavailable: error }
    throw error
  }
}

function boundWarnings(spec: CheckedSpec, { rows, exact }: RowCount): EstimateWarning[] {
  const bound = rowBound(spec)
  return bound === null || rows === null || rows <= bound ? [] : [{ kind: 'too_many_rows', rows, bound, exact }]
}

function previewWarnings(preview: Preview | { unavailable: FreightError }): EstimateWarning[] {
  if (!('bytes' in preview)) return [{ kind: 'preview_unavailable', error: preview.unavailable }]
  return preview.changes.map(({ column, cause, cells }) => ({ kind: 'cells_changed', column, cause, cells }))
}

/** The guard itself is asked what it would change, so warning and guard agree on what looks like a formula. */
async function formulaWarnings(context: ExportsContext, spec: CheckedSpec): Promise<EstimateWarning[]> {
  if (spec.format !== 'csv' || spec.output.formulaGuard) return []
  const guarded = await previewed(context, { ...spec, output: { ...spec.output, formulaGuard: true } }, PREVIEW_ROWS, SAMPLE_MS)
  if (!('bytes' in guarded)) return []
  return guarded.changes
    .filter(({ cause }) => cause === 'formula_guarded')
    .map(({ column, cells }) => ({ kind: 'formula_like_cells', column, cells }))
}
