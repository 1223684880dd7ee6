import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { at, newJob } from '../../test/contracts/sample-job.ts'
import { describeStore } from '../../test/contracts/store.ts'
import type { JobCondition } from '../job/search.ts'
import { openDatabase } from './sqlite-database.ts'
import { createSqliteStore, openSqliteStore } from './sqlite-store.ts'

describeStore('SQLite', async (notify) => {
  const folder = await mkdtemp(join(tmpdir(), 'freight-store-'))
  const path = join(folder, 'freight.db')
  const store = await openSqliteStore(path, notify)
  await store.migrate()
  return {
    store,
    another: () => openSqliteStore(path),
    async discard() {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
})

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-store-'))
  path = join(folder, 'freight.db')
})
afterEach(() => rm(folder, { recursive: true }))

async function openMigrated() {
  const store = await openSqliteStore(path)
  await store.migrate()
  return store
}

/** Opens the file beside the store, as another program would. */
function withDatabase<T>(use: (database: Database.Database) => T): T {
  const database = new Database(path)
  try {
    return use(database)
  } finally {
    database.close()
  }
}

describe('opening', () => {
  it('migrations are applied once and say when', async () => {
    const store = await openSqliteStore(path)
    const names = (await store.migrations()).map(({ name }) => name)
    expect(names[0]).toBe('0001-jobs')
    expect(await store.migrations()).toEqual(names.map((name) => ({ name, appliedAt: null })))
    expect(await store.migrate()).toEqual(names)
    expect(await store.migrate()).toEqual([])
    expect(await store.migrations()).toEqual(names.map((name) => ({ name, appliedAt: expect.any(Date) })))
    await store.close()
  })

  it('records outlive the store that wrote them, and nobody else on the machine can read them', async () => {
    const first = await openMigrated()
    const { job } = await first.create(newJob(1), null)
    for (const file of ['freight.db', 'freight.db-wal', 'freight.db-shm']) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    }
    await first.close()
    const second = await openMigrated()
    expect(await second.get('acme', newJob(1).id)).toEqual(job)
    await second.close()
  })

  it('a file that is no database is refused and stays as it is', async () => {
    writeFileSync(path, 'these are my notes, '.repeat(100))
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('no SQLite database'),
    })
    expect(readFileSync(path, 'utf8')).toBe('these are my notes, '.repeat(100))
  })

  it("another program's database is refused and stays as it is", async () => {
    withDatabase((database) => database.exec('create table notes (text)'))
    const before = readFileSync(path)
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('another program'),
    })
    expect(readFileSync(path)).toEqual(before)
  })

  it('a damaged schema is refused', async () => {
    await (await openMigrated()).close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 100, 2000)
    writeFileSync(path, bytes)
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('damaged'),
    })
  })

  it('the records of a newer Freight are refused by name of the migration, at opening and at migrating', async () => {
    const older = await openMigrated()
    withDatabase((database) => database.exec(`insert into freight_migration values ('0099-later', '2030-01-01T00:00:00.000Z')`))
    await expect(older.migrate()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('0099-later'),
    })
    await older.close()
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('0099-later'),
    })
  })

  it('a folder that is missing is refused without naming its path', async () => {
    const opening = openSqliteStore(join(folder, 'missing', 'freight.db'))
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.not.stringContaining(folder) })
  })
})

describe('durability', () => {
  it('a commit is synced to the disk before it is acknowledged', () => {
    const database = openDatabase(path)
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
    // 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
    expect(database.pragma('synchronous', { simple: true })).toBe(2)
    expect(database.pragma('foreign_keys', { simple: true })).toBe(1)
    database.close()
  })

  it('every job that was acknowledged is there afterwards, whenever the process is killed', async () => {
    const script = `
      const store = await openSqliteStore(path)
      await store.migrate()
      for (let n = Number(process.argv[1]) * 100_000; ; n += 1) {
        const { job } = await store.create(newJob(n), { key: 'k' + n, fingerprint: 'f', expiresAt: new Date('2030-01-01') })
        writeSync(1, job.id + '\\n')
      }`
    for (let round = 1; round <= 10; round += 1) {
      const child = runScript(script, [String(round)])
      const acknowledged: string[] = []
      const reading = linesOf(child, (line) => {
        acknowledged.push(line)
        // At random moments of the loop: sometimes before the first acknowledgement of the next commit, sometimes far in.
        if (acknowledged.length === 1) void setTimeout(Math.random() * 60).then(() => child.kill('SIGKILL'))
      })
      await reading
      const store = await openMigrated()
      expect(acknowledged.length).toBeGreaterThan(0)
      const known = await store.known(acknowledged)
      expect({ round, lost: acknowledged.filter((id) => !known.has(id)) }).toEqual({ round, lost: [] })
      await store.close()
      expect(withDatabase((database) => database.pragma('integrity_check', { simple: true }))).toBe('ok')
    }
  })
})

