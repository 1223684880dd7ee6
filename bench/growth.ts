/**
 * Time and memory of `freight export` against the number of rows, from 10,000 to 10,000,000: drawn as an SVG for the docs, so that growth
 * is seen to be linear and memory flat.
 * Usage: node bench/growth.ts [MOST_ROWS] [SVG]
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawGrowth, type Line } from './growth-chart.ts'
import { benchFolder, machine } from './machine.ts'
import { measure, median } from './measure.ts'
import { makeOrders } from './orders.ts'

const most = Number(process.argv[2] ?? 10_000_000)
const svg = process.argv[3] ?? join(import.meta.dirname, '..', 'docs', 'growth.svg')
const folder = benchFolder()
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
const sizes = [10_000, 100_000, 1_000_000, 10_000_000].filter((rows) => rows <= most)
/** The small ones are over in a moment, and told apart only by more runs. */
const runsOf = (rows: number): number => (rows > 1_000_000 ? 1 : 3)
mkdirSync(folder, { recursive: true })

const lines: Line[] = []
console.log(
  `${machine()}; SQLite, 13 columns, median of three runs, one of the largest\n\n| format | rows | seconds | rows per second | peak |\n|---|---|---|---|---|`,
)
for (const format of ['csv', 'ndjson', 'xlsx', 'parquet']) {
  const points: Line['points'][number][] = []
  for (const rows of sizes) {
    const database = join(folder, `orders-${rows}.db`)
    makeOrders(database, rows)
    const output = join(folder, `growth.${format}`)
    const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--format', format]
    const runs = []
    for (let run = 0; run < runsOf(rows); run += 1) {
      runs.push(await measure({ name: format, file: process.execPath, args: [...args, '--force', '--output', output] }))
    }
    rmSync(output, { force: true })
    const seconds = median(runs.map((run) => run.wallSeconds))
    const mib = Math.max(...runs.map((run) => run.treePeakMib))
    points.push({ rows, seconds, mib })
    console.log(`| ${format} | ${rows} | ${seconds.toFixed(2)} | ${Math.round(rows / seconds)} | ${mib.toFixed(0)} MiB |`)
  }
  lines.push({ name: format, points })
}
writeFileSync(svg, drawGrowth(lines, machine()))
console.log(`\n${svg}`)
