import { expect, test } from 'vitest'
import { type Asked, check, refusalOf } from '../../test/shop-catalog.ts'
import type { Output, OutputRequest } from '../job/spec.ts'

const MACHINE: Output = {
  profile: 'machine',
  delimiter: ',',
  header: true,
  quoting: 'minimal',
  nullText: '',
  bom: false,
  lineEnd: '\n',
  times: 'database',
  timeZone: 'UTC',
  formulaGuard: false,
  omitBlank: false,
}

test.each<[Asked, Partial<Output>]>([
  [{}, {}],
  [{ options: { profile: null, delimiter: null, header: null, time_zone: null } }, {}],
  [{ options: { profile: 'postgres' } }, { profile: 'postgres' }],
  [{ options: { profile: 'bigquery' } }, { profile: 'bigquery', nullText: '\\N', times: 'rfc3339' }],
  [
    { options: { profile: 'excel-eu' } },
    { profile: 'excel-eu', delimiter: ';', bom: true, lineEnd: '\r\n', times: 'rfc3339', formulaGuard: true },
  ],
  [{ format: 'xlsx' }, { times: 'native' }],
  [
    { format: 'xlsx', dryData: true, options: { time_zone: 'Asia/Kolkata' } },
    { times: 'native', timeZone: 'Asia/Kolkata' },
  ],
  [{ format: 'xlsx', options: { profile: 'machine', times: 'database' } }, {}],
  [{ options: { profile: 'excel' } }, { profile: 'excel', bom: true, lineEnd: '\r\n', times: 'rfc3339', formulaGuard: true }],
  [
    {
      options: { profile: 'excel', bom: false, line_end: 'lf', times: 'database', delimiter: ';', header: false, quoting: 'all' },
    },
    { profile: 'excel', delimiter: ';', header: false, quoting: 'all', formulaGuard: true },
  ],
  [
    { options: { delimiter: '\t', null_text: '\\N', line_end: 'crlf', times: 'rfc3339', time_zone: 'Europe/Berlin' } },
    { delimiter: '\t', nullText: '\\N', lineEnd: '\r\n', times: 'rfc3339', timeZone: 'Europe/Berlin' },
  ],
  [{ options: { times: 'rfc3339', time_zone: 'etc/utc' } }, { times: 'rfc3339', timeZone: 'UTC' }],
  [{ dryData: true }, {}],
  [{ format: 'json' }, { times: 'rfc3339' }],
  [
    { format: 'json', dryData: true },
    { times: 'rfc3339', omitBlank: true },
  ],
  [{ format: 'ndjson', options: { profile: 'machine', times: 'database' } }, {}],
  [
    { format: 'ndjson', options: { time_zone: 'Asia/Kolkata' } },
    { times: 'rfc3339', timeZone: 'Asia/Kolkata' },
  ],
])('%j comes to %j', (asked, expected) => {
  expect(check(asked).output).toEqual({ ...MACHINE, ...expected })
})

test.each([',', ';', '|', '\t', '~', '^', '_', '#'])('%j may be the delimiter', (delimiter) => {
  expect(check({ options: { delimiter } }).output.delimiter).toBe(delimiter)
})

test.each<[OutputRequest, string]>([
  ...['"', "'", '\n', '\r', '', 'ab', '\0', 'a', 'Z', '7', '.', '-', '+', '\\', '\x7f', 'é', '😀', '\u2028'].map(
    (delimiter): [OutputRequest, string] => [{ delimiter }, 'delimiter'],
  ),
  [{ null_text: 'x'.repeat(21) }, 'null_text'],
  [{ null_text: 'a"b' }, 'null_text'],
  [{ null_text: 'a,b' }, 'null_text'],
  [{ delimiter: ';', null_text: ';' }, 'null_text'],
  [{ null_text: 'a\nb' }, 'null_text'],
  [{ null_text: 'a\0' }, 'null_text'],
  [{ null_text: '\ud800' }, 'null_text'],
  [{ profile: 'excell' }, 'profile'],
  [{ quoting: 'none' }, 'quoting'],
  [{ line_end: 'cr' }, 'line_end'],
  [{ times: 'unix' }, 'times'],
  [{ time_zone: 'UTC' }, 'time_zone'],
  [{ times: 'rfc3339', time_zone: 'Mars/Olympus' }, 'time_zone'],
  [{ times: 'rfc3339', time_zone: '+01:00' }, 'time_zone'],
  [{ times: 'rfc3339', time_zone: '' }, 'time_zone'],
  [{ times: 'rfc3339', time_zone: '../../etc/passwd' }, 'time_zone'],
  [{ header: 'false' } as unknown as OutputRequest, 'header'],
  [{ bom: 1 } as unknown as OutputRequest, 'bom'],
  [{ delimiter: [','] } as unknown as OutputRequest, 'delimiter'],
  [{ delimeter: ';' } as unknown as OutputRequest, 'delimeter'],
  [{ encoding: 'utf-7' } as unknown as OutputRequest, 'encoding'],
  [JSON.parse('{"__proto__": 1}'), '__proto__'],
])('the CSV options %j are refused', (options, name) => {
  expect(refusalOf(() => check({ options })).place).toBe(`OPTION_INVALID /options/${name}`)
})

