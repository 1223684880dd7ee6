/** An interrupt takes effect within a second in the middle of a statement, and CPU time stops growing. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { field, join, many, part, rowsOf } from '../../../test/contracts/sample-part.ts'
import { TIMED } from '../../../test/timed.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Source } from '../source.ts'
import { createSqliteSource } from './sqlite.ts'

describe('an interrupt', () => {
  let folder: string
  let source: Source
  beforeAll(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'freight-sqlite-'))
    const path = joinPath(folder, 'team.db')
    const db = new Sqlite(path)
    db.pragma('journal_mode = wal')
    db.pragma('synchronous = off')
    // Scattered keys, so that a sort has work to do.
    db.exec(`create table t (id integer primary key, v text);
      insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000) select i, (i * 2654435761) % 4294967296 from n;
      create view v as select id, row_number() over (order by v) n from t;
      create table p (id integer primary key); insert into p values (1)`)
    db.close()
    source = createSqliteSource({ path, consistency: 'snapshot', tempDir: joinPath(folder, 'tmp') })
  })
  afterAll(async () => {
    await source.close()
    await rm(folder, { recursive: true })
  })

  /** Aborts while the first rows are waited for; then how long it took, and the CPU time of the half second after it. */
  async function abortInTheMiddle(asked: CheckedPart): Promise<{ tookMs: number; cpuMs: number }> {
    const stop = new AbortController()
    const snapshot = await source.open({ parts: [asked], layout: 'flat' }, stop.signal)
    const reading = rowsOf(snapshot)
    await wait(200)
    const abortedAt = performance.now()
    stop.abort()
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    await snapshot.close()
    const tookMs = performance.now() - abortedAt
    expect(await children()).toEqual([])
    // The next thread is being started.
    await source.tables()
    const cpu = process.cpuUsage()
    await wait(500)
    const { user, system } = process.cpuUsage(cpu)
    return { tookMs, cpuMs: (user + system) / 1000 }
  }

  it.each<[string, CheckedPart]>([
    ['the sort of a large table', part('t', ['id'], { sort: [{ path: [], column: 'v', descending: true }] })],
    ['a view that sorts inside', part('v', ['id', 'n'], { kind: 'view', primaryKey: [] })],
    [
      'the making of an index for a relation',
      part('p', ['id', many('t', join('t', 'id', 'v', { indexed: false }), [field('id')])]),
    ],
  ])('stops %s', TIMED, async (_what, asked) => {
    const { tookMs, cpuMs } = await abortInTheMiddle(asked)
    // The promise of an interrupt.
    expect(tookMs).toBeLessThan(2_000)
    expect(cpuMs).toBeLessThan(200)
  })
})

async function children(): Promise<string[]> {
  const tasks = await readdir(`/proc/${process.pid}/task`)
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${process.pid}/task/${task}/children`, 'utf8').catch(() => '')),
  )
  return lists.flatMap((list) => list.split(' ')).filter((pid) => pid !== '')
}
