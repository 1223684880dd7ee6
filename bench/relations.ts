/**
 * A to-many relation of 250,000 rows included in 100,000, with and without an index on its foreign key: the second must
 * stay within three times the first.
 * Usage: node bench/relations.ts [PAIRS]
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { benchFolder, machine } from './machine.ts'
import { interleaved, type Measured, measure, median } from './measure.ts'

const pairs = Number(process.argv[2] ?? 5)
const folder = benchFolder()
const freight = join(import.meta.dirname, '..', 'bin', 'freight.js')
mkdirSync(folder, { recursive: true })

function makeDatabase(index: 'indexed' | 'unindexed'): string {
  const path = join(folder, `relations-${index}.db`)
  if (existsSync(path)) return path
  const db = new Database(path)
  db.exec(`create table orders (id integer primary key, email text, total numeric);
    create table line_items (id integer primary key, order_id integer not null references orders (id), sku text, quantity integer);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
    insert into orders select i, 'user' || i || '@example.com', i * 0.25 from n;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 250000)
    insert into line_items select i, (i * 7919) % 100000 + 1, 'SKU-' || (i % 2000), i % 5 + 1 from n;`)
  if (index === 'indexed') db.exec('create index line_items_order on line_items (order_id)')
  db.close()
  return path
}

function run(format: string, database: string): Promise<Measured> {
  const args = [freight, 'export', '--source', `sqlite:${database}`, '--resource', 'orders', '--include', 'line_items']
  const output = ['--format', format, '--force', '--output', join(folder, `relations.${format}`)]
  return measure({ name: format, file: process.execPath, args: [...args, ...output] })
}

const indexed = makeDatabase('indexed')
const unindexed = makeDatabase('unindexed')
console.log(`${machine()}; ${pairs} interleaved pairs, medians\n`)
console.log('| format | without index | with index | ratio | goal |\n|---|---|---|---|---|')
for (const format of ['ndjson', 'csv']) {
  const pairing = await interleaved(
    () => run(format, unindexed),
    () => run(format, indexed),
    pairs,
  )
  const wall = (runs: Measured[]): string => `${median(runs.map((one) => one.wallSeconds)).toFixed(2)} s`
  console.log(`| ${format} | ${wall(pairing.ours)} | ${wall(pairing.theirs)} | ${pairing.ratio.toFixed(2)} | <= 3 |`)
}
