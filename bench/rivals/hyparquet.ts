/**
 * The rival for Parquet: better-sqlite3's `.iterate()` or pg-query-stream into hyparquet-writer, row group by row group, with types said
 * for every column and its own default of SNAPPY.
 * Usage: node bench/rivals/hyparquet.ts FILE|URL OUTPUT
 */
import Database from 'better-sqlite3'
import { fileWriter, parquetWriteRows } from 'hyparquet-writer'
import pg from 'pg'
import QueryStream from 'pg-query-stream'

const [database, output] = process.argv.slice(2)
if (!database || !output) throw new Error('usage: hyparquet.ts FILE|URL OUTPUT')

type Row = Record<string, unknown>

async function* rowsOf(source: string): AsyncIterable<Row> {
  if (!source.startsWith('postgres')) {
    const rows = new Database(source, { readonly: true }).prepare('select * from orders order by id').iterate()
    for (const row of rows as Iterable<Row>) yield typed(row)
    return
  }
  const client = new pg.Client(source)
  await client.connect()
  const rows = client.query(new QueryStream('select * from orders', [], { batchSize: 1000 }))
  for await (const row of rows as AsyncIterable<Row>) yield typed(row)
  await client.end()
}

/** What the writer takes for each column's type. Times keep the milliseconds of a Date, as the drivers and this writer have them. */
function typed(row: Row): Row {
  row.id = BigInt(row.id as number | string)
  row.total = Number(row.total)
  row.tax = Number(row.tax)
  row.paid = row.paid === 1 || row.paid === true
  row.metadata = typeof row.metadata === 'string' ? JSON.parse(row.metadata) : row.metadata
  row.created_at = row.created_at instanceof Date ? row.created_at : new Date(String(row.created_at))
  row.updated_at = row.updated_at instanceof Date ? row.updated_at : new Date(String(row.updated_at))
  return row
}

await parquetWriteRows({
  writer: fileWriter(output),
  rows: rowsOf(database),
  columns: [
    { name: 'id', type: 'INT64' },
    { name: 'ref', type: 'UUID' },
    { name: 'email', type: 'STRING' },
    { name: 'name', type: 'STRING' },
    { name: 'note', type: 'STRING' },
    { name: 'company', type: 'STRING' },
    { name: 'total', type: 'DOUBLE' },
    { name: 'tax', type: 'DOUBLE' },
    { name: 'quantity', type: 'INT32' },
    { name: 'paid', type: 'BOOLEAN' },
    { name: 'metadata', type: 'JSON' },
    { name: 'created_at', type: 'TIMESTAMP' },
    { name: 'updated_at', type: 'TIMESTAMP' },
  ],
})
