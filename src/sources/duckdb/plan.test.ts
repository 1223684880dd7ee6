/** Reading a few rows at a time, as is done where they are large, gives the rows that one statement gives. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compare, field, join, many, one, part } from '../../../test/contracts/sample-part.ts'
import { acme, SCHEMA } from '../../../test/contracts/source-sample.ts'
import { type Engine, startEngine } from '../../duckdb/engine.ts'
import type { CheckedPart, TableRef } from '../../job/spec.ts'
import { type TableFacts, tableFacts } from './facts.ts'
import { type PartPlan, planPart, type Statement, tablesOf } from './plan.ts'

let folder: string
let engine: Engine
beforeAll(async () => {
  folder = mkdtempSync(joinPath(tmpdir(), 'freight-plan-'))
  const database = joinPath(folder, 'team.duckdb')
  const instance = await DuckDBInstance.create(database)
  const connection = await instance.connect()
  await connection.run(`${SCHEMA}; create table log (t varchar, rowid varchar); insert into log values ('b', 'x'), ('a', 'y');
    create table words (t varchar); insert into words values ('b'), ('a'), ('b'), ('c')`)
  connection.closeSync()
  instance.closeSync()
  engine = await startEngine({ tempDir: folder, threads: 1, memoryMb: 400, keepsOrder: true, database, files: [] })
})
afterAll(async () => {
  await engine.end()
  rmSync(folder, { recursive: true })
})

async function planned(asked: CheckedPart): Promise<PartPlan> {
  const facts = new Map<string, TableFacts>()
  for (const table of tablesOf(asked)) {
    const found = await tableFacts(engine, table)
    if (found) facts.set(table.name, found)
  }
  const known = ({ name }: TableRef): TableFacts => {
    const found = facts.get(name)
    if (!found) throw new Error(`there is no table ${name}`)
    return found
  }
  return planPart(asked, 'nested', known, null)
}

const linesOf = async ({ sql, values }: Statement): Promise<unknown[]> => (await engine.rows(sql, values)).flat()

const customer = join('customers', 'customer_id', 'id')
const items = many('items', join('items', 'id', 'order_id'), [field('sku')])
const keyless = { primaryKey: [] }

it.each([
  ['a whole table', part('orders', ['id', 'status'])],
  [
    'the rows of a filter, a scope and a limit',
    part('orders', ['id'], { scope: acme, where: compare('gt', 'total', 'decimal', '1'), limit: 2 }),
  ],
  ['relations', part('orders', ['id', one('customer', customer, [field('name')]), items], { scope: acme })],
  [
    'an order that goes through a relation',
    part('orders', ['id', items], { sort: [{ path: [customer], column: 'name', descending: true }] }),
  ],
  ['a table without a key', part('words', ['t'], keyless)],
  ['a table without a key, sorted', part('words', ['t'], { ...keyless, sort: [{ path: [], column: 't', descending: false }] })],
  ['a table with a column named as its row numbers are', part('log', ['t', 'rowid'], keyless)],
])('%s', async (_what, asked) => {
  const { all, few, count } = await planned(asked)
  const lines = await linesOf(all)
  expect(await linesOf(count)).toEqual([String(lines.length)])
  const found: unknown[] = []
  for (let from = 0; from < lines.length; from += 2) {
    found.push(...(await linesOf(few?.lines(from, Math.min(2, lines.length - from)) ?? all)))
  }
  expect(found).toEqual(lines)
})

it('is not done where their order might be another each time: the rows of a view', async () => {
  expect((await planned(part('big_orders', ['id'], { ...keyless, kind: 'view' }))).few).toBeNull()
})

it('tells how large the fields of a row are', async () => {
  const { few } = await planned(part('customers', ['id', 'name', 'email']))
  expect(few?.fields).toEqual(['name', 'email'])
  expect(await linesOf(few?.sizes(0, 2) ?? { sql: '', values: [] })).toEqual(['3', '3', '3', null])
})