describe('a database that someone else holds', () => {
  it('a write waits for a short hold without stopping the thread', async () => {
    const store = await openMigrated()
    const holder = new Database(path)
    holder.exec('begin immediate')
    const created = store.create(newJob(1), null)
    let ticks = 0
    const ticking = setInterval(() => {
      ticks += 1
    }, 10)
    await setTimeout(400)
    clearInterval(ticking)
    holder.exec('commit')
    holder.close()
    expect((await created).created).toBe(true)
    expect(ticks).toBeGreaterThan(3)
    await store.close()
  })

  it('a write that waits for two seconds is answered STORE_BUSY and leaves nothing, while reads go on', async () => {
    const store = await openMigrated()
    await store.create(newJob(1), null)
    const holder = new Database(path)
    holder.exec('begin immediate')
    const started = performance.now()
    const refused = store.create(newJob(2), { key: 'k', fingerprint: 'f', expiresAt: at(99) })
    expect((await store.get('acme', newJob(1).id))?.status).toBe('pending')
    await expect(refused).rejects.toMatchObject({ code: 'STORE_BUSY', details: { retryAfterSeconds: 2 } })
    expect(performance.now() - started).toBeGreaterThan(1_900)
    expect(performance.now() - started).toBeLessThan(15_000)
    holder.exec('commit')
    holder.close()
    expect((await store.create(newJob(2), { key: 'k', fingerprint: 'f', expiresAt: at(99) })).created).toBe(true)
    await store.close()
  })

  it('several processes may migrate and create at once: each migration is applied and each key used once', async () => {
    const script = `
      writeSync(1, 'ready\\n')
      await once(process.stdin, 'data')
      const store = await openSqliteStore(path)
      const applied = await store.migrate()
      let created = 0
      for (let n = 1; n <= 40; n += 1) {
        const job = newJob(Number(process.argv[1]) * 1000 + n)
        const answer = await store.create(job, { key: 'k' + n, fingerprint: 'f', expiresAt: new Date('2030-01-01') })
        if (answer.created) created += 1
      }
      await store.close()
      console.log(JSON.stringify({ applied, created }))`
    const children = [1, 2, 3].map((number) => runScript(script, [String(number)]))
    let ready = 0
    const outputs = children.map((child) =>
      linesOf(child, (line) => {
        if (line === 'ready') ready += 1
        // Only together: else the first has migrated before the second has loaded.
        if (line === 'ready' && ready === children.length) for (const other of children) other.stdin?.end('go')
      }),
    )
    const answers = (await Promise.all(outputs)).map((lines) => JSON.parse(lines.at(-1) ?? ''))
    const migrated = await openMigrated()
    const names = (await migrated.migrations()).map(({ name }) => name)
    await migrated.close()
    expect(answers.flatMap((answer) => answer.applied)).toEqual(names)
    expect(answers.reduce((sum, answer) => sum + answer.created, 0)).toBe(40)
  })
})

describe('a full disk', () => {
  it('is told as STORAGE_FULL before anything is acknowledged, and the store works on when there is space', async () => {
    const database = openDatabase(path)
    const store = createSqliteStore(database)
    await store.migrate()
    const pages = Number(database.pragma('page_count', { simple: true }))
    // A limit of pages fails in the same place as a full disk: SQLITE_FULL in the middle of the transaction.
    database.pragma(`max_page_count = ${pages + 2}`)
    const job = newJob(1, { metadata: { text: 'x'.repeat(200_000) } })
    const record = { key: 'k', fingerprint: 'f', expiresAt: at(99) }
    await expect(store.create(job, record)).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: expect.not.stringMatching(/insert|jobs/),
    })
    expect(await store.get('acme', job.id)).toBeNull()
    database.pragma(`max_page_count = ${pages + 1000}`)
    expect((await store.create(job, record)).created).toBe(true)
    await store.close()
  })
})

