/** Runs the tables of `docs/values.md`: every row is a column of a real table, every cell what must stand in the file. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ExportedFile, exportFile } from '../../test/one-export.ts'
import { createDatabase, serverVersion, type TestDatabase } from '../../test/postgres.ts'
import { type DocumentedRow, readValueTables } from '../../test/values-table.ts'
import { readWorkbook, type WorkbookCell } from '../../test/xlsx-reader.ts'

const TABLES = readValueTables(readFileSync(new URL('../../docs/values.md', import.meta.url), 'utf8'))
const [SQLITE = [], ALL_POSTGRES = []] = TABLES
/** Numerics have no infinity before 14. */
const isNew = (await serverVersion()) >= 14
const POSTGRES = ALL_POSTGRES.filter(({ type, value }) => isNew || type !== 'numeric' || value !== `'Infinity'`)

const folder = mkdtempSync(join(tmpdir(), 'freight-values-'))
const sqlite = { url: `sqlite:${join(folder, 'values.db')}` }
let database: TestDatabase

function names(rows: readonly DocumentedRow[]): string[] {
  return rows.map((_, index) => `c${index + 1}`)
}

beforeAll(async () => {
  const columns = (rows: readonly DocumentedRow[]): string => rows.map(({ type }, index) => `c${index + 1} ${type}`).join(', ')
  const values = (rows: readonly DocumentedRow[]): string => rows.map(({ value }) => value).join(', ')
  const db = new Sqlite(join(folder, 'values.db'))
  db.exec(`create table cells (${columns(SQLITE)}); insert into cells values (${values(SQLITE)})`)
  db.close()
  database = await createDatabase(`create type mood as enum ('sad', 'very "happy"'); create type pair as (a int, b text);
    create table cells (${columns(POSTGRES)}); insert into cells values (${values(POSTGRES)})`)
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await database.drop()
})

it('the tables hold at least 400 cells', () => {
  expect([SQLITE, POSTGRES].flat().flatMap(({ written }) => [...written.values()]).length).toBeGreaterThanOrEqual(400)
  expect(TABLES).toHaveLength(2)
})

const SOURCES = ['SQLite', 'PostgreSQL'] as const

async function exported(source: (typeof SOURCES)[number], format: string, profile?: string): Promise<ExportedFile> {
  const asked = { resource: 'cells', format, ...(profile === undefined ? {} : { options: { profile } }) }
  return exportFile(source === 'SQLite' ? sqlite : { url: database.url }, asked)
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
    const rows = source === 'SQLite' ? SQLITE : POSTGRES
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
    const rows = source === 'SQLite' ? SQLITE : POSTGRES
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
  const rows = source === 'SQLite' ? SQLITE : POSTGRES
  const file = await exported(source, 'xlsx')
  const [sheet] = (await readWorkbook(file.bytes)).sheets
  expect(sheet?.rows[0]?.map((cell) => cell?.text)).toEqual(names(rows))
  expect(rows.map((_, index) => shown(sheet?.rows[1]?.[index] ?? null))).toEqual(rows.map(({ written }) => written.get('XLSX')))
  expectCauses(file, rows, 'XLSX')
})
