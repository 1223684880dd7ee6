import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newJob } from '../../test/contracts/sample-job.ts'
import { createParts, type Parts } from '../parts.ts'
import type { Source } from '../sources/source.ts'
import { createAnswers } from './probe-answers.ts'

const { spec } = newJob(1)
const question = { ask: 'count', spec } as const

let folder: string
let parts: Parts
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-probe-'))
  const path = join(folder, 'team.db')
  const database = new Sqlite(path)
  database.pragma('journal_mode = wal')
  database.exec(
    "create table orders (id integer primary key, tenant_id text); insert into orders values (1, 'acme'), (2, 'other')",
  )
  database.close()
  parts = createParts({ sources: { main: { url: `sqlite:${path}`, consistency: 'snapshot', parallel: 1 } }, dataDir: folder })
})
afterEach(async () => {
  await parts.close()
  await rm(folder, { recursive: true })
})

/** The same source, and how many snapshots of it were open at once at most; opening may be held up. */
function watched(source: Source, opening: Promise<void> = Promise.resolve()): { source: Source; most: () => number } {
  let open = 0
  let most = 0
  return {
    most: () => most,
    source: {
      tables: () => source.tables(),
      describe: (table) => source.describe(table),
      estimate: (part, signal) => source.estimate(part, signal),
      endSession: (session) => source.endSession(session),
      close: () => source.close(),
      async open(query, signal) {
        open += 1
        most = Math.max(most, open)
        await opening
        const snapshot = await source.open(query, signal)
        return {
          takenAt: snapshot.takenAt,
          session: snapshot.session,
          shape: (part) => snapshot.shape(part),
          count: (part, limit) => snapshot.count(part, limit),
          rows: (part) => snapshot.rows(part),
          async close() {
            open -= 1
            await snapshot.close()
          },
        }
      },
    },
  }
}

it('a rush of questions is answered a few at a time', async () => {
  const { source, most } = watched(parts.source('main'))
  const answers = createAnswers({ ...parts, source: () => source })
  const signal = new AbortController().signal
  const counts = await Promise.all(Array.from({ length: 40 }, () => answers.answer(question, 10_000, signal)))
  expect(counts).toEqual(new Array(40).fill({ rows: 1, exact: true }))
  expect(most()).toBe(4)
})

it('a count whose time is over before its turn has come is an estimate', async () => {
  const { promise: opening, resolve: open } = Promise.withResolvers<void>()
  const { source } = watched(parts.source('main'), opening)
  const answers = createAnswers({ ...parts, source: () => source })
  const first = Array.from({ length: 4 }, () => answers.answer(question, 10_000, new AbortController().signal))
  const late = await answers.answer(question, 50, AbortSignal.timeout(50))
  expect(late).toMatchObject({ exact: false })
  open()
  expect(await Promise.all(first)).toEqual(new Array(4).fill({ rows: 1, exact: true }))
  expect(await answers.answer(question, 10_000, new AbortController().signal)).toEqual({ rows: 1, exact: true })
})
