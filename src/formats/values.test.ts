/** Runs the tables of `docs/values.md`: every row is a column of a real table, every cell what must stand in the file. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import Sqlite from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ExportedFile, exportFile } from '../../test/one-export.ts'
import { readByDuckDb } from '../../test/parquet-readers.ts'
import { createDatabase, serverVersion, type TestDatabase } from '../../test/postgres.ts'
import { type DocumentedRow, readValueTables } from '../../test/values-table.ts'
import { readWorkbook, type WorkbookCell } from '../../test/xlsx-reader.ts'

const TABLES = readValueTables(readFileSync(new URL('../../docs/values.md', import.meta.url), 'utf8'))
const [SQLITE = [], ALL_POSTGRES = [], DUCKDB = [], CSV = [], CODE = []] = TABLES
/** Numerics have no infinity before 14. */
const isNew = (await serverVersion()) >= 14
const POSTGRES = ALL_POSTGRES.filter(({ type, value }) => isNew || type !== 'numeric' || value !== `'Infinity'`)

const folder = mkdtempSync(join(tmpdir(), 'freight-values-'))
const inFolder = (name: string): string => join(folder, name)
let database: TestDatabase

function names(rows: readonly DocumentedRow[]): string[] {
  return rows.map((_, index) => `c${index + 1}`)
}

const isRefused = ({ written }: DocumentedRow): boolean => written.get('Parquet') === 'refused'

/** One row of all cells; and a row for each cell that Parquet refuses, with nothing else in it. */
function statements(rows: readonly DocumentedRow[]): string[] {
  const columns = rows.map(({ type }, index) => `c${index + 1} ${type}`).join(', ')
  const cells = rows.map(({ value }) => value).join(', ')
  const refused = rows.flatMap((row, index) =>
    isRefused(row) ? [`insert into refused (c${index + 1}) values (${row.value})`] : [],
  )
  return [
    `create table cells (${columns})`,
    `insert into cells values (${cells})`,
    `create table refused (${columns})`,
    ...refused,
  ]
}

function writeCsv(name: string, records: readonly (readonly string[])[]): void {
  writeFileSync(inFolder(name), [names(CSV), ...records].map((record) => `${record.join(',')}\n`).join(''))
}

function writeModule(name: string): void {
  const fields = CODE.map(({ type }, index) => `c${index + 1}: '${type}'`).join(', ')
  const resource = (table: string, rows: readonly string[]): string =>
    `{ name: '${table}', fields: { ${fields} }, async *rows() { yield* [${rows.join(', ')}] } }`
  const cells = `{ ${CODE.map(({ value }, index) => `c${index + 1}: ${value}`).join(', ')} }`
  const refused = CODE.flatMap((row, index) => (isRefused(row) ? [`{ c${index + 1}: ${row.value} }`] : []))
  writeFileSync(inFolder(name), `export default [${resource('cells', [cells])}, ${resource('refused', refused)}]\n`)
}

beforeAll(async () => {
  const db = new Sqlite(inFolder('values.db'))
  db.exec(statements(SQLITE).join(';'))
  db.close()
  database = await createDatabase(`create type mood as enum ('sad', 'very "happy"'); create type pair as (a int, b text);
    ${statements(POSTGRES).join(';')}`)
  const instance = await DuckDBInstance.create(inFolder('values.duckdb'))
  const connection = await instance.connect()
  const inParquet = names(DUCKDB).filter((_, index) => isInParquet(DUCKDB[index] as DocumentedRow))
  for (const sql of [
    "set TimeZone = 'UTC'",
    ...statements(DUCKDB),
    `copy (select ${inParquet.join(', ')} from cells) to '${inFolder('values.parquet')}'`,
  ]) {
    await connection.run(sql)
  }
  connection.closeSync()
  instance.closeSync()
  mkdirSync(inFolder('csv'))
  writeCsv('csv/cells.csv', [CSV.map(({ value }) => value)])
  writeCsv(
    'csv/refused.csv',
    CSV.filter(isRefused).map((row) => CSV.map((each) => (each === row ? row.value : ''))),
  )
  writeModule('code.mjs')
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await database.drop()
})

it('the tables hold at least 400 cells', () => {
  expect(TABLES.flat().flatMap(({ written }) => [...written.values()]).length).toBeGreaterThanOrEqual(1_500)
  expect(TABLES.map(({ length }) => length > 30)).toEqual([true, true, true, true, true])
})

const ROWS = { SQLite: SQLITE, PostgreSQL: POSTGRES, DuckDB: DUCKDB, CSV, Code: CODE }
/** Types that Parquet itself has, as DuckDB writes them. */
function isInParquet({ type }: DocumentedRow): boolean {
  return !/^(ENUM|INTERVAL|TIMETZ|TIMESTAMP_S|UNION|BIT|HUGEINT|INTEGER\[3\])/.test(type)
}

const SOURCES = ['SQLite', 'PostgreSQL', 'DuckDB', 'CSV', 'Code'] as const

function urlOf(source: (typeof SOURCES)[number]): string {
  if (source === 'PostgreSQL') return database.url
  if (source === 'SQLite') return `sqlite:${inFolder('values.db')}`
  if (source === 'Code') return `code:${inFolder('code.mjs')}`
  return source === 'DuckDB' ? `duckdb:${inFolder('values.duckdb')}` : `csv:${inFolder('csv/*.csv')}`
}

async function exported(source: (typeof SOURCES)[number], format: string, profile?: string): Promise<ExportedFile> {
  const asked = { resource: 'cells', format, ...(profile === undefined ? {} : { options: { profile } }) }
  return exportFile({ url: urlOf(source) }, asked)
}