test.each<[OutputRequest, string]>([
  [{ profile: 'excel' }, 'profile'],
  [{ delimiter: ',' }, 'delimiter'],
  [{ header: true }, 'header'],
  [{ quoting: 'all' }, 'quoting'],
  [{ null_text: '' }, 'null_text'],
  [{ bom: false }, 'bom'],
  [{ line_end: 'lf' }, 'line_end'],
  [{ times: 'database', time_zone: 'UTC' }, 'time_zone'],
])('the option %j is refused for JSON and XLSX', (options, name) => {
  for (const format of ['ndjson', 'xlsx'])
    expect(refusalOf(() => check({ format, options })).place).toBe(`OPTION_INVALID /options/${name}`)
})

test.each<[OutputRequest, string]>([
  [{ profile: 'excel' }, 'profile'],
  [{ delimiter: ',' }, 'delimiter'],
  [{ header: false }, 'header'],
  [{ times: 'rfc3339' }, 'times'],
  [{ time_zone: 'UTC' }, 'time_zone'],
  [{ max_cell_mb: 0 }, 'max_cell_mb'],
  [{ max_cell_mb: 65 }, 'max_cell_mb'],
  [{ max_cell_mb: 1.5 }, 'max_cell_mb'],
])('the option %j is refused for Parquet', (options, name) => {
  expect(refusalOf(() => check({ format: 'parquet', options })).place).toBe(`OPTION_INVALID /options/${name}`)
})

test('Parquet takes a bound for its cells, and nothing else does; nor is it compressed once more', () => {
  expect(check({ format: 'parquet', options: { max_cell_mb: 8 } }).output).toEqual({ ...MACHINE, times: 'rfc3339', maxCellMb: 8 })
  expect(refusalOf(() => check({ format: 'csv', options: { max_cell_mb: 8 } })).place).toBe('OPTION_INVALID /options/max_cell_mb')
  expect(refusalOf(() => check({ format: 'parquet', compression: 'zstd' })).place).toBe('OPTION_INVALID /compression')
})

test.each<[Asked, string]>([
  [{ format: 'xlsx', options: { times: 'rfc3339' } }, 'OPTION_INVALID /options/times'],
  [{ format: 'json', options: { times: 'native' } }, 'OPTION_INVALID /options/times'],
  [{ options: { times: 'native' } }, 'OPTION_INVALID /options/times'],
  [{ format: 'xlsx', compression: 'gzip' }, 'OPTION_INVALID /compression'],
  [{ format: 'cvs' }, 'FORMAT_UNKNOWN /format'],
  [{ format: 'CSV' }, 'FORMAT_UNKNOWN /format'],
  [{ format: '__proto__' }, 'FORMAT_UNKNOWN /format'],
  [{ compression: 'gz' }, 'COMPRESSION_UNKNOWN /compression'],
  [{ compression: '' }, 'COMPRESSION_UNKNOWN /compression'],
])('%j is refused', (asked, place) => {
  expect(refusalOf(() => check(asked)).place).toBe(place)
})

test('a refused option says what was probably meant', () => {
  expect(refusalOf(() => check({ format: 'cvs' })).message).toBe('There is no format "cvs". Did you mean "csv"?')
  expect(refusalOf(() => check({ options: { profile: 'excell' } })).message).toBe(
    'profile: must be "machine" or "excel" or "excel-eu" or "postgres" or "bigquery". Did you mean "excel"?',
  )
})
