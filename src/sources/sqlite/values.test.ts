/** What SQLite alone lets into a column, and how it comes out. */
import type { Database } from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compare, field, join, many, part, readColumn, readRows, value } from '../../../test/contracts/sample-part.ts'
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

/** The row text as it is. */
async function readText(asked: CheckedPart): Promise<string> {
  return (await readBytes(asked)).toString()
}

async function readBytes(asked: CheckedPart): Promise<Buffer> {
  const snapshot = await source.open({ parts: [asked], layout: 'flat' }, new AbortController().signal)
  const pieces: Buffer[] = []
  for await (const { bytes } of snapshot.rows(0)) pieces.push(Buffer.from(bytes))
  await snapshot.close()
  return Buffer.concat(pieces)
}

describe('values of any type in any column', () => {
  it('each comes out as what it is', async () => {
    db.exec(`create table t (id integer primary key, v);
      insert into t (v) values (null), (''), ('5'), (5), (5.0), (9223372036854775807), (-9223372036854775808), (0.1), (1e21), (9e999), (-9e999), ('NaN')`)
    expect(await readText(part('t', ['v']))).toBe(
      '[null]\n[""]\n["5"]\n[5]\n[5.0]\n[9223372036854775807]\n[-9223372036854775808]\n[0.1]\n[1.0e+21]\n[9.0e+999]\n[-9.0e+999]\n["NaN"]\n',
    )
  })

  it('bytes are marked as bytes, also where they are valid JSONB', async () => {
    db.exec(`create table t (id integer primary key, v text);
      insert into t (v) values (x''), (x'00'), (x'0c'), (x'7b7d'), (jsonb('{"a":[1]}')), (x'ff61')`)
    const jsonb = String(db.prepare(`select hex(jsonb('{"a":[1]}'))`).pluck().get())
    const expected = ['', '00', '0C', '7B7D', jsonb, 'FF61'].map((hex) => `[{"b":"${hex}"}]\n`).join('')
    expect(await readText(part('t', ['v']))).toBe(expected)
    const filtered = part('t', ['v'], { where: { op: 'not', of: { op: 'is_null', column: 'v' } } })
    expect(await readText(filtered)).toBe(expected)
  })

  it('NUL and invalid UTF-8 pass through as they are stored', async () => {
    db.exec(`create table t (id integer primary key, v text);
      insert into t (v) values (cast(x'610062' as text)), (cast(x'61ff62' as text)), (cast(x'eda080' as text))`)
    const bytes = await readBytes(part('t', ['v']))
    expect(bytes.toString('latin1')).toBe('["a\\u0000b"]\n["a\xffb"]\n["\xed\xa0\x80"]\n')
  })

  it('text that looks like JSON stays text, also from a generated column', async () => {
    db.exec(`create table t (id integer primary key, v text, g as (json_object('a', id)), s as (json_array(id)) stored, b as (x'01'), n as (id + 1), z as (null));
      insert into t (v) values ('[1]')`)
    expect(await readText(part('t', ['v', 'g', 's', 'b', 'n', 'z']))).toBe('["[1]","{\\"a\\":1}","[1]",{"b":"01"},2,null]\n')
  })

  it('a view that makes JSON gives text', async () => {
    db.exec(`create table t (id integer primary key); insert into t values (1);
      create view v as select id, json_object('a', id) j, 2.0 r, '5' n, x'00' b from t union all select 2, 3, 4, 5, 'x'`)
    expect(await readText(part('v', ['j', 'r', 'n', 'b'], { kind: 'view', primaryKey: [] }))).toBe(
      '["{\\"a\\":1}",2.0,"5",{"b":"00"}]\n[3,4,5,"x"]\n',
    )
  })

  it('columns that cannot hold bytes are read without the guard, and a STRICT column of bytes with it', async () => {
    db.exec(
      `create table t (id integer primary key, n int, t text, b blob, a any) strict; insert into t values (1, 2, 'x', x'00', x'0c')`,
    )
    const described = await source.describe('t')
    expect(described?.columns.map(({ name, strict }) => [name, strict])).toEqual([
      ['id', true],
      ['n', true],
      ['t', true],
      ['b', false],
      ['a', false],
    ])
    const select = (described?.columns ?? []).map(({ name, type, strict }) => field(name, { type, strict }))
    expect(await readText(part('t', select))).toBe('[1,2,"x",{"b":"00"},{"b":"0C"}]\n')
  })

  it('a UTF-16 database reads as UTF-8', async () => {
    const utf16 = await openSqliteTeam('UTF-16le')
    utf16.db.exec(`create table t (id integer primary key, v); insert into t (v) values ('é😀'), (x'00'), ('x')`)
    expect(utf16.db.pragma('encoding', { simple: true })).toBe('UTF-16le')
    expect(await readRows(utf16.source, part('t', ['v']))).toEqual([['é😀'], [{ b: '00' }], ['x']])
    await utf16.close()
  })
})

