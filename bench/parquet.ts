/**
 * SQLite and PostgreSQL to Parquet beside hyparquet-writer, and beside our own CSV of the same rows: whole processes, files written to the
 * same disk, wall, peak memory of all processes together (DuckDB writes in one of its own) and size.
 * Usage: node bench/parquet.ts [ROWS] [PAIRS] [only a line with this word in it]
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
mkdirSync(folder, { recursive: true })
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
const hyparquet = join(import.meta.dirname, 'rivals', 'hyparquet.ts')
const output = (who: string): string => join(folder, `parquet-${who}`)

function ours(source: string, format: string): Promise<Measured> {
  const args = [freight, 'export', '--source', source, '--resource', 'orders', '--format', format]
  return measure({
    name: 'freight',
    file: process.execPath,
    args: [...args, '--force', '--output', output(`freight.${format}`)],
  })
}

function theirs(database: string): Promise<Measured> {
  const args = [hyparquet, database, output('hyparquet.parquet')]
  return measure({ name: 'hyparquet-writer', file: process.execPath, args })
}

/** `database` as Freight's own URL, and as the rival is given it. */
async function compare(name: string, source: string, database: string): Promise<void> {
  const parquet = (): Promise<Measured> => ours(source, 'parquet')
  const lines: [string, () => Promise<Measured>, string, string][] = [
    ['hyparquet-writer', () => theirs(database), 'hyparquet.parquet', '<= 0.33'],
    ['freight csv', () => ours(source, 'csv'), 'freight.csv', '<= 2.00'],
  ]
  for (const [rival, run, file, goal] of lines) {
    if (!`${name} ${rival}`.includes(only)) continue
    const pairing = await interleaved(parquet, run, pairs)
    const wall = (runs: Measured[]): string => `${median(runs.map((each) => each.wallSeconds)).toFixed(2)} s`
    const peak = (runs: Measured[]): string => `${Math.max(...runs.map((each) => each.treePeakMib)).toFixed(0)} MiB`
    const size = (who: string): string => `${(statSync(output(who)).size / 2 ** 20).toFixed(1)} MiB`
    const { ours: mine, theirs: others, ratio } = pairing
    const cells = [
      wall(mine),
      wall(others),
      ratio.toFixed(2),
      goal,
      peak(mine),
      peak(others),
      size('freight.parquet'),
      size(file),
    ]
    console.log(`| ${name} | ${rival} | ${cells.join(' | ')} |`)
  }
}

console.log(`${machine()}; ${rows} rows of 13 columns, ${pairs} interleaved pairs, medians; our goal for memory: 512 MB\n`)
console.log('| from | rival | freight | rival | ratio | goal | our peak | its peak | our file | its file |')
console.log('|---|---|---|---|---|---|---|---|---|---|')
if ('sqlite hyparquet-writer freight csv'.includes(only)) {
  const database = join(folder, `orders-${rows}.db`)
  makeOrders(database, rows)
  await compare('sqlite', `sqlite:${database}`, database)
}
if ('postgresql hyparquet-writer freight csv'.includes(only)) {
  const server = await serveOrders(rows)
  try {
    await compare('postgresql', server.database, server.database)
  } finally {
    await server.stop()
  }
}
