/**
 * SQLite to XLSX beside exceljs's streaming writer: whole processes, files written to the same disk, wall, peak memory and size.
 * Usage: node bench/xlsx.ts [ROWS] [PAIRS]
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { benchFolder, machine } from './machine.ts'
import { interleaved, type Measured, measure, median } from './measure.ts'
import { makeOrders } from './orders.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const pairs = Number(process.argv[3] ?? 5)
const folder = benchFolder()
const database = join(folder, `orders-${rows}.db`)
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
mkdirSync(folder, { recursive: true })
makeOrders(database, rows)

const output = (who: string): string => join(folder, `${who}.xlsx`)

function ours(): Promise<Measured> {
  const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--format', 'xlsx']
  return measure({ name: 'freight', file: process.execPath, args: [...args, '--force', '--output', output('freight')] })
}

function exceljs(): Promise<Measured> {
  const script = join(import.meta.dirname, 'rivals', 'exceljs.ts')
  return measure({ name: 'exceljs', file: process.execPath, args: [script, database, output('exceljs')] })
}

console.log(`${machine()}; ${rows} rows of 13 columns, ${pairs} interleaved pairs, medians\n`)
console.log('| freight | exceljs | ratio | goal | our peak | its peak | our file | its file |')
console.log('|---|---|---|---|---|---|---|---|')
const { ours: mine, theirs, ratio } = await interleaved(ours, exceljs, pairs)
const wall = (runs: Measured[]): string => `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`
const peak = (runs: Measured[]): string => `${Math.max(...runs.map((run) => run.peakMib)).toFixed(0)} MiB`
const size = (who: string): string => `${(statSync(output(who)).size / 2 ** 20).toFixed(1)} MiB`
const cells = [wall(mine), wall(theirs), ratio.toFixed(2), '<= 0.33', peak(mine), peak(theirs), size('freight'), size('exceljs')]
console.log(`| ${cells.join(' | ')} |`)
