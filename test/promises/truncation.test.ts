/** What dies or breaks in the middle of a run never gives a completed export with fewer rows: it is read again, or fails by name. */
import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { childrenOf } from '../process-group.ts'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'
import { filesOf, storedBytes } from '../stored-files.ts'

const ROWS = 200_000
/** The row whose value cannot be computed. */
const POISON = 100_000

let site: Site
let server: Server
let key: string
let path: string

beforeAll(async () => {
  site = await makeSite(`{
    source: 'sqlite:team.db',
    concurrency: 3,
    requestsPerMinute: 1000000,
    resources: { orders: { tenant: 'shared' }, copied: { tenant: 'shared' }, poisoned: { tenant: 'shared' } },
  }`)
  path = join(site.folder, 'team.db')
  const db = new Sqlite(path)
  db.pragma('synchronous = off')
  db.exec(`create table orders (id integer primary key, v integer, note text);
    insert into orders with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
      select i, (i * 2654435761) % 4294967296, 'note ' || i from n;
    create view copied as select * from orders;
    create table poisoned (id integer primary key, v integer);
    insert into poisoned (id, v) select id, case when id = ${POISON} then -9223372036854775808 else v end from orders;
    alter table poisoned add column size integer generated always as (abs(v))`)
  db.pragma('journal_mode = wal')
  db.close()
  key = await makeKey(site, 'acme')
  server = await startServer(site)
})

afterAll(() => site.remove())

async function expectWhole(job: Body): Promise<string> {
  expect(job).toMatchObject({ status: 'completed', results: { successful: ROWS, warnings: 0, errors: 0 } })
  const stored = await filesOf(site, job.id)
  expect(stored).toEqual([`${job.id}/${job.attempt}/${job.manifest.files[0].name}`])
  const bytes = await storedBytes(site, stored[0] ?? '')
  expect(bytes.toString().trimEnd().split('\n')).toHaveLength(ROWS + 1)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect(sha256).toBe(job.manifest.files[0].sha256)
  return sha256
}

describe('the process that reads a view', () => {
  const killReaders = (): void => {
    for (const pid of childrenOf(server.pid)) process.kill(pid, 'SIGKILL')
  }

  /** Resolves when the first of the export's rows lie in a file, finished or not. */
  async function halfWritten(id: string): Promise<void> {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(2)) {
      for (const file of await filesOf(site, id)) {
        const stats = await stat(join(site.dataDir, 'files', file)).catch(() => null)
        if (stats && stats.size > 0) return
      }
    }
  }

  it('is killed at any time of a run, and the export is read again from the start', async () => {
    const random = createRandom('reader kills')
    const quiet = await ended(server, key, await create(server, key, { resource: 'copied' }))
    const hash = await expectWhole(quiet)
    const runMs = Date.parse(quiet.completed_at) - Date.parse(quiet.started_at)

    const early = await Promise.all([1, 2, 3].map(() => create(server, key, { resource: 'copied' })))
    await setTimeout(random.next() * runMs)
    killReaders()
    const late: string[] = []
    for (let trial = 0; trial < 3; trial += 1) {
      const id = await create(server, key, { resource: 'copied' })
      await halfWritten(id)
      killReaders()
      late.push(id)
    }
    const jobs = await Promise.all([...early, ...late].map((id) => ended(server, key, id)))
    for (const job of jobs) expect(await expectWhole(job)).toBe(hash)
    // Otherwise nobody died in the middle.
    const twice = jobs.find(({ id, attempt }) => late.includes(id) && attempt > 1)
    expect(twice).toBeDefined()
    const { body } = await server.call(key, 'GET', `/exports/${twice.id}/events`)
    const retried = body.data.find(({ type }: Body) => type === 'retried')
    expect(retried.data.code).toBe('SOURCE_UNAVAILABLE')
  }, 60_000)
})

describe('a database file that breaks under the export', () => {
  let broken: { at: number; was: Buffer } | null = null

  async function overwrite(at: number, bytes: Buffer): Promise<Buffer> {
    const file = await open(path, 'r+')
    try {
      const was = Buffer.alloc(bytes.length)
      await file.read(was, 0, was.length, at)
      await file.write(bytes, 0, bytes.length, at)
      return was
    } finally {
      await file.close()
    }
  }
  async function mend(): Promise<void> {
    if (broken) await overwrite(broken.at, broken.was)
    broken = null
  }
  afterEach(mend)

  it.each([
    ['zeros', () => 0],
    ['noise', (at: number) => (at * 2654435761) & 255],
  ])('gives no file while it is damaged (%s), and the whole one when it is mended', async (_what, byte) => {
    const at = 1024 * 1024
    const id = await create(server, key, { resource: 'orders', sort: ['-id'] })
    broken = { at, was: await overwrite(at, Buffer.from(Array.from({ length: 64 * 1024 }, (_, index) => byte(index)))) }
    const job = await until(server, key, id, ({ error, status }) => error !== null || status === 'completed')
    // The run may have been past that place; then it must be whole.
    if (job.status !== 'completed') {
      expect(job.error.code).toBe('SOURCE_UNAVAILABLE')
      expect(job.error.message).toContain('damaged')
      expect(await filesOf(site, id)).toEqual([])
      await mend()
    }
    await expectWhole(await ended(server, key, id))
  })
})

describe('a row that cannot be computed', () => {
  it('fails the export by name after the rows before it, and leaves no file', async () => {
    const job = await ended(server, key, await create(server, key, { resource: 'poisoned' }))
    expect(job).toMatchObject({ status: 'failed', error: { code: 'SOURCE_FAILED' }, manifest: null, results: null })
    expect(job.error.message).toContain('integer overflow')
    expect(await filesOf(site, job.id)).toEqual([])
  })
})
