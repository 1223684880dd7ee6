/**
 * SQLite to CSV and NDJSON beside the rivals: `sqlite3` where it is installed, and better-sqlite3's iterate with
 * csv-stringify or JSON.stringify. Whole processes, every guard and the hash on, files written to the same disk.
 * Usage: node bench/sqlite.ts [ROWS] [PAIRS]
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { benchFolder, machine } from './machine.ts'
import { type Command, interleaved, type Measured, measure, median, type Pairing } from './measure.ts'
import { makeOrders } from './orders.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const pairs = Number(process.argv[3] ?? 5)
const folder = benchFolder()
const database = join(folder, `orders-${rows}.db`)
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
mkdirSync(folder, { recursive: true })
makeOrders(database, rows)

const output = (who: string, format: string): string => join(folder, `${who}.${format}`)

function ours(format: string): Promise<Measured> {
  const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--format', format]
  return measure({ name: 'freight', file: process.execPath, args: [...args, '--force', '--output', output('freight', format)] })
}

async function sqlite3(format: string): Promise<Measured> {
  const stdoutFd = openSync(output('sqlite3', format), 'w')
  const flags = format === 'csv' ? ['-csv', '-header'] : ['-json']
  const command: Command = {
    name: 'sqlite3',
    file: 'sqlite3',
    args: [...flags, database, 'select * from orders order by id'],
    stdoutFd,
  }
  const measured = await measure(command)
  closeSync(stdoutFd)
  return measured
}

function iterate(format: string): Promise<Measured> {
  const script = join(import.meta.dirname, 'rivals', 'iterate.ts')
  return measure({ name: 'iterate', file: process.execPath, args: [script, format, database, output('iterate', format)] })
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex').slice(0, 12)
}

async function report(format: string, rival: string, pairing: Pairing, goal: string): Promise<void> {
  const wall = (runs: Measured[]): string => median(runs.map((run) => run.wallSeconds)).toFixed(2)
  const peak = (runs: Measured[]): string => Math.max(...runs.map((run) => run.peakMib)).toFixed(0)
  const files = [output('freight', format), output(rival, format)]
  const [mine, theirs] = await Promise.all(files.map(async (path) => `${statSync(path).size} B ${await sha256(path)}`))
  console.log(
    `| ${format} | ${rival} | ${wall(pairing.ours)} s | ${wall(pairing.theirs)} s | ${pairing.ratio.toFixed(2)} | ${goal} | ${peak(pairing.ours)} MiB | ${mine} | ${theirs} |`,
  )
}

console.log(`${machine()}; ${rows} rows of 13 columns, ${pairs} interleaved pairs, medians\n`)
console.log("| format | rival | freight | rival | ratio | goal | our peak | our file | rival's file |")
console.log('|---|---|---|---|---|---|---|---|---|')
const hasSqlite3 = spawnSync('sqlite3', ['--version']).status === 0
for (const [format, cliGoal, iterateGoal] of [
  ['ndjson', '<= 0.75', '<= 0.22'],
  ['csv', '<= 1.10', '<= 0.25'],
] as const) {
  if (hasSqlite3)
    await report(
      format,
      'sqlite3',
      await interleaved(
        () => ours(format),
        () => sqlite3(format),
        pairs,
      ),
      cliGoal,
    )
  else console.log(`| ${format} | sqlite3 | not installed |`)
  await report(
    format,
    'iterate',
    await interleaved(
      () => ours(format),
      () => iterate(format),
      pairs,
    ),
    iterateGoal,
  )
}
