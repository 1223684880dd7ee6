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
import { serveOrders } from './postgres-orders.ts'

const most = Number(process.argv[2] ?? 10_000_000)
const svg = process.argv[3] ?? join(import.meta.dirname, '..', 'docs', 'growth.svg')
const folder = benchFolder()
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
const sizes = [10_000, 100_000, 1_000_000, 10_000_000].filter((rows) => rows <= most)
/** The small ones are over in a moment, and told apart only by more runs. */
const runsOf = (rows: number): number => (rows > 1_000_000 ? 1 : 3)
mkdirSync(folder, { recursive: true })

interface Database {
  readonly url: string
  close(): Promise<void>
}

const SOURCES: readonly { name: string; formats: readonly string[]; open(rows: number): Promise<Database> }[] = [
  {
    name: 'SQLite',
    formats: ['csv', 'ndjson', 'xlsx', 'parquet'],
    async open(rows) {
      const path = join(folder, `orders-${rows}.db`)
      makeOrders(path, rows)
      return { url: `sqlite:${path}`, close: async () => {} }
    },
  },
  {
    name: 'PostgreSQL',
    formats: ['csv', 'ndjson', 'xlsx', 'parquet'],
    async open(rows) {
      const server = await serveOrders(rows)
      return { url: server.database, close: () => server.stop() }
    },
  },
]

async function point(rows: number, url: string, format: string): Promise<Line['points'][number]> {
  const output = join(folder, `growth.${format}`)
  const args = [freight, 'export', '--source', url, '--resource', 'orders', '--format', format, '--force', '--output', output]
  const runs = []
  for (let run = 0; run < runsOf(rows); run += 1) {
    runs.push(await measure({ name: format, file: process.execPath, args }))
  }
  rmSync(output, { force: true })
  return { rows, seconds: median(runs.map((run) => run.wallSeconds)), mib: Math.max(...runs.map((run) => run.treePeakMib)) }
}

const lines = new Map<string, Line['points'][number][]>()
console.log(
  `${machine()}; 13 columns, median of three runs, one of the largest\n\n| export | rows | seconds | rows per second | peak |\n|---|---|---|---|---|`,
)
for (const source of SOURCES) {
  for (const rows of sizes) {
    const database = await source.open(rows)
    for (const format of source.formats) {
      const name = `${source.name} ${format}`
      const measured = await point(rows, database.url, format)
      lines.set(name, [...(lines.get(name) ?? []), measured])
      const perSecond = Math.round(rows / measured.seconds)
      console.log(`| ${name} | ${rows} | ${measured.seconds.toFixed(2)} | ${perSecond} | ${measured.mib.toFixed(0)} MiB |`)
    }
    await database.close()
  }
}
const drawn = Array.from(lines, ([name, points]) => ({ name, points }))
writeFileSync(svg, drawGrowth(drawn, machine()))
console.log(`\n${svg}`)