describe('filters on what SQLite lets into a column', () => {
  it('times compare as instants whatever their form, and what is no time satisfies nothing', async () => {
    db.exec(`create table t (id integer primary key, at datetime);
      insert into t (at) values ('2024-03-01 00:30:00'), ('2024-03-01T00:30:00Z'), ('2024-03-01T02:30:00.000+02:00'), ('2024-02-29T23:30:00-01:00'),
        ('2024-03-01 00:30:00.001'), ('2024-02-29'), ('9999-01-01 00:00:00'), (1709253000), ('soon'), (''), (x'32'), (null);
      create index t_at on t (at)`)
    const ids = (op: 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq'): Promise<unknown[]> =>
      readColumn(source, part('t', ['id'], { where: compare(op, 'at', 'timestamp', '2024-03-01T00:30:00Z') }))
    expect(await ids('eq')).toEqual([1, 2, 3, 4])
    expect(await ids('lt')).toEqual([6])
    expect(await ids('lteq')).toEqual([1, 2, 3, 4, 6])
    expect(await ids('gt')).toEqual([5, 7])
    expect(await ids('gteq')).toEqual([1, 2, 3, 4, 5, 7])
  })

  it('numbers kept as text compare as numbers', async () => {
    db.exec(
      `create table t (id integer primary key, d text, n); insert into t (d, n) values ('9.50', '9'), ('10.00', 10), ('100', '100')`,
    )
    expect(await readColumn(source, part('t', ['d'], { where: compare('gt', 'd', 'decimal', '9.5') }))).toEqual(['10.00', '100'])
    const where = {
      op: 'in' as const,
      column: 'd',
      type: 'decimal' as const,
      values: [value('decimal', '9.5'), value('decimal', '100.0')],
    }
    expect(await readColumn(source, part('t', ['d'], { where }))).toEqual(['9.50', '100'])
    expect(await readColumn(source, part('t', ['n'], { where: compare('gteq', 'n', 'integer', '10') }))).toEqual([10, '100'])
  })

  it('in a column without a type numbers compare with numbers and text with text', async () => {
    db.exec(`create table t (id integer primary key, v); insert into t (v) values (1), ('1'), (2.5), ('b'), (x'31'), (null)`)
    const found = (op: 'eq' | 'lt' | 'gt', type: 'integer' | 'text', text: string): Promise<unknown[]> =>
      readColumn(source, part('t', ['id'], { where: { op, column: 'v', type: 'any', value: value(type, text) } }))
    expect(await found('eq', 'integer', '1')).toEqual([1])
    expect(await found('eq', 'text', '1')).toEqual([2])
    expect(await found('gt', 'integer', '1')).toEqual([3])
    expect(await found('lt', 'text', 'b')).toEqual([2])
  })

  it('a column that ignores case is still compared by bytes', async () => {
    db.exec(
      `create table t (id integer primary key, v text collate nocase); create index t_v on t (v); insert into t (v) values ('a'), ('A'), ('B')`,
    )
    expect(await readColumn(source, part('t', ['v'], { where: compare('eq', 'v', 'text', 'a') }))).toEqual(['a'])
    expect(await readColumn(source, part('t', ['v'], { sort: [{ path: [], column: 'v', descending: false }] }))).toEqual([
      'A',
      'B',
      'a',
    ])
  })
})

describe('wide rows', () => {
  const columns = (count: number): string[] => Array.from({ length: count }, (_, n) => `c${n}`)
  /** What a careless cut between two pieces would trip over. */
  const tricky = ['0]', '[', 0, 10, null, '"', 100, '0', ']', 'é']

  it.each([900, 901, 1_000, 1_801, 2_000])('a row of %i columns is whole', async (count) => {
    const names = columns(count)
    const cells = names.map((_, n) => tricky[n % tricky.length] ?? null)
    db.exec(`create table t (${names.join(', ')})`)
    db.prepare(`insert into t values (${names.map(() => '?').join(', ')})`).run(cells)
    expect(await readRows(source, part('t', names, { primaryKey: [] }))).toEqual([cells])
  })

  it('an element of a to-many relation may be as wide', async () => {
    const names = columns(1_500)
    db.exec(
      `create table p (id integer primary key); insert into p values (1); create table t (id integer primary key, p_id integer, ${names.join(', ')})`,
    )
    const cells = names.map((_, n) => tricky[n % tricky.length] ?? null)
    db.prepare(`insert into t values (1, 1, ${names.map(() => '?').join(', ')})`).run(cells)
    const select = [
      many(
        't',
        join('t', 'id', 'p_id'),
        names.map((name) => field(name)),
      ),
    ]
    const [row] = await readRows(source, part('p', select))
    expect(JSON.parse(String(row?.[0]))).toEqual([cells])
  })

  it('heavy rows come in chunks that stay small', async () => {
    db.exec('create table t (id integer primary key, v text)')
    const insert = db.prepare('insert into t (v) values (?)')
    for (let n = 0; n < 1_200; n += 1) insert.run(n < 600 || n > 1_150 ? 'small' : 'x'.repeat(100_000))
    insert.run('y'.repeat(12 * 1024 * 1024))
    insert.run('last')
    const snapshot = await source.open({ parts: [part('t', ['id', 'v'])], layout: 'flat' }, new AbortController().signal)
    const sizes: number[] = []
    let rows = 0
    for await (const chunk of snapshot.rows(0)) {
      sizes.push(chunk.bytes.length)
      rows += chunk.rows
    }
    await snapshot.close()
    expect(rows).toBe(1_202)
    expect(Math.max(...sizes)).toBeLessThan(12 * 1024 * 1024 + 100)
    expect(sizes.filter((size) => size > 9 * 1024 * 1024).length).toBe(1)
  })

  it('a row that SQLite cannot hold in one piece is named', async () => {
    db.exec(`create table t (id integer primary key, n integer, v as (zeroblob(n))); insert into t (n) values (1), (2), (3), (0)`)
    // Written as it stands, SQLite would refuse the row already.
    db.unsafeMode().pragma('writable_schema = on')
    db.exec(`update sqlite_schema set sql = replace(sql, 'zeroblob(n)', 'zeroblob(n / 3 * 1000000001)') where name = 't'`)
    await expect(readRows(source, part('t', ['id', 'v']))).rejects.toMatchObject({
      code: 'ROW_TOO_LARGE',
      message: expect.stringContaining('Row 3 (key 3) of "t"'),
    })
  })
})
