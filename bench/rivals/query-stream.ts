/** The usual way in Node: pg-query-stream, row by row, into csv-stringify or JSON.stringify. Usage: query-stream.ts csv|ndjson URL FILE */
import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import pg from 'pg'
import QueryStream from 'pg-query-stream'

const [format, url, path] = process.argv.slice(2)
const client = new pg.Client(url)
await client.connect()
const rows = client.query(new QueryStream('select * from orders'))
const lines = new Transform({
  writableObjectMode: true,
  transform: (row, _encoding, done) => done(null, `${JSON.stringify(row)}\n`),
})
await pipeline(rows, format === 'csv' ? stringify({ header: true }) : lines, createWriteStream(path ?? ''))
await client.end()
