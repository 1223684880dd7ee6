/** Keys of every kind that SQLite has, and what is read and related by them. */
import type { Database } from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compare, field, join, many, one, part, readColumn, readRows } from '../../../test/contracts/sample-part.ts'
import { cpuMs } from '../../../test/cpu-time.ts'
import { openSqliteTeam, type SqliteTeam } from '../../../test/sqlite-team.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Source } from '../source.ts'

let team: SqliteTeam
let db: Database
let source: Source
beforeAll(async () => {
  team = await openSqliteTeam()
  db = team.db
  source = team.source
})
afterEach(() => team.empty())
afterAll(() => team.close())

describe('keys of every kind', () => {
  it('a table without an integer key, also where columns take the names of the rowid', async () => {
    db.exec(`create table a (code text primary key, rowid text); insert into a values ('z', 'r1'), ('y', 'r2');
      create table b (rowid text, _rowid_ text, oid text); insert into b values ('1', '2', '3'), ('0', '0', '0')`)
    expect(await readRows(source, part('a', ['code', 'rowid'], { primaryKey: ['code'] }))).toEqual([
      ['z', 'r1'],
      ['y', 'r2'],
    ])
    const where = compare('eq', 'rowid', 'text', 'r2')
    expect(await readRows(source, part('a', ['code'], { primaryKey: ['code'], where }))).toEqual([['y']])
    expect(await readRows(source, part('b', ['rowid', 'oid'], { primaryKey: [] }))).toEqual([
      ['1', '3'],
      ['0', '0'],
    ])
  })

  it('the smallest and the largest keys there are', async () => {
    db.exec(
      'create table t (id integer primary key); insert into t values (-9223372036854775808), (-1), (0), (9223372036854775807)',
    )
    expect(await readColumn(source, part('t', ['id']))).toEqual(['-9223372036854775808', -1, 0, '9223372036854775807'])
  })

  it('WITHOUT ROWID tables are read in the order of their key, filtered, sorted and related', async () => {
    db.exec(`create table w (a text, b integer, v text, primary key (a, b)) without rowid;
      insert into w values ('y', 2, 'four'), ('x', 2, 'two'), ('x', 1, 'one'), ('y', 1, 'three');
      create table p (id integer primary key, a text); insert into p values (1, 'x'), (2, 'y'), (3, 'z')`)
    const asked = (options: Partial<CheckedPart> = {}): CheckedPart => part('w', ['v'], { primaryKey: ['a', 'b'], ...options })
    expect(await readColumn(source, asked())).toEqual(['one', 'two', 'three', 'four'])
    expect(await readColumn(source, asked({ where: compare('eq', 'b', 'integer', '2'), limit: 1 }))).toEqual(['two'])
    expect(await readColumn(source, asked({ sort: [{ path: [], column: 'v', descending: false }] }))).toEqual([
      'four',
      'one',
      'three',
      'two',
    ])
    const byA = join('w', 'a', 'a', { orderBy: ['a', 'b'] })
    const byV = join('w', 'a', 'v', { orderBy: ['a', 'b'], indexed: false })
    expect(await readRows(source, part('p', [many('w', byA, [field('v')])]))).toEqual([
      ['[["one"],["two"]]'],
      ['[["three"],["four"]]'],
      [null],
    ])
    expect(await readRows(source, part('p', [one('w', byA, [field('v')]), one('none', byV, [field('b')])]))).toEqual([
      [1, 'one', 0, null],
      [1, 'three', 0, null],
      [0, null, 0, null],
    ])
    expect(
      await readColumn(source, part('p', ['id'], { where: { op: 'related', join: byA, where: { op: 'and', of: [] } } })),
    ).toEqual([1, 2])
  })

  it('keys of different types find each other as SQLite compares them, with an index and without', async () => {
    db.exec(`create table p (id integer primary key); insert into p values (1), (2);
      create table c (id integer primary key, p_id text); insert into c values (1, '1'), (2, '01'), (3, 'x'), (4, null);
      create table d (id integer primary key, p_id references p); create index d_p on d (p_id); insert into d values (1, '2'), (2, 2)`)
    const of = (table: string): CheckedPart => part('p', ['id', many('m', join(table, 'id', 'p_id'), [field('id')])])
    expect(await readRows(source, of('c'))).toEqual([
      [1, '[[1],[2]]'],
      [2, null],
    ])
    expect(await readRows(source, of('d'))).toEqual([
      [1, null],
      [2, '[[1],[2]]'],
    ])
  })

  it('no relation reads its table once per row, whatever indexes there are', async () => {
    const numbers = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 15000) select i'
    db.exec(`create table p (id integer primary key, code text); insert into p ${numbers}, 'x' || i from n;
      create table c (id integer primary key, tenant integer, p_id integer, p_untyped, code text collate nocase);
      insert into c ${numbers}, 1, i, i, 'x' || i from n;
      create index c_tenant on c (tenant, id); create index c_untyped on c (p_untyped); create index c_code on c (code collate binary)`)
    const relations = [
      join('c', 'id', 'p_id', { indexed: true }),
      join('c', 'id', 'p_untyped', { indexed: true }),
      join('c', 'code', 'code', { indexed: true }),
    ]
    const select = relations.flatMap((relation, n) => [
      many(`m${n}`, relation, [field('id')]),
      one(`o${n}`, relation, [field('id')]),
    ])
    const sort = [{ path: [relations[0] ?? join('c', 'id', 'p_id')], column: 'id', descending: true }]
    const where = {
      op: 'and' as const,
      of: relations.map((relation) => ({ op: 'related' as const, join: relation, where: compare('gt', 'id', 'integer', '0') })),
    }
    const startedAt = cpuMs()
    const rows = await readRows(source, part('p', ['id', ...select], { sort, where }))
    // Read once per row, each of these would take more than ten seconds.
    expect(cpuMs() - startedAt).toBeLessThan(5_000)
    expect(rows.length).toBe(15_000)
    expect(rows[0]).toEqual([15_000, '[[15000]]', 1, 15_000, '[[15000]]', 1, 15_000, '[[15000]]', 1, 15_000])
  })

  it('keys of several columns', async () => {
    db.exec(`create table p (tenant text, no integer, primary key (tenant, no)); insert into p values ('a', 1), ('a', 2), ('b', 1);
      create table c (id integer primary key, tenant text, p_no integer, foreign key (tenant, p_no) references p);
      create index c_tenant on c (tenant); insert into c values (1, 'a', 1), (2, 'a', 2), (3, 'b', 1), (4, 'b', null)`)
    expect((await source.describe('c'))?.foreignKeys).toEqual([
      { columns: ['tenant', 'p_no'], table: 'p', foreignColumns: ['tenant', 'no'], indexed: false },
    ])
    const toMany = join('c', '', '', { localColumns: ['tenant', 'no'], foreignColumns: ['tenant', 'p_no'] })
    const toOne = join('p', '', '', {
      localColumns: ['tenant', 'p_no'],
      foreignColumns: ['tenant', 'no'],
      orderBy: ['tenant', 'no'],
    })
    expect(await readRows(source, part('p', [many('c', toMany, [field('id')])], { primaryKey: ['tenant', 'no'] }))).toEqual([
      ['[[1]]'],
      ['[[2]]'],
      ['[[3]]'],
    ])
    expect(await readRows(source, part('c', [one('p', toOne, [field('no')])]))).toEqual([
      [1, 1],
      [1, 2],
      [1, 1],
      [0, null],
    ])
    const where = { op: 'not' as const, of: { op: 'related' as const, join: toOne, where: compare('eq', 'no', 'integer', '1') } }
    expect(await readColumn(source, part('c', ['id'], { where }))).toEqual([2, 4])
  })
})
