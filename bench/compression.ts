/**
 * What compression adds to an export: the same CSV with gzip and zstd beside the plain one, as whole processes.
 * Usage: node bench/compression.ts [ROWS] [PAIRS]
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

const output = (compression: string | null): string =>
  join(folder, `compressed.csv${compression === null ? '' : `.${compression}`}`)

function csv(compression: string | null): Promise<Measured> {
  const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--format', 'csv']
  const more = compression === null ? [] : ['--compress', compression]
  return measure({
    name: compression ?? 'plain',
    file: process.execPath,
    args: [...args, ...more, '--force', '--output', output(compression)],
  })
}

console.log(`${machine()}; ${rows} rows of 13 columns, ${pairs} interleaved pairs, medians\n`)
console.log('| CSV with | compressed | plain | ratio | goal | bytes, of the plain ones |')
console.log('|---|---|---|---|---|---|')
for (const [compression, goal] of [
  ['gzip', '<= 1.25'],
  ['zstd', '<= 1.15'],
] as const) {
  const { ours, theirs, ratio } = await interleaved(
    () => csv(compression),
    () => csv(null),
    pairs,
  )
  const wall = (runs: Measured[]): string => `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`
  const bytes = statSync(output(compression)).size
  const share = ((100 * bytes) / statSync(output(null)).size).toFixed(0)
  console.log(`| ${compression} | ${wall(ours)} | ${wall(theirs)} | ${ratio.toFixed(2)} | ${goal} | ${bytes} B, ${share} % |`)
}
