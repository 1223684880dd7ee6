import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { DuckDBInstance } from '@duckdb/node-api'
import { it } from 'vitest'
import { exportFile } from '../one-export.ts'
import { createDatabase } from '../postgres.ts'
import { readByDuckDb } from '../parquet-readers.ts'
import { readValueTables } from '../values-table.ts'
import { readWorkbook } from '../xlsx-reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'freight-gen-'))
const pics: Record<string, string> = { '\0': '␀', '\x01': '␁', '\t': '␉', '\n': '␊', '\r': '␍' }
const span = (text: string): string =>
  text === '' ? 'nothing' : '`' + text.replace(/[\0\x01\t\n\r]/g, (c) => pics[c] ?? c).replace(/^ | $/g, '␠').replaceAll('|', '\\|') + '`'

const DUCK: [string, string][] = [
  ['TINYINT', '-128'], ['BIGINT', '9223372036854775807'], ['BIGINT', 'NULL'], ['UBIGINT', '18446744073709551615'],
  ['HUGEINT', '170141183460469231731687303715884105727'], ['DECIMAL(12,2)', '3576.10'], ['DECIMAL(38,20)', "'1e-20'"],
  ['FLOAT', '0.1'], ['DOUBLE', "'5e-324'"], ['DOUBLE', '-0.0::double'], ['DOUBLE', '1e21'], ['DOUBLE', "'nan'"], ['DOUBLE', "'-inf'"],
  ['BOOLEAN', 'true'], ['BOOLEAN', 'false'], ['BOOLEAN', 'NULL'],
  ['VARCHAR', "''"], ['VARCHAR', 'NULL'], ['VARCHAR', "'a,b'"], ['VARCHAR', `'say "hi"'`], ['VARCHAR', "'two' || chr(10) || 'lines'"], ['VARCHAR', "'=1+1'"],
  ['VARCHAR', "'00123'"], ['VARCHAR', "'\\N'"], ['VARCHAR', "'a' || chr(0) || 'b'"], ['VARCHAR', "chr(1)"], ['VARCHAR', "'😀'"],
  [`ENUM('sad', 'very "happy"')`, `'very "happy"'`],
  ['UUID', "'0190A7B0-5D3C-7E2F-9A41-3C5B8E6F7D12'"],
  ['DATE', "'2024-02-29'"], ['DATE', "'1900-02-28'"], ['DATE', "'infinity'"], ['DATE', "'5874897-12-31'"], ['DATE', "'0044-03-15 (BC)'"],
  ['TIME', "'12:34:56.5'"], ['TIME', "'24:00:00'"], ['TIMETZ', "'12:00:00.5+02'"], ['INTERVAL', "'1 month -2 days 3 hours 0.5 seconds'"],
  ['TIMESTAMP', "'2024-02-29 12:00:00.123456'"], ['TIMESTAMP', "'-infinity'"], ['TIMESTAMP_S', "'2024-02-29 12:00:00'"], ['TIMESTAMP_MS', "'2024-02-29 12:00:00.5'"], ['TIMESTAMP_NS', "'2024-02-29 12:00:00.123456789'"],
  ['TIMESTAMPTZ', "'2024-02-29 12:00:00.123+02'"], ['TIMESTAMPTZ', "'0044-03-15 (BC) 12:00:00+00'"], ['TIMESTAMPTZ', "'294247-01-10 04:00:54+00'"],
  ['JSON', `'{"a":  1.0, "a":2}'`], ['JSON', `'[1,' || chr(10) || '2]'`], ['JSON', `'{"n":12345678901234567890}'`], ['JSON', "'null'"],
  ['BLOB', "''"], ['BLOB', "'\\x00\\xFF>'"],
  ['INTEGER[]', '[1, NULL, 3]'], ['VARCHAR[]', "['a,b', NULL, '']"], ['DECIMAL(10,2)[]', '[1.10, 20]'], ['INTEGER[3]', '[1, 2, 3]'], ['DATE[]', "['2024-02-29']"], ['INTEGER[][]', '[[1], [2, 3]]'],
  ['STRUCT(a INTEGER, b VARCHAR)', "{'a': 1, 'b': 'x, y'}"], ['STRUCT(a DECIMAL(10,2))', "{'a': 1.10}"], ['MAP(VARCHAR, INTEGER)', "MAP {'k': 1}"], ['UNION(num INTEGER, str VARCHAR)', "'x'"],
  ['BIT', "'0101'"],
]
const CSV: [string, string][] = [
  ['integer', '42'], ['integer', '-7'], ['text', '9223372036854775807'], ['text', '00501'], ['float', '1.10'], ['float', '1e5'], ['float', '-0.5'], ['text', '1,5'], ['text', '0.1234567890123456789'],
  ['boolean', 'true'], ['text', 'TRUE'], ['text', 'NaN'], ['text', ''], ['text', '""'], ['text', 'plain'], ['text', '"a,b"'], ['text', '"say ""hi"""'], ['text', '"two\nlines"'], ['text', '"␠a␠"'],
  ['text', '=1+1'], ['text', 'NULL'], ['text', '\\N'], ['text', '😀'],
  ['date', '2024-02-29'], ['text', '29.02.2024'], ['timestamp', '2024-02-29 12:00:00.5'], ['timestamp', '2024-02-29T12:00Z'], ['timestamp', '2024-02-29T12:00:00.123456+02:00'], ['text', '12:34:56'],
  ['uuid', '0190A7B0-5D3C-7E2F-9A41-3C5B8E6F7D12'], ['text', '"{""a"": 1.0}"'], ['text', '\\x00ff'],
].map(([a, b]) => [a, (b as string).startsWith('"1') ? b : b]) as [string, string][]

