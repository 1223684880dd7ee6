import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compare, part } from '../../../test/contracts/sample-part.ts'
import { estimateRows } from './estimate.ts'
import { cellType, describeTable, listTables } from './facts.ts'

let folder: string
let db: Database

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-sqlite-'))
  db = new Sqlite(join(folder, 'team.db'))
})

afterEach(async () => {
  db.close()
  await rm(folder, { recursive: true })
})

describe('types from declarations', () => {
  it.each([
    ['INTEGER', 'integer'],
    ['bigint', 'integer'],
    ['INT(11)', 'integer'],
    ['UNSIGNED BIG INT', 'integer'],
    ['int8', 'integer'],
    ['POINT', 'any'],
    ['INTERVAL', 'any'],
    ['DECIMAL(10,2)', 'decimal'],
    ['numeric', 'decimal'],
    ['MONEY', 'decimal'],
    ['REAL', 'float'],
    ['double precision', 'float'],
    ['BOOLEAN', 'boolean'],
    ['DATETIME', 'timestamp'],
    ['timestamp with time zone', 'timestamp'],
    ['DATE', 'date'],
    ['TIME', 'time'],
    ['JSONB', 'json'],
    ['UUID', 'uuid'],
    ['BLOB', 'bytes'],
    ['VARBINARY(16)', 'bytes'],
    ['VARCHAR(255)', 'text'],
    ['CLOB', 'text'],
    ['', 'any'],
    ['ANY', 'any'],
  ])('%s is %s', (declared, type) => {
    expect(cellType(declared)).toBe(type)
  })
})

describe('tables', () => {
  it('lists tables, views and virtual tables, and nothing that SQLite keeps for itself', () => {
    db.exec(
      `create table t (id integer primary key autoincrement); create view v as select 1 as one; create virtual table f using fts5 (body); analyze`,
    )
    expect(listTables(db)).toEqual(['f', 't', 'v'])
    expect(describeTable(db, 'f')).toMatchObject({ kind: 'view', columns: [{ name: 'body' }] })
    expect(describeTable(db, 'V')).toMatchObject({ name: 'v', kind: 'view', columns: [{ name: 'one', type: 'any' }] })
  })

  it('only INTEGER PRIMARY KEY is the rowid, and so cannot hold anything else', () => {
    db.exec(`create table a (id integer primary key); create table b (id int primary key); create table c (id integer primary key desc);
      create table d (id integer primary key) without rowid`)
    const facts = (name: string): unknown =>
      describeTable(db, name)?.columns.map(({ strict, nullable }) => ({ strict, nullable }))[0]
    expect(facts('a')).toEqual({ strict: true, nullable: false })
    expect(facts('b')).toEqual({ strict: false, nullable: true })
    expect(facts('c')).toEqual({ strict: false, nullable: true })
    expect(facts('d')).toEqual({ strict: false, nullable: false })
  })

  it('generated columns are columns', () => {
    db.exec('create table t (a integer, b as (a + 1), c integer as (a + 2) stored)')
    expect(describeTable(db, 't')?.columns.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  it('foreign keys without columns lead to the primary key, and those to missing tables nowhere', () => {
    db.exec(`create table p (id integer primary key, code text unique);
      create table c (id integer primary key, p_id references P, p_code text references p (code), lost references gone, other_id references c)`)
    expect(describeTable(db, 'c')?.foreignKeys).toEqual([
      { columns: ['p_id'], table: 'p', foreignColumns: ['id'], indexed: false },
      { columns: ['p_code'], table: 'p', foreignColumns: ['code'], indexed: false },
      { columns: ['other_id'], table: 'c', foreignColumns: ['id'], indexed: false },
    ])
  })

  it('an index counts when it begins with the key and covers every row', () => {
    db.exec(`create table p (id integer primary key);
      create table c (id integer primary key, a references p, b references p, c references p, d references p);
      create index c_a on c (a, b); create index c_b on c (id, b); create index c_c on c (c) where c > 1; create index c_d on c (d + 1)`)
    expect(describeTable(db, 'c')?.foreignKeys.map(({ columns, indexed }) => [columns[0], indexed])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
      ['d', false],
    ])
  })
})

describe('estimates', () => {
  it('come from the keys, or from ANALYZE, and are null for a filter', () => {
    db.exec(`create table t (id integer primary key, tenant text); create index t_tenant on t (tenant)`)
    const insert = db.prepare('insert into t values (?, ?)')
    for (let id = 1; id <= 100; id += 1) insert.run(id * 2, id % 4 === 0 ? 'a' : 'b')
    expect(estimateRows(db, part('t', ['id']))).toEqual({ rows: 199, exact: false })
    const scope = compare('eq', 'tenant', 'text', 'a')
    expect(estimateRows(db, part('t', ['id'], { scope })).rows).toBeNull()
    db.exec('analyze')
    expect(estimateRows(db, part('t', ['id'])).rows).toBe(100)
    expect(estimateRows(db, part('t', ['id'], { limit: 7 })).rows).toBe(7)
    expect(estimateRows(db, part('t', ['id'], { scope })).rows).toBe(50)
    expect(estimateRows(db, part('t', ['id'], { where: scope })).rows).toBeNull()
  })
})
