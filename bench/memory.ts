/**
 * Peak memory of `freight export` at 1,000,000 and at 5,000,000 rows, in every format: it must not grow with the rows.
 * Usage: node bench/memory.ts [RUNS]
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { benchFolder, machine } from './machine.ts'
import { measure } from './measure.ts'
import { makeOrders } from './orders.ts'

const runs = Number(process.argv[2] ?? 3)
const folder = benchFolder()
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
mkdirSync(folder, { recursive: true })

console.log(`${machine()}; highest of ${runs} runs\n\n| format | rows | peak | seconds |\n|---|---|---|---|`)
for (const rows of [1_000_000, 5_000_000]) {
  const database = join(folder, `orders-${rows}.db`)
  makeOrders(database, rows)
  for (const format of ['csv', 'json', 'ndjson', 'xlsx']) {
    const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--format', format]
    const output = ['--force', '--output', join(folder, `memory.${format}`)]
    let peak = 0
    let seconds = Number.POSITIVE_INFINITY
    for (let run = 0; run < runs; run += 1) {
      const measured = await measure({ name: format, file: process.execPath, args: [...args, ...output] })
      peak = Math.max(peak, measured.peakMib)
      seconds = Math.min(seconds, measured.wallSeconds)
    }
    console.log(`| ${format} | ${rows} | ${peak.toFixed(0)} MiB | ${seconds.toFixed(2)} |`)
  }
}