const shown = (cell: any): string => {
  if (cell === null) return ''
  const { kind, text, format } = cell
  if (kind !== 'number' || !format.startsWith('yyyy')) return text === '' ? kind : `${kind} ${text}`
  const at = new Date(Math.round((Number(text) - 25_569) * 86_400_000)).toISOString()
  return format.includes('hh') ? `time ${at.replace('T', ' ').replace(/(\.000)?Z$/, '')}` : `date ${at.slice(0, 10)}`
}

function splitCsv(line: string, d: string): string[] {
  const out: string[] = []
  let at = 0, cur = '', q = false
  for (; at < line.length; at++) { const c = line[at] as string; if (c === '"') { q = !q; cur += c } else if (c === d && !q) { out.push(cur); cur = '' } else cur += c }
  return [...out, cur]
}

it('generates', async () => {
  const text = readFileSync('docs/values.md', 'utf8')
  const [SQ = [], PG = []] = readValueTables(text)
  const db = new Sqlite(join(folder, 'v.db'))
  const cols = (rows: readonly { type: string }[]) => rows.map(({ type }, i) => `c${i + 1} ${type}`).join(', ')
  db.exec(`create table cells (${cols(SQ)}); insert into cells values (${SQ.map((r) => r.value).join(', ')})`)
  db.close()
  const database = await createDatabase(`create type mood as enum ('sad', 'very "happy"'); create type pair as (a int, b text);
    create table cells (${cols(PG)}); insert into cells values (${PG.map((r) => r.value).join(', ')})`)
  const instance = await DuckDBInstance.create(join(folder, 'v.duckdb'))
  const connection = await instance.connect()
  await connection.run("set TimeZone='UTC'")
  await connection.run(`create table cells (${DUCK.map(([t], i) => `c${i + 1} ${t}`).join(', ')})`)
  await connection.run(`insert into cells values (${DUCK.map(([t, v]) => `(${v})::${t}`).join(', ')})`)
  await connection.run(`copy cells to '${join(folder, 'cells.parquet')}'`).catch((e) => console.log(String(e)))
  const ty = await connection.runAndReadAll(`select column_name, column_type from (describe select * from '${join(folder, 'cells.parquet')}')`).catch(() => null)
  ty?.getRows().forEach(([n, t], i) => { if (String(t) !== DUCK[i]?.[0]) console.log('parquet', n, DUCK[i]?.[0], String(t)) })
  connection.closeSync(); instance.closeSync()
  writeFileSync(join(folder, 'cells.csv'), `${CSV.map((_, i) => `c${i + 1}`).join(',')}\n${CSV.map(([, v]) => v.replaceAll('␠', ' ')).join(',')}\n`)
  const D = DUCK.map(([type, value]) => ({ type, value })), C = CSV.map(([type, value]) => ({ type, value }))
  let out = ''
  for (const [name, rows, url] of [['SQLite', SQ, `sqlite:${join(folder, 'v.db')}`], ['PostgreSQL', PG, database.url], ['DuckDB', D, `duckdb:${join(folder, 'v.duckdb')}`], ['CSV', C, `csv:${join(folder, 'cells.csv')}`]] as const) {
    const get = (format: string, more = {}) => exportFile({ url }, { resource: 'cells', format, ...more })
    const causes = (file: any, i: number) => file.manifest.changes.filter((c: any) => c.column === `c${i + 1}`).map((c: any) => ` ${c.cause}`).join('')
    const table: string[][] = rows.map(() => [])
    for (const profile of ['machine', 'postgres', 'bigquery', 'excel', 'excel-eu']) {
      const file = await get('csv', { options: { profile } })
      const d = profile === 'excel-eu' ? ';' : ','
      const body = file.text.slice(file.text.indexOf('\n') + 1).replace(/\r?\n$/, '')
      const fields = splitCsv(body, d)
      if (fields.length !== rows.length) console.log(name, profile, fields.length, rows.length)
      rows.forEach((_, i) => table[i]?.push(span(fields[i] ?? '?') + causes(file, i)))
    }
    const json = await get('ndjson')
    const members = json.text.trimEnd().slice(1, -1)
    rows.forEach((_, i) => {
      const from = members.indexOf(`"c${i + 1}":`) + `"c${i + 1}":`.length
      const to = i + 1 === rows.length ? members.length : members.indexOf(`,"c${i + 2}":`)
      table[i]?.push(span(members.slice(from, to)) + causes(json, i))
    })
    const x = await get('xlsx')
    const [sheet] = (await readWorkbook(x.bytes)).sheets
    rows.forEach((_, i) => table[i]?.push(span(shown(sheet?.rows[1]?.[i] ?? null)) + causes(x, i)))
    for (const [i] of rows.entries()) {
      const p = await get('parquet', { fields: [`c${i + 1}`] }).catch((e) => e)
      if (p.code) { table[i]?.push('`refused`'); if (p.code !== 'CELL_UNFIT') console.log(name, i, p.code, p.message) }
      else { const f = await readByDuckDb(p.bytes); const t = f.rows[0]?.[0] ?? null; table[i]?.push((t === null ? 'nothing' : span(`${f.types[0]}${t === '' ? '' : ` ${t}`}`)) + causes(p, 0).replace(/^/, '') + p.manifest.changes.map((c: any) => c.column === `c${i + 1}` && i > 0 ? ` ${c.cause}` : '').join('')) }
    }
    out += `\n## ${name}\n\n| type | value | machine | postgres | bigquery | excel | excel-eu | JSON | XLSX | Parquet |\n|---|---|---|---|---|---|---|---|---|---|\n`
    rows.forEach((r, i) => {
      const cells = table[i] as string[]
      const shownCells = cells.map((c, k) => (k > 0 && k < 5 && c === cells[0] ? 'same' : c))
      const asCode = (t: string) => '`' + t.replace(/[\0\x01\t\n\r]/g, (c) => pics[c] ?? c).replaceAll('|', '\\|') + '`'
      out += `| ${r.type === '' ? 'none' : asCode(r.type)} | ${r.value === '' ? 'nothing' : asCode(r.value)} | ${shownCells.join(' | ')} |\n`
    })
  }
  writeFileSync('/tmp/values.gen.md', out)
  await database.drop()
}, 400_000)
