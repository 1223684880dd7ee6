/** From `format` and `options` to every choice about the bytes. */
import type { CompressionName, ExportRequest, FormatName, Output, OutputRequest, ProfileName, TimesOption } from '../job/spec.ts'
import { member, quoted, refusal } from './refusal.ts'

const FORMATS: readonly FormatName[] = ['csv', 'json', 'ndjson']
const COMPRESSIONS: readonly CompressionName[] = ['gzip', 'zstd']
const PROFILES: readonly ProfileName[] = ['machine', 'excel']
const TIMES: readonly TimesOption[] = ['database', 'rfc3339']
const QUOTINGS: readonly Output['quoting'][] = ['minimal', 'all']
const LINE_ENDS: readonly string[] = ['lf', 'crlf']
const CSV_ONLY = ['delimiter', 'header', 'quoting', 'null_text', 'bom', 'line_end'] as const
const OPTIONS: readonly string[] = ['profile', ...CSV_ONLY, 'times', 'time_zone']
const NULL_TEXT_LENGTH = 20

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
  const profile = oneOf('profile', PROFILES, request.options.profile) ?? 'machine'
  if (format === 'csv') return { format, compression, output: csvOutput(profile, request.options) }
  return { format, compression, output: jsonOutput(format, profile, request) }
}

function csvOutput(profile: ProfileName, options: OutputRequest): Output {
  const isExcel = profile === 'excel'
  const delimiter = readDelimiter(options.delimiter) ?? ','
  const lineEnd = oneOf('line_end', LINE_ENDS, options.line_end) ?? (isExcel ? 'crlf' : 'lf')
  const times = oneOf('times', TIMES, options.times) ?? (isExcel ? 'rfc3339' : 'database')
  return {
    profile,
    delimiter,
    header: flag('header', options.header) ?? true,
    quoting: oneOf('quoting', QUOTINGS, options.quoting) ?? 'minimal',
    nullText: readNullText(options.null_text, delimiter) ?? '',
    bom: flag('bom', options.bom) ?? isExcel,
    lineEnd: lineEnd === 'crlf' ? '\r\n' : '\n',
    times,
    timeZone: readTimeZone(options.time_zone, times) ?? 'UTC',
    formulaGuard: isExcel,
    omitBlank: false,
  }
}

function jsonOutput(format: FormatName, profile: ProfileName, request: ExportRequest): Output {
  if (profile !== 'machine') throw invalid('profile', `the profile "${profile}" is for csv, not for ${format}.`, ['machine'])
  for (const name of CSV_ONLY) {
    if (request.options[name] != null) throw invalid(name, `is for csv only; ${format} has none. Leave it out.`)
  }
  const times = oneOf('times', TIMES, request.options.times) ?? 'rfc3339'
  return {
    profile,
    delimiter: ',',
    header: true,
    quoting: 'minimal',
    nullText: '',
    bom: false,
    lineEnd: '\n',
    times,
    timeZone: readTimeZone(request.options.time_zone, times) ?? 'UTC',
    formulaGuard: false,
    omitBlank: request.dryData,
  }
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
  throw invalid('delimiter', 'must be one printable ASCII character or a tab, and no letter, digit, quote or one of . + - \\', [
    ',',
    ';',
    '\t',
    '|',
  ])
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
  if (times !== 'rfc3339') throw invalid('time_zone', 'needs "times": "rfc3339"; database times are written as they stand.')
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
