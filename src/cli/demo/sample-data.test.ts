import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contentViews } from './content-views.ts'
import { demoConfig } from './demo-config.ts'
import { hasSampleData, makeSampleData, SAMPLE_TABLES } from './sample-data.ts'

const SMALL = { customers: 400, skus: 100, orders: 1_000, clients: 300, articles: 100, messages: 800 }

let folder = ''
let database: Database.Database

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-sample-'))
  makeSampleData(join(folder, 'full.db'))
  database = new Database(join(folder, 'full.db'), { readonly: true })
  database.defaultSafeIntegers()
})

afterAll(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

/** Of every value with its type, in key order. */
function digest(path: string): string {
  const hash = createHash('sha256')
  const small = new Database(path, { readonly: true })
  small.defaultSafeIntegers()
  for (const { name } of SAMPLE_TABLES) {
    for (const row of small.prepare(`select * from ${name}`).raw().iterate() as Iterable<unknown[]>) {
      hash.update(row.map((value) => `${typeof value} ${value}`).join('\0'))
    }
  }
  small.close()
  return hash.digest('hex')
}

function one(sql: string): unknown {
  return database.prepare(sql).pluck().get()
}

test('the sample database is made anew with the same rows each time', () => {
  const first = join(folder, 'first.db')
  const second = join(folder, 'second.db')
  makeSampleData(first, SMALL)
  makeSampleData(second, SMALL)
  expect(digest(second)).toBe(digest(first))
})

test('the tables have the promised numbers of rows', () => {
  const counts = Object.fromEntries(SAMPLE_TABLES.map(({ name }) => [name, Number(one(`select count(*) from ${name}`))]))
  expect(counts).toMatchObject({
    customers: 20_000,
    skus: 2_000,
    prices: 6_000,
    orders: 100_000,
    line_items: 250_000,
    clients: 5_000,
    articles: 2_000,
    portals: 6,
    topics: 120,
    messages: 100_000,
  })
})

test('every foreign key leads to a row of the same tenant', () => {
  expect(database.pragma('foreign_key_check')).toEqual([])
  for (const { name: table } of SAMPLE_TABLES) {
    for (const key of database.pragma(`foreign_key_list(${table})`) as { table: string; from: string; to: string }[]) {
      const sql = `select count(*) from ${table} a join ${key.table} b on b.${key.to} = a.${key.from} where a.tenant_id <> b.tenant_id`
      expect([table, key.from, one(sql)]).toEqual([table, key.from, 0n])
    }
  }
})

test('about 60 % of the rows belong to acme, the others to globex', () => {
  for (const table of ['customers', 'orders', 'line_items', 'clients', 'articles', 'messages']) {
    const share = Number(one(`select avg(tenant_id = 'acme') from ${table}`))
    expect([table, Math.round(share * 10)]).toEqual([table, expect.toSatisfy((tenth: number) => tenth >= 6 && tenth <= 7)])
    expect(one(`select count(distinct tenant_id) from ${table}`)).toBe(2n)
  }
})

test('the rows hold what exports go wrong on', () => {
  expect(one("select count(*) from orders where note is null and tenant_id = 'acme'")).not.toBe(0n)
  expect(one("select count(*) from orders where note = ''")).not.toBe(0n)
  for (const character of [',', '"', '\n', '\r\n', '\t', '\\', '👨‍👩‍👧‍👦', 'ق', 'ה']) {
    expect([
      character,
      Number(database.prepare('select count(*) from orders where instr(note, ?)').pluck().get(character)) > 0,
    ]).toEqual([character, true])
  }
  expect(one('select max(gateway_reference) from orders')).toBe(9223372036854775807n)
  expect(one('select min(gateway_reference) from orders')).toBe(-9223372036854775808n)
  expect(one("select count(*) from orders where tenant_id = 'acme' and gateway_reference = 9007199254740993")).not.toBe(0n)
  expect(one("select count(*) from orders where created_at glob '????-??-?? ??:??:??.??????'")).toBe(100_000n)
  expect(one('select count(*) from orders where json_valid(shipping_address) = 0 or json_valid(metadata) = 0')).toBe(0n)
  expect(one("select count(*) from customers where typeof(credit_limit) not in ('text', 'null')")).toBe(0n)
})

test('an order costs what its line items cost', () => {
  const sql = `select count(*) from orders o
    where subtotal_amount_cents <> (select sum(total_amount_cents) from line_items l where l.order_id = o.id)`
  expect(one(sql)).toBe(0n)
})

test('every sample table and view is offered by the demo, each with a rule for whose rows they are', () => {
  const { resources } = demoConfig('/data/sample.db')
  const offered = [...SAMPLE_TABLES, ...contentViews]
  expect(Object.keys(resources).sort()).toEqual(offered.map(({ name }) => name).sort())
  for (const { name } of offered) {
    const columns = (database.pragma(`table_info(${name})`) as { name: string }[]).map((column) => column.name)
    expect(columns).toContain(resources[name]?.tenant)
    expect(columns).toEqual(
      expect.arrayContaining([...Object.keys(resources[name]?.types ?? {}), ...(resources[name]?.hide ?? [])]),
    )
  }
})

test('a file that is not the sample database is replaced by one, and nothing is left beside it', () => {
  const path = join(folder, 'broken', 'sample.db')
  makeSampleData(path, SMALL)
  expect(hasSampleData(path)).toBe(true)
  writeFileSync(path, 'not a database')
  expect(hasSampleData(path)).toBe(false)
  makeSampleData(path, SMALL)
  expect(hasSampleData(path)).toBe(true)
  expect(readdirSync(join(folder, 'broken')).filter((name) => !/^sample\.db(-wal|-shm)?$/.test(name))).toEqual([])
})