function expectCauses(file: ExportedFile, rows: readonly DocumentedRow[], column: string): void {
  const causes = rows.map((_, index) => file.manifest.changes.filter((change) => change.column === `c${index + 1}`))
  expect(causes.map((changes) => changes.map(({ cause }) => cause))).toEqual(rows.map(({ counted }) => counted.get(column)))
}

/** What a CSV field says, by the rule of RFC 4180. */
function unquoted(field: string): string {
  return field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field
}

const PROFILES = [
  { column: 'machine', profile: 'machine', delimiter: ',', lineEnd: '\n' },
  { column: 'postgres', profile: 'postgres', delimiter: ',', lineEnd: '\n' },
  { column: 'bigquery', profile: 'bigquery', delimiter: ',', lineEnd: '\n' },
  { column: 'excel', profile: 'excel', delimiter: ',', lineEnd: '\r\n' },
  { column: 'excel-eu', profile: 'excel-eu', delimiter: ';', lineEnd: '\r\n' },
]

it.each(SOURCES.flatMap((source) => PROFILES.map((each) => ({ source, ...each }))))(
  '$source to CSV in the profile $profile',
  async ({ source, column, profile, delimiter, lineEnd }) => {
    const rows = ROWS[source]
    const file = await exported(source, 'csv', profile)
    const fields = rows.map(({ written }) => written.get(column) ?? '')
    const mark = profile.startsWith('excel') ? '\ufeff' : ''
    expect(file.text).toBe(`${mark}${names(rows).join(delimiter)}${lineEnd}${fields.join(delimiter)}${lineEnd}`)
    const records: string[][] = parse(file.bytes, { delimiter, record_delimiter: lineEnd, bom: true })
    expect(records).toEqual([names(rows), fields.map(unquoted)])
    expectCauses(file, rows, column)
  },
)

it.each(SOURCES.flatMap((source) => ['json', 'ndjson'].map((format) => ({ source, format }))))(
  '$source to $format',
  async ({ source, format }) => {
    const rows = ROWS[source]
    const file = await exported(source, format)
    const members = rows.map(({ written }, index) => `"c${index + 1}":${written.get('JSON')}`)
    expect(file.text).toBe(format === 'json' ? `[\n{${members.join(',')}}\n]\n` : `{${members.join(',')}}\n`)
    expect(Object.keys([JSON.parse(file.text)].flat()[0])).toEqual(names(rows))
    expectCauses(file, rows, 'JSON')
  },
)

/** As the tables write it: the kind of cell, and what a spreadsheet shows. */
function shown(cell: WorkbookCell | null): string {
  if (cell === null) return ''
  const { kind, text, format } = cell
  if (kind !== 'number' || !format.startsWith('yyyy')) return text === '' ? kind : `${kind} ${text}`
  const at = new Date(Math.round((Number(text) - 25_569) * 86_400_000)).toISOString()
  return format.includes('hh') ? `time ${at.replace('T', ' ').replace(/(\.000)?Z$/, '')}` : `date ${at.slice(0, 10)}`
}

it.each(SOURCES)('%s to XLSX', async (source) => {
  const rows = ROWS[source]
  const file = await exported(source, 'xlsx')
  const [sheet] = (await readWorkbook(file.bytes)).sheets
  expect(sheet?.rows[0]?.map((cell) => cell?.text)).toEqual(names(rows))
  expect(rows.map((_, index) => shown(sheet?.rows[1]?.[index] ?? null))).toEqual(rows.map(({ written }) => written.get('XLSX')))
  expectCauses(file, rows, 'XLSX')
})

it.each(SOURCES)('%s to Parquet', async (source) => {
  const rows = ROWS[source]
  const fit = names(rows).filter((_, index) => !isRefused(rows[index] as DocumentedRow))
  const file = await exportFile({ url: urlOf(source) }, { resource: 'cells', format: 'parquet', fields: fit })
  const { types, rows: records } = await readByDuckDb(file.bytes)
  const written = (records[0] ?? []).map((text, at) => (text === null ? '' : `${types[at]}${text === '' ? '' : ` ${text}`}`))
  const fitting = rows.filter((row) => !isRefused(row))
  expect(written).toEqual(fitting.map((row) => row.written.get('Parquet')))
  const causes = fit.map((name) => file.manifest.changes.flatMap(({ column, cause }) => (column === name ? [cause] : [])))
  expect(causes).toEqual(fitting.map(({ counted }) => counted.get('Parquet')))
})

it.each(SOURCES)('%s to Parquet, which refuses what does not fit', async (source) => {
  const refused = names(ROWS[source]).filter((_, index) => isRefused(ROWS[source][index] as DocumentedRow))
  const asked = { resource: 'refused', format: 'parquet', onRowError: 'skip' as const }
  const { errorsLog } = await exportFile({ url: urlOf(source) }, asked)
  expect(errorsLog.map(({ row, column }) => [row, column])).toEqual(refused.map((name, index) => [index + 1, name]))
})

it('a Parquet file as a source is written as DuckDB would write it', async () => {
  const url = `parquet:${inFolder('values.parquet')}`
  for (const format of ['csv', 'ndjson']) {
    const fields = names(DUCKDB).filter((_, index) => isInParquet(DUCKDB[index] as DocumentedRow))
    expect(fields.length).toBeGreaterThan(45)
    const file = await exportFile({ url }, { resource: 'values', format })
    expect(file.text).toBe((await exportFile({ url: urlOf('DuckDB') }, { resource: 'cells', format, fields })).text)
  }
})

it('a CSV file has the types that the table says', async () => {
  const file = await exported('CSV', 'ndjson')
  expect(file.manifest.fields.map(({ type }) => type)).toEqual(CSV.map(({ type }) => type))
})
