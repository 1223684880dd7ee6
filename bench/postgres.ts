/**
 * PostgreSQL to CSV, NDJSON and XLSX beside the rivals: `psql` where it is installed, and pg-query-stream with csv-stringify, JSON.stringify or exceljs.
 * Whole processes, every guard, count and hash on, files written to the same disk, over TCP to a server of its own.
 * Usage: node bench/postgres.ts [ROWS] [PAIRS] [only a line with this word in it]
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchFolder, machine } from './machine.ts'
import { interleaved, type Measured, measure, median } from './measure.ts'
import { serveOrders } from './postgres-orders.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const pairs = Number(process.argv[3] ?? 5)
const only = process.argv[4] ?? ''
const folder = benchFolder()
mkdirSync(folder, { recursive: true })
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
/** Where nothing lies yet: giving up the pages of a file that is replaced took 80 ms. */
function out(name: string): string {
  const path = join(folder, name)
  rmSync(path, { force: true })
  return path
}

const server = await serveOrders(rows)

function ours(format: string, ...flags: string[]): Promise<Measured> {
  const args = [freight, 'export', '--source', server.database, '--resource', 'orders', '--format', format, ...flags]
  return measure({ name: 'freight', file: process.execPath, args: [...args, '--force', '--output', out(`freight.${format}`)] })
}

/** From a config file, since only there can connections be asked for. */
function parallel(connections: number): Promise<Measured> {
  const config = out('parallel.config.ts')
  const source = { url: server.database, parallel: connections }
  writeFileSync(config, `export default ${JSON.stringify({ source, resources: { orders: { tenant: 'shared' } } })}\n`)
  const args = [freight, 'export', '--config', config, '--resource', 'orders', '--force', '--output', out('parallel.csv')]
  return measure({ name: 'freight parallel', file: process.execPath, args })
}

function psql(query: string, options: string): Promise<Measured> {
  const command = `\\copy (${query}) to '${out('psql.out')}' ${options}`
  return measure({ name: 'psql', file: 'psql', args: ['-X', '-q', '-d', server.database, '-c', command] })
}

const copied = (): Promise<Measured> => psql('select * from orders', 'csv header')
const asJson = (): Promise<Measured> =>
  psql('select row_to_json(orders_row) from orders orders_row', `csv quote e'\\x01' delimiter e'\\x02'`)

/** What a careful person does by hand: the file, on the disk, with its hash. */
async function copiedSyncedHashed(): Promise<Measured> {
  const script = `psql -X -q -d "$0" -c "\\copy (select * from orders) to '$1' csv header" && sync "$1" && sha256sum "$1"`
  return measure({ name: 'psql, sync, sha256sum', file: 'sh', args: ['-c', script, server.database, out('psql.out')] })
}

function queryStream(format: string): Promise<Measured> {
  const script = join(import.meta.dirname, 'rivals', 'query-stream.ts')
  return measure({
    name: 'pg-query-stream',
    file: process.execPath,
    args: [script, format, server.database, out(`stream.${format}`)],
  })
}

function exceljs(): Promise<Measured> {
  const script = join(import.meta.dirname, 'rivals', 'exceljs.ts')
  return measure({ name: 'exceljs', file: process.execPath, args: [script, server.database, out('exceljs.xlsx')] })
}

async function run(): Promise<void> {
  console.log(`${machine()}; ${rows} rows of 13 columns, ${pairs} interleaved pairs, medians\n`)
  console.log('| what | rival | freight | rival | ratio | goal | our peak |')
  console.log('|---|---|---|---|---|---|---|')
  const hasPsql = spawnSync('psql', ['--version']).status === 0
  const lines: [string, string, () => Promise<Measured>, () => Promise<Measured>, string][] = [
    ['csv', 'psql \\copy', () => ours('csv'), copied, '<= 1.05'],
    ['csv', 'psql \\copy, sync, sha256sum', () => ours('csv'), copiedSyncedHashed, ''],
    ['csv, RFC 3339', 'psql \\copy', () => ours('csv', '--times', 'rfc3339'), copied, '<= 1.25'],
    ['csv, parallel 2', 'psql \\copy', () => parallel(2), copied, '<= 0.80'],
    ['csv', 'pg-query-stream, csv-stringify', () => ours('csv'), () => queryStream('csv'), '<= 0.18'],
    ['ndjson', 'psql row_to_json', () => ours('ndjson'), asJson, '<= 0.50'],
    ['ndjson', 'pg-query-stream, JSON.stringify', () => ours('ndjson'), () => queryStream('ndjson'), '<= 0.25'],
    ['xlsx', 'pg-query-stream, exceljs', () => ours('xlsx'), exceljs, '<= 0.33'],
    ['csv, gzip', 'freight csv', () => ours('csv', '--compress', 'gzip'), () => ours('csv'), '<= 1.25'],
    ['csv, zstd', 'freight csv', () => ours('csv', '--compress', 'zstd'), () => ours('csv'), '<= 1.15'],
  ]
  for (const [what, rival, mine, theirs, goal] of lines) {
    if (!`${what} ${rival}`.includes(only)) continue
    if (rival.startsWith('psql') && !hasPsql) {
      console.log(`| ${what} | ${rival} | not installed |`)
      continue
    }
    const pairing = await interleaved(mine, theirs, pairs)
    const wall = (runs: Measured[]): string => `${median(runs.map((each) => each.wallSeconds)).toFixed(2)} s`
    const peak = Math.max(...pairing.ours.map((each) => each.peakMib)).toFixed(0)
    const ratio = pairing.ratio.toFixed(2)
    console.log(`| ${what} | ${rival} | ${wall(pairing.ours)} | ${wall(pairing.theirs)} | ${ratio} | ${goal} | ${peak} MiB |`)
  }
}

try {
  await run()
} finally {
  await server.stop()
}