describe('queries', () => {
  it('no list, look-up, sweep or claim reads a whole table or sorts', async () => {
    const database = openDatabase(path)
    const prepare = database.prepare.bind(database)
    const asked = new Set<string>()
    database.prepare = ((sql: string) => {
      asked.add(sql)
      return prepare(sql)
    }) as typeof database.prepare
    const store = createSqliteStore(database)
    await store.migrate()
    asked.clear()
    const page = { limit: 10, before: newJob(9).id, now: at(1) }
    await store.get('acme', newJob(1).id)
    await store.list('acme', {}, page)
    await store.list('acme', { status: 'completed' }, page)
    await store.list('acme', { resource: 'orders' }, page)
    await store.list('acme', { resource: 'orders', status: 'expired' }, page)
    await store.list('acme', { reference: 'a' }, page)
    await store.events(newJob(1).id, 3)
    await store.expired(at(1), 10)
    await store.known([newJob(1).id])
    await store.pruneIdempotency(at(1))
    await store.oldestPendingAt()
    await store.claimNotices('hook', { now: at(1), until: at(2), limit: 4 })
    expect(asked.size).toBe(12)
    const plans = [...asked].map((sql) => {
      const parameters = Array.from({ length: sql.split('?').length - 1 }, () => 1)
      const steps = prepare(`explain query plan ${sql}`).all(...parameters) as { detail: string }[]
      return `${steps.map((step) => step.detail).join('; ')}: ${sql}`
    })
    expect(plans.filter((plan) => /SCAN|TEMP B-TREE/.test(plan))).toEqual([])
    // Else a rare resource would be looked for in every job of the tenant.
    expect(plans.filter((plan) => plan.includes('join "job_resources"')).map((plan) => plan.split(' USING')[0])).toEqual([
      'SEARCH job_resources',
      'SEARCH job_resources',
    ])
    await store.close()
  })

  it('a search reads no jobs but those of its page, whatever it asks and in whatever order', async () => {
    const database = openDatabase(path)
    const prepare = database.prepare.bind(database)
    const asked = new Set<string>()
    database.prepare = ((sql: string) => {
      asked.add(sql)
      return prepare(sql)
    }) as typeof database.prepare
    const store = createSqliteStore(database)
    await store.migrate()
    asked.clear()
    const where: JobCondition = {
      op: 'and',
      of: [
        { op: 'in', field: 'status', values: ['failed', 'completed'] },
        { op: 'like', field: 'reference', pattern: 'a%' },
        { op: 'gt', field: 'total', value: 1 },
        { op: 'is_null', field: 'referenceOrigin' },
      ],
    }
    const order = [
      { field: 'startedAt', descending: true },
      { field: 'shortId', descending: false },
    ] as const
    const search = { resources: ['orders', 'customers'], rights: ['a', 'b'], offset: 25, limit: 25 }
    await store.search('acme', { ...search, where, order })
    await store.search('acme', { ...search, where: { op: 'and', of: [] }, order: [], rights: null })
    expect(asked.size).toBe(4)
    for (const sql of asked) {
      const parameters = Array.from({ length: sql.split('?').length - 1 }, () => 1)
      const [first] = prepare(`explain query plan ${sql}`).all(...parameters) as { detail: string }[]
      expect(first?.detail).toContain('SEARCH jobs USING COVERING INDEX jobs_search (tenant=?')
    }
    await store.close()
  })
})

/** Runs a module in a process of its own, with the store at hand. */
function runScript(script: string, args: readonly string[]): ChildProcess {
  const imports = `
    import { once } from 'node:events'
    import { writeSync } from 'node:fs'
    import { openSqliteStore } from '${new URL('./sqlite-store.ts', import.meta.url)}'
    import { newJob } from '${new URL('../../test/contracts/sample-job.ts', import.meta.url)}'
    const path = ${JSON.stringify(path)}`
  const options = ['--input-type=module', '--eval', `${imports}\n${script}`, '--']
  return spawn(process.execPath, [...options, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** Every line of its output; resolves when it has ended. */
async function linesOf(child: ChildProcess, each: (line: string) => void = () => {}): Promise<string[]> {
  if (!child.stdout) throw new Error('the child has no output')
  const ended = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    each(line)
  }
  await ended
  return lines
}
