import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { part } from '../../../test/contracts/sample-part.ts'
import { type FromHost, READINGS } from './protocol.ts'
import { Reader } from './reader.ts'

describe('a reader', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'freight-sqlite-'))
    const db = new Sqlite(join(folder, 'team.db'))
    db.exec(`pragma journal_mode = wal; create table t (id integer primary key);
      insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) select i from n`)
    db.close()
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('does not begin to count while rows are on their way to be asked for, and counts beside them', async () => {
    const flags = new Int32Array(new SharedArrayBuffer(8))
    const said: FromHost[] = []
    const reader = new Reader({ path: join(folder, 'team.db'), tempDir: folder }, flags, (message) => said.push(message))
    const until = async (kind: FromHost['kind'], id: number): Promise<FromHost> => {
      for (;;) {
        const found = said.find((message) => message.kind === kind && ('id' in message ? message.id : message.reading) === id)
        if (found) return found
        await turn()
      }
    }
    const query = { parts: [part('t', ['id'])], layout: 'flat' as const }
    const open = {
      ask: 'open' as const,
      query,
      consistency: 'snapshot' as const,
      copyPath: join(folder, 'copy.db'),
      views: false,
    }
    reader.hear({ kind: 'ask', id: 1, question: open })
    await until('answer', 1)
    Atomics.add(flags, READINGS, 1)
    reader.hear({ kind: 'ask', id: 2, question: { ask: 'count', part: 0, ms: 60_000 } })
    for (let n = 0; n < 50; n += 1) await turn()
    expect(said.length).toBe(1)
    reader.hear({ kind: 'read', reading: 3, part: 0, batches: 1 })
    await until('answer', 2)
    expect(said.slice(1, 3)).toMatchObject([
      { kind: 'batch', reading: 3, rows: 500 },
      { kind: 'answer', id: 2, answer: { rows: 5_000, exact: true } },
    ])
    reader.hear({ kind: 'ask', id: 4, question: { ask: 'close' } })
    await until('answer', 4)
  })
})
