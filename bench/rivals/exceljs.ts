/**
 * The rival for XLSX: better-sqlite3's `.iterate()` or pg-query-stream into exceljs's streaming writer, shared strings off, with typed cells.
 * Usage: node bench/rivals/exceljs.ts FILE|URL OUTPUT
 */
import Database from 'better-sqlite3'
import ExcelJS from 'exceljs'
import pg from 'pg'
import QueryStream from 'pg-query-stream'

const [database, output] = process.argv.slice(2)
if (!database || !output) throw new Error('usage: exceljs.ts FILE|URL OUTPUT')

type Row = Record<string, unknown>

async function* rowsOf(source: string): AsyncIterable<Row> {
  if (!source.startsWith('postgres')) {
    yield* new Database(source, { readonly: true }).prepare('select * from orders order by id').iterate() as Iterable<Row>
    return
  }
  const client = new pg.Client(source)
  await client.connect()
  yield* client.query(new QueryStream('select * from orders')) as AsyncIterable<Row>
  await client.end()
}

function cellOf(name: string, value: unknown): unknown {
  if (name === 'paid') return value === 1 || value === true
  if (name.endsWith('_at')) return value instanceof Date ? value : new Date(String(value))
  if (name === 'total' || name === 'tax' || name === 'id') return Number(value)
  return name === 'metadata' && typeof value !== 'string' ? JSON.stringify(value) : value
}

const workbook = new ExcelJS.stream.xlsx.WorkbookWriter({ filename: output, useStyles: true, useSharedStrings: false })
const sheet = workbook.addWorksheet('orders', { views: [{ state: 'frozen', ySplit: 1 }] })
let columns: string[] | null = null
for await (const row of rowsOf(database)) {
  if (columns === null) {
    columns = Object.keys(row)
    sheet.columns = columns.map((name) => ({ header: name, key: name, width: 20 }))
    sheet.getRow(1).font = { bold: true }
    sheet.getRow(1).commit()
  }
  sheet.addRow(columns.map((name) => cellOf(name, row[name]))).commit()
}
sheet.commit()
await workbook.commit()
