/** How SQLite's transactions, copies, hosts and interrupts behave. */
import { execFile, execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compare, part, readColumn, readRows, rowsOf } from '../../../test/contracts/sample-part.ts'
import { TIMED } from '../../../test/timed.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Snapshot, Source } from '../source.ts'
import { createSqliteSource } from './sqlite.ts'

let folder: string
let path: string
let tempDir: string
const toClose: { close(): unknown }[] = []

beforeEach(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'freight-sqlite-'))
  path = joinPath(folder, 'team.db')
  tempDir = joinPath(folder, 'tmp')
})

afterEach(async () => {
  for (const each of toClose.splice(0).reverse()) await each.close()
  await rm(folder, { recursive: true })
})

function openTeam(journal: 'wal' | 'delete', sql: string): Database {
  const db = new Sqlite(path, { timeout: 0 })
  toClose.push(db)
  db.pragma(`journal_mode = ${journal}`)
  db.pragma('synchronous = off')
  db.exec(sql)
  return db
}

function openSource(consistency: 'snapshot' | 'locking' = 'snapshot'): Source {
  const source = createSqliteSource({ path, consistency, tempDir })
  toClose.push(source)
  return source
}

async function openPart(source: Source, asked: CheckedPart, signal = new AbortController().signal): Promise<Snapshot> {
  return await source.open({ parts: [asked], layout: 'flat' }, signal)
}

const someRows = (rows: number): string =>
  `create table t (id integer primary key, v text); insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows}) select i, hex(randomblob(8)) from n;`

describe('a database with a rollback journal', () => {
  it('is copied, so that its writers go on, and the copy is gone from the folder while it is read', async () => {
    const team = openTeam('delete', someRows(20_000))
    const snapshot = await openPart(openSource(), part('t', ['id']))
    expect(await readdir(tempDir)).toEqual([])
    const reading = rowsOf(snapshot)
    team.exec('delete from t where id > 10')
    expect((await reading).length).toBe(20_000)
    await snapshot.close()
  })

  it('is read in place with locking, and its writers wait', async () => {
    const team = openTeam('delete', someRows(10))
    const source = openSource('locking')
    const snapshot = await openPart(source, part('t', ['id']))
    expect(() => team.exec('delete from t where id > 5')).toThrow('locked')
    await snapshot.close()
    team.exec('delete from t where id > 5')
    expect((await readColumn(source, part('t', ['id']))).length).toBe(5)
  })

  it('that is locked by a writer is unavailable for the moment, and an abort does not wait for it', TIMED, async () => {
    const team = openTeam('delete', someRows(10))
    team.exec('begin exclusive')
    const source = openSource('locking')
    const stop = new AbortController()
    const opening = openPart(source, part('t', ['id']), stop.signal)
    await wait(150)
    const stoppedAt = performance.now()
    stop.abort()
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' })
    expect(performance.now() - stoppedAt).toBeLessThan(1_500)
    team.exec('rollback')
  })

  it('leaves nothing behind when the copying is aborted, and sweeps what a dead process left', async () => {
    openTeam('delete', `${someRows(10)} create table big (b); insert into big values (zeroblob(50000000))`)
    await mkdir(tempDir)
    await writeFile(joinPath(tempDir, 'freight-copy-999999999-1-x.db'), 'half')
    await writeFile(joinPath(tempDir, 'other.db'), 'of someone else')
    const stop = new AbortController()
    const opening = openPart(openSource(), part('t', ['id']), stop.signal)
    while (!(await readdir(tempDir)).some((name) => name.startsWith(`freight-copy-${process.pid}-`))) await wait(1)
    stop.abort()
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await readdir(tempDir)).toEqual(['other.db'])
  })
})

describe('a WAL database', () => {
  it.each([
    ['its table is dropped', (team: Database) => team.exec('drop table t')],
    ['its column is dropped', (team: Database) => team.exec('alter table t drop column v')],
    ['its rows are deleted', (team: Database) => team.exec('delete from t; insert into t values (1, 2)')],
    ['its file is removed', () => rmSync(path)],
  ])('is read to its end as it was while %s', async (_what, change) => {
    const team = openTeam('wal', someRows(20_000))
    const snapshot = await openPart(openSource(), part('t', ['id', 'v']))
    let seen = 0
    for await (const { rows } of snapshot.rows(0)) {
      if (seen === 0) change(team)
      seen += rows
    }
    expect(seen).toBe(20_000)
    expect(await snapshot.count(0, { ms: 10_000 })).toEqual({ rows: 20_000, exact: true })
    await snapshot.close()
  })
})

it('a program that has nothing else to do lives until the process of a view has ended', async () => {
  openTeam('wal', `${someRows(10)} create view w as select * from t`)
  const script = `import { createSqliteSource } from ${JSON.stringify(joinPath(import.meta.dirname, 'sqlite.ts'))}
    const source = createSqliteSource(${JSON.stringify({ path, consistency: 'snapshot', tempDir })})
    const part = ${JSON.stringify(part('w', ['id'], { kind: 'view', primaryKey: [] }))}
    const snapshot = await source.open({ parts: [part], layout: 'flat' }, new AbortController().signal)
    for await (const { rows } of snapshot.rows(0)) if (rows !== 10) throw new Error(String(rows))
    await snapshot.close()
    await source.close()
    console.log('closed')`
  // With this flag none of its threads can start, which must not hold up the end either.
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stdout).toBe('closed\n')
})

