/** From the flags of `freight export` to the request the service takes, and to the name of the file. Pure. */
import { InvalidArgumentError } from 'commander'
import type { ExportRequest, OnRowError, Split } from '../job/spec.ts'

/** As commander hands them over; what was not given is absent. */
export interface ExportFlags {
  readonly source?: string
  readonly config?: string
  readonly resource: string
  readonly format: string
  readonly profile?: string
  readonly compress?: string
  readonly fields?: string[]
  readonly include?: string[]
  readonly where?: Condition[]
  readonly sort?: string[]
  readonly limit?: number
  readonly splitRows?: number
  readonly splitBytes?: number
  readonly dryData?: true
  readonly onRowError?: OnRowError
  readonly output?: string
  readonly force?: true
  readonly manifest?: string
  readonly progress?: 'json'
  readonly delimiter?: string
  /** False for --no-header. */
  readonly header: boolean
  readonly quoting?: string
  readonly nullText?: string
  readonly bom?: true
  readonly lineEnd?: string
  readonly times?: string
  readonly timeZone?: string
  readonly maxCellMb?: number
}

export interface Condition {
  readonly key: string
  readonly value: unknown
}

/** The reviver's third argument: the number's own text (https://tc39.es/proposal-json-parse-with-source/). */
type ReviveWithSource = (key: string, value: unknown, context: { readonly source?: string }) => unknown
const parseJson = JSON.parse as (text: string, revive: ReviveWithSource) => unknown

/** An option's parser: `status_eq=paid`, the value as JSON where it is JSON; adds to the conditions before it. */
export function condition(text: string, before: readonly Condition[] = []): Condition[] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write it as attribute_predicate=value, for example status_eq=paid.')
  const key = text.slice(0, at)
  if (before.some((other) => other.key === key)) {
    throw new InvalidArgumentError(`There is already a condition ${key}; only one of them could hold.`)
  }
  return [...before, { key, value: conditionValue(text.slice(at + 1)) }]
}

/** Numbers that JavaScript would round stay text, which the filters take as well. */
function conditionValue(text: string): unknown {
  try {
    return parseJson(text, (_key, value, { source = '' }) => (typeof value === 'number' && !isExact(source) ? source : value))
  } catch {
    return text
  }
}

/** A double keeps any 15 significant digits (IEEE 754). */
function isExact(number: string): boolean {
  const digits = number.replace(/e.*$/i, '').replace(/\D/g, '')
  return digits.replace(/^0+/, '').length <= 15
}

export function exportRequest(flags: ExportFlags): ExportRequest {
  const part = {
    resource: flags.resource,
    fields: flags.fields ?? [],
    includes: flags.include ?? [],
    filters: Object.fromEntries((flags.where ?? []).map(({ key, value }) => [key, value])),
    sort: flags.sort ?? [],
    limit: flags.limit ?? null,
    split: splitOf(flags),
  }
  return {
    parts: [part],
    format: flags.format,
    compression: flags.compress ?? null,
    options: {
      profile: flags.profile ?? null,
      // A tab cannot be typed in most shells.
      delimiter: flags.delimiter === 'tab' || flags.delimiter === '\\t' ? '\t' : (flags.delimiter ?? null),
      header: flags.header ? null : false,
      quoting: flags.quoting ?? null,
      null_text: flags.nullText ?? null,
      bom: flags.bom ?? null,
      line_end: flags.lineEnd ?? null,
      times: flags.times ?? null,
      time_zone: flags.timeZone ?? null,
      max_cell_mb: flags.maxCellMb ?? null,
    },
    dryData: flags.dryData ?? false,
    onRowError: flags.onRowError ?? 'fail',
  }
}

/** At most one of the two is given. */
export function splitOf({ splitRows, splitBytes }: Pick<ExportFlags, 'splitRows' | 'splitBytes'>): Split | null {
  if (splitRows !== undefined) return { rows: splitRows }
  return splitBytes === undefined ? null : { bytes: splitBytes }
}

const COMPRESSED: Readonly<Record<string, string>> = { gzip: '.gz', zstd: '.zst' }

/** `orders.csv.gz`, in the current folder whatever the resource is called. */
export function defaultFileName({ resource, format, compress }: Pick<ExportFlags, 'resource' | 'format' | 'compress'>): string {
  const safe = `${resource}.${format}`.replace(/[^\p{L}\p{N}._-]/gu, '_').replace(/^[.-]+/, '')
  return `${safe}${COMPRESSED[compress ?? ''] ?? ''}`
}
