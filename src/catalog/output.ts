/** From `format` and `options` to every choice about the bytes. */
import type { CompressionName, ExportRequest, FormatName, Output, OutputRequest, ProfileName, TimesOption } from '../job/spec.ts'
import { member, quoted, refusal } from './refusal.ts'

const FORMATS: readonly FormatName[] = ['csv', 'json', 'ndjson', 'parquet', 'xlsx']
const COMPRESSIONS: readonly CompressionName[] = ['gzip', 'zstd']
const TEXT_TIMES: readonly TimesOption[] = ['database', 'rfc3339']
const XLSX_TIMES: readonly TimesOption[] = ['native', 'database']
const QUOTINGS: readonly Output['quoting'][] = ['minimal', 'all']
const LINE_ENDS: readonly string[] = ['lf', 'crlf']
const CSV_ONLY = ['delimiter', 'header', 'quoting', 'null_text', 'bom', 'line_end'] as const
const PARQUET_ONLY = 'max_cell_mb'
const OPTIONS: readonly string[] = ['profile', ...CSV_ONLY, 'times', 'time_zone', PARQUET_ONLY]
const MAX_CELL_MB = 64
const NULL_TEXT_LENGTH = 20

/** What a profile chooses where the caller does not. */
type ProfileChoices = Pick<Output, 'delimiter' | 'nullText' | 'bom' | 'lineEnd' | 'times' | 'formulaGuard'>

const LOSSLESS: ProfileChoices = {
  delimiter: ',',
  nullText: '',
  bom: false,
  lineEnd: '\n',
  times: 'database',
  formulaGuard: false,
}
const FOR_EXCEL: ProfileChoices = { ...LOSSLESS, bom: true, lineEnd: '\r\n', times: 'rfc3339', formulaGuard: true }
const PROFILE_CHOICES: Readonly<Record<ProfileName, ProfileChoices>> = {
  machine: LOSSLESS,
  excel: FOR_EXCEL,
  'excel-eu': { ...FOR_EXCEL, delimiter: ';' },
  postgres: LOSSLESS,
  bigquery: { ...LOSSLESS, nullText: '\\N', times: 'rfc3339' },
}
const PROFILES = Object.keys(PROFILE_CHOICES) as ProfileName[]

export interface OutputChoice {
  readonly format: FormatName
  readonly compression: CompressionName | null
  readonly output: Output
}

export function chooseOutput(request: ExportRequest): OutputChoice {
  const format = FORMATS.find((name) => name === request.format)
  if (!format) {
    const why = `There is no format ${quoted(String(request.format))}.`
    throw refusal('FORMAT_UNKNOWN', '/format', why, { asked: String(request.format), allowed: FORMATS })
  }
  const compression = COMPRESSIONS.find((name) => name === request.compression) ?? null
  if (compression === null && request.compression !== null) {
    const asked = String(request.compression)
    throw refusal('COMPRESSION_UNKNOWN', '/compression', `There is no compression ${quoted(asked)}.`, {
      asked,
      allowed: COMPRESSIONS,
    })
  }
  for (const name of Object.keys(request.options)) {
    if (!OPTIONS.includes(name)) {
      throw refusal('OPTION_INVALID', member('/options', name), `There is no option ${quoted(name)}.`, {
        asked: name,
        allowed: OPTIONS,
      })
    }
  }
  if ((format === 'xlsx' || format === 'parquet') && compression !== null) {
    const why = `${format === 'xlsx' ? 'An xlsx' : 'A parquet'} file is compressed in itself. Leave the compression out.`
    throw refusal('OPTION_INVALID', '/compression', why)
  }
  const profile = oneOf('profile', PROFILES, request.options.profile) ?? 'machine'
  if (format !== 'parquet' && request.options[PARQUET_ONLY] != null)
    throw invalid(PARQUET_ONLY, `is for parquet only; ${format} has no bound. Leave it out.`)
  if (format === 'csv') return { format, compression, output: csvOutput(profile, request.options) }
  refuseCsvOptions(format, profile, request.options)
  if (format === 'parquet') return { format, compression, output: parquetOutput(request.options) }
  const output = format === 'xlsx' ? xlsxOutput(request.options) : jsonOutput(request)
  return { format, compression, output }
}

function csvOutput(profile: ProfileName, options: OutputRequest): Output {
  const choices = PROFILE_CHOICES[profile]
  const delimiter = readDelimiter(options.delimiter) ?? choices.delimiter
  const lineEnd = oneOf('line_end', LINE_ENDS, options.line_end)
  const times = oneOf('times', TEXT_TIMES, options.times) ?? choices.times
  return {
    profile,
    delimiter,
    header: flag('header', options.header) ?? true,
    quoting: oneOf('quoting', QUOTINGS, options.quoting) ?? 'minimal',
    nullText: readNullText(options.null_text, delimiter) ?? choices.nullText,
    bom: flag('bom', options.bom) ?? choices.bom,
    lineEnd: lineEnd === null ? choices.lineEnd : lineEnd === 'crlf' ? '\r\n' : '\n',
    times,
    timeZone: readTimeZone(options.time_zone, times) ?? 'UTC',
    formulaGuard: choices.formulaGuard,
    omitBlank: false,
  }
}

