/**
 * The rival that most teams write: better-sqlite3's `.iterate()` with csv-stringify, or with JSON.stringify, into a file.
 * Usage: node bench/rivals/iterate.ts csv|ndjson DATABASE OUTPUT
 */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import Database from 'better-sqlite3'
import { stringify } from 'csv-stringify'

const [format, database, output] = process.argv.slice(2)
if (!database || !output) throw new Error('usage: iterate.ts csv|ndjson DATABASE OUTPUT')

const rows = new Database(database, { readonly: true }).prepare('select * from orders order by id').iterate()
const file = createWriteStream(output)

function* lines(): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`
}

if (format === 'csv') await pipeline(Readable.from(rows), stringify({ header: true }), file)
else await pipeline(Readable.from(lines()), file)
