/**
 * SQLite and PostgreSQL to XLSX beside exceljs's streaming writer, fed by better-sqlite3's iterate or by pg-query-stream: whole processes,
 * files written to the same disk, wall, peak memory and size.
 * Usage: node bench/xlsx.ts [ROWS] [PAIRS] [only from this source]
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { benchFolder, machine } from './machine.ts'
import { interleaved, type Measured, measure, median } from './measure.ts'
import { makeOrders } from './orders.ts'
import { serveOrders } from './postgres-orders.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const pairs = Number(process.argv[3] ?? 5)
const only = process.argv[4] ?? ''
const folder = benchFolder()
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
mkdirSync(folder, { recursive: true })

const output = (who: string): string => join(folder, `${who}.xlsx`)

function ours(source: string): Promise<Measured> {
  const args = [freight, 'export', '--source', source, '--resource', 'orders', '--format', 'xlsx']
  return measure({ name: 'freight', file: process.execPath, args: [...args, '--force', '--output', output('freight')] })
}

function exceljs(database: string): Promise<Measured> {
  const script = join(import.meta.dirname, 'rivals', 'exceljs.ts')
  return measure({ name: 'exceljs', file: process.execPath, args: [script, database, output('exceljs')] })
}

/** `database` as Freight's own URL, and as the rival is given it. */
async function compare(name: string, source: string, database: string): Promise<void> {
  const {
    ours: mine,
    theirs,
    ratio,
  } = await interleaved(
    () => ours(source),
    () => exceljs(database),
    pairs,
  )
  const wall = (runs: Measured[]): string => `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`
  const peak = (runs: Measured[]): string => `${Math.max(...runs.map((run) => run.peakMib)).toFixed(0)} MiB`
  const size = (who: string): string => `${(statSync(output(who)).size / 2 ** 20).toFixed(1)} MiB`
  const cells = [
    wall(mine),
    wall(theirs),
    ratio.toFixed(2),
    '<= 0.33',
    peak(mine),
    peak(theirs),
    size('freight'),
    size('exceljs'),
  ]
  console.log(`| ${name} | ${cells.join(' | ')} |`)
}

console.log(`${machine()}; ${rows} rows of 13 columns, ${pairs} interleaved pairs, medians; our goal for memory: 200 MB\n`)
console.log('| from | freight | exceljs | ratio | goal | our peak | its peak | our file | its file |')
console.log('|---|---|---|---|---|---|---|---|---|')
if ('sqlite'.includes(only)) {
  const database = join(folder, `orders-${rows}.db`)
  makeOrders(database, rows)
  await compare('sqlite', `sqlite:${database}`, database)
}
if ('postgresql'.includes(only)) {
  const server = await serveOrders(rows)
  try {
    await compare('postgresql', server.database, server.database)
  } finally {
    await server.stop()
  }
}