function refuseCsvOptions(format: FormatName, profile: ProfileName, options: OutputRequest): void {
  if (profile !== 'machine') throw invalid('profile', `the profile "${profile}" is for csv, not for ${format}.`, ['machine'])
  for (const name of CSV_ONLY) {
    if (options[name] != null) throw invalid(name, `is for csv only; ${format} has none. Leave it out.`)
  }
}

function jsonOutput({ options, dryData }: ExportRequest): Output {
  const times = oneOf('times', TEXT_TIMES, options.times) ?? 'rfc3339'
  return { ...PLAIN, times, timeZone: readTimeZone(options.time_zone, times) ?? 'UTC', omitBlank: dryData }
}

function xlsxOutput(options: OutputRequest): Output {
  const times = oneOf('times', XLSX_TIMES, options.times) ?? 'native'
  return { ...PLAIN, times, timeZone: readTimeZone(options.time_zone, times) ?? 'UTC' }
}

/** Times in the columns are typed; what is chosen here is for those inside relations. */
function parquetOutput(options: OutputRequest): Output {
  for (const name of ['times', 'time_zone'] as const) {
    if (options[name] != null) throw invalid(name, 'means nothing to parquet, whose times are typed and in UTC. Leave it out.')
  }
  const asked = options[PARQUET_ONLY]
  if (asked != null && !(Number.isSafeInteger(asked) && asked >= 1 && asked <= MAX_CELL_MB)) {
    throw invalid(PARQUET_ONLY, `must be a whole number from 1 to ${MAX_CELL_MB}, in megabytes.`)
  }
  return { ...PLAIN, times: 'rfc3339', ...(asked == null ? {} : { maxCellMb: asked }) }
}

/** Of a format that has no choices of its own. */
const PLAIN: Output = {
  profile: 'machine',
  ...LOSSLESS,
  header: true,
  quoting: 'minimal',
  timeZone: 'UTC',
  omitBlank: false,
}

function invalid(option: string, why: string, allowed?: readonly string[], asked: unknown = ''): Error {
  const choice = allowed && { asked: String(asked), allowed }
  return refusal('OPTION_INVALID', `/options/${option}`, `${option}: ${why}`, choice)
}

function oneOf<Name extends string>(option: string, allowed: readonly Name[], asked: unknown): Name | null {
  if (asked == null) return null
  const found = allowed.find((name) => name === asked)
  if (!found) throw invalid(option, `must be ${allowed.map((name) => `"${name}"`).join(' or ')}.`, allowed, asked)
  return found
}

function flag(option: string, asked: unknown): boolean | null {
  if (asked == null) return null
  if (typeof asked !== 'boolean') throw invalid(option, 'must be true or false.', ['true', 'false'])
  return asked
}

/** Letters, digits and `.+-\` stand inside bare numbers, dates and bytes; the apostrophe is the formula guard's. */
function readDelimiter(asked: unknown): string | null {
  if (asked == null) return null
  if (typeof asked === 'string' && /^[\t\x20-\x7e]$/.test(asked) && !/[A-Za-z0-9"'.+\-\\]/.test(asked)) return asked
  throw invalid(
    'delimiter',
    'must be one printable ASCII character or a tab, but no letter, digit or quote, and none of . + - \\ either.',
    [',', ';', '\t', '|'],
  )
}

function readNullText(asked: unknown, delimiter: string): string | null {
  if (asked == null) return null
  const fits =
    typeof asked === 'string' &&
    asked.length <= NULL_TEXT_LENGTH &&
    asked.isWellFormed() &&
    !['"', '\r', '\n', '\0', delimiter].some((character) => asked.includes(character))
  if (fits) return asked
  throw invalid('null_text', `must be at most ${NULL_TEXT_LENGTH} characters, without quotes, line breaks, NUL or the delimiter.`)
}

/** Every name of UTC becomes `UTC`. Offsets (`+01:00`) know no summer time and are refused. */
function readTimeZone(asked: unknown, times: TimesOption): string | null {
  if (asked == null) return null
  if (times === 'database') throw invalid('time_zone', 'is not for "times": "database"; those are written as they stand.')
  try {
    if (typeof asked === 'string' && /^[A-Za-z]/.test(asked)) {
      const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: asked }).resolvedOptions()
      return timeZone === 'UTC' ? timeZone : asked
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw invalid('time_zone', 'must be the IANA name of a time zone, such as "Europe/Berlin" or "UTC".')
}