describe('a file that cannot be read', () => {
  it('says so in one line, without its path', async () => {
    const problems: [string, RegExp][] = []
    const tryIt = async (prepare: () => Promise<unknown>, expected: RegExp): Promise<void> => {
      await rm(path, { force: true, recursive: true })
      await prepare()
      const source = createSqliteSource({ path, consistency: 'snapshot', tempDir })
      const message = await openPart(source, part('t', ['id'])).then(
        () => 'it was opened',
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      )
      await source.close()
      problems.push([message, expected])
    }
    await tryIt(async () => {}, /^SOURCE_UNAVAILABLE .*cannot be opened/)
    await tryIt(() => mkdir(path), /^SOURCE_UNAVAILABLE .*cannot be opened/)
    await tryIt(
      () => writeFile(path, 'a text file that is long enough to have been a database, which it never was at all'.repeat(20)),
      /^SOURCE_UNAVAILABLE .*not a SQLite database/,
    )
    for (const [message, expected] of problems) {
      expect(message).toMatch(expected)
      expect(message).not.toContain(folder)
    }
  })

  it('and is damaged in the middle fails in the middle, never ends', async () => {
    const team = openTeam('delete', someRows(20_000))
    team.close()
    await truncate(path, 200 * 1024)
    const rows = readRows(openSource('locking'), part('t', ['id', 'v']))
    await expect(rows).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringContaining('damaged') })
  })
})

describe('what fails while rows are read', () => {
  it('an error inside a view names the reason and no SQL', async () => {
    openTeam('wal', `${someRows(100)} create view v as select id, case when id = 70 then json('{bad') else id end as j from t`)
    const rows = readRows(openSource(), part('v', ['id', 'j'], { kind: 'view', primaryKey: [] }))
    await expect(rows).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: 'SQLite could not read the rows: malformed JSON.',
    })
  })

  it('a value in a view that is too large is told as such', async () => {
    openTeam('wal', 'create view v as select 1 as id, zeroblob(1000000001) as b')
    const rows = readRows(openSource(), part('v', ['b'], { kind: 'view', primaryKey: [] }))
    await expect(rows).rejects.toMatchObject({ code: 'ROW_TOO_LARGE' })
  })

  it('a view whose table is gone is told without harm to the others', async () => {
    openTeam('wal', `${someRows(3)} create table lost (a); create view v as select a from lost; drop table lost`)
    const source = openSource()
    expect(await source.tables()).toEqual(['t', 'v'])
    await expect(source.describe('v')).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringContaining('lost') })
    expect((await source.describe('t'))?.kind).toBe('table')
  })

  it('a reader process that is killed makes what was asked reject, and the next export works', async () => {
    openTeam('wal', `${someRows(200_000)} create view v as select * from t`)
    const source = openSource()
    const asked = part('v', ['id', 'v'], { kind: 'view', primaryKey: [] })
    const snapshot = await openPart(source, asked)
    const reading = (async () => {
      for await (const chunk of snapshot.rows(0))
        if (chunk.rows > 0) for (const pid of await children()) process.kill(pid, 'SIGKILL')
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await expect(snapshot.count(0, { ms: 100 })).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await snapshot.close()
    expect(await readColumn(source, { ...asked, limit: 2 })).toEqual([1, 2])
  })

  it('a table that became a view since the check is a change', async () => {
    openTeam('wal', `${someRows(3)} create view v as select * from t`)
    await expect(readRows(openSource(), part('v', ['id']))).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('"v"'),
    })
  })
})

describe('a count', () => {
  it('gives up when its time is over, also where nothing can stop it', TIMED, async () => {
    openTeam('wal', `${someRows(400_000)} create view v as select id, row_number() over (order by v) n from t`)
    const source = openSource()
    const view = await openPart(
      source,
      part('v', ['id'], { kind: 'view', primaryKey: [], where: compare('gt', 'n', 'integer', '0') }),
    )
    const startedAt = performance.now()
    expect(await view.count(0, { ms: 20 })).toEqual({ rows: null, exact: false })
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await view.close()
    const table = await openPart(source, part('t', ['id'], { where: { op: 'like', column: 'v', pattern: '%zz%' } }))
    expect(await table.count(0, { ms: 5 })).toEqual({ rows: null, exact: false })
    expect(await table.count(0, { ms: 10_000 })).toEqual({ rows: 0, exact: true })
    await table.close()
  })

  it('of a filtered part gives way to its rows, and is answered by them', async () => {
    openTeam('wal', someRows(300_000))
    const snapshot = await openPart(openSource(), part('t', ['id'], { where: { op: 'like', column: 'v', pattern: '%A%' } }))
    const counted = snapshot.count(0, { ms: 10_000 })
    const rows = await rowsOf(snapshot)
    expect(await counted).toEqual({ rows: rows.length, exact: true })
    await snapshot.close()
  })
})

it('temporary files go to the folder for them', async () => {
  const rows =
    'with recursive n(i) as (select 1 union all select i + 1 from n where i < 25000) select i, hex(zeroblob(500)) from n'
  openTeam('wal', `create table w (id integer primary key, v text) without rowid; insert into w ${rows}`)
  const snapshot = await openPart(openSource(), part('w', ['id', 'v']))
  for await (const chunk of snapshot.rows(0)) if (chunk.rows > 0) break
  const open = execFileSync('ls', ['-l', `/proc/${process.pid}/fd`]).toString()
  expect(open).toMatch(new RegExp(`${tempDir}/\\S+ \\(deleted\\)`))
  await snapshot.close()
})

async function children(): Promise<number[]> {
  const tasks = await readdir(`/proc/${process.pid}/task`)
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${process.pid}/task/${task}/children`, 'utf8').catch(() => '')),
  )
  return lists.flatMap((list) =>
    list
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number),
  )
}
