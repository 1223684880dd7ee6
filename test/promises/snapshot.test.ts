/** A completed file equals one snapshot of the source, whatever is written meanwhile, and nobody who writes is held up. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Body, create, download, ended, makeKey, makeSite, type Server, type Site, startServer } from '../rig.ts'
import { TIMED } from '../timed.ts'
import { BASE_ROWS, type Entry, makeLedger, startWriter, tornIn } from './ledger.ts'

const RESOURCES = `{ entries: { tenant: 'shared' }, lines: { tenant: 'shared' } }`
const WHOLE = { resource: 'entries', fields: ['id', 'uid', 'amount', 'lines.uid'] }

/** Rows as a stranger to the product reads them. */
function read(format: string, bytes: Buffer): Entry[] {
  if (format === 'json') return JSON.parse(bytes.toString())
  if (format === 'ndjson')
    return bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const rows: Record<string, string>[] = parse(bytes, { columns: true })
  return rows.map(({ id, uid = '', amount, lines = '' }) => ({
    id: Number(id),
    uid,
    amount: Number(amount),
    lines: JSON.parse(lines),
  }))
}

async function exported(server: Server, key: string, body: Record<string, unknown>): Promise<{ job: Body; entries: Entry[] }> {
  const id = await create(server, key, body)
  const job = await ended(server, key, id)
  expect(job.status, JSON.stringify(job.error)).toBe('completed')
  const bytes = await download(server, key, id)
  return { job, entries: read(String(body.format), bytes ?? Buffer.alloc(0)) }
}

describe('an export of a WAL database that is written to', () => {
  let site: Site
  let server: Server
  let key: string
  let path: string
  beforeAll(async () => {
    site = await makeSite(`{ source: 'sqlite:ledger.db', resources: ${RESOURCES} }`)
    path = join(site.folder, 'ledger.db')
    makeLedger(path, 'wal')
    key = await makeKey(site, 'acme')
    server = await startServer(site)
  })
  afterAll(() => site.remove())

  it.each([
    ['csv', 'in the order of the key', {}],
    ['json', 'in the order of the key', {}],
    ['ndjson', 'in the order of the key', {}],
    // Other statements read a sorted and a filtered export.
    ['csv', 'sorted by what is updated', { sort: ['place'] }],
    ['json', 'sorted by what is updated', { sort: ['-place'] }],
    ['ndjson', 'filtered by what is updated', { filters: { place_gteq: 0 } }],
  ])('is one moment of it: %s, %s', async (format, _how, more) => {
    using writer = await startWriter(path)
    const runs = await Promise.all([1, 2].map(() => exported(server, key, { ...WHOLE, ...more, format })))
    const { transactions } = await writer.stop()
    // Fewer would not have met the reader.
    expect(transactions).toBeGreaterThan(50)
    for (const { job, entries } of runs) {
      expect(tornIn(entries)).toEqual([])
      expect(job.progress.processed).toBe(entries.length)
      expect(job.manifest.files[0].rows).toBe(entries.length)
      expect(job.results).toEqual({ successful: entries.length, warnings: 0, errors: 0 })
    }
  })

  it('is told from one that reads page by page without a transaction', async () => {
    const db = new Sqlite(path, { readonly: true })
    const page = db.prepare('select id, uid, amount from entries where id > ? order by id limit 500')
    const linesOf = db.prepare('select uid from lines where entry_id = ?')
    using writer = await startWriter(path)
    const entries: Entry[] = []
    for (let last = 0; ; last = entries.at(-1)?.id ?? 0) {
      const rows = page.all(last) as Omit<Entry, 'lines'>[]
      await setImmediate()
      for (const row of rows) entries.push({ ...row, lines: linesOf.all(row.id) as Entry['lines'] })
      if (rows.length === 0) break
    }
    await writer.stop()
    db.close()
    expect(tornIn(entries)).not.toEqual([])
  })
})

describe('a database with a rollback journal', () => {
  let site: Site
  let server: Server
  let key: string
  beforeAll(async () => {
    site = await makeSite(`{
      sources: {
        ledger: { url: 'sqlite:ledger.db' },
        locked: { url: 'sqlite:ledger.db', consistency: 'locking' },
      },
      resources: {
        entries: { source: 'ledger', tenant: 'shared' },
        lines: { source: 'ledger', tenant: 'shared' },
        locked: { source: 'locked', table: 'entries', tenant: 'shared' },
      },
    }`)
    // About 50 MB.
    makeLedger(join(site.folder, 'ledger.db'), 'delete', 1_200)
    key = await makeKey(site, 'acme')
    server = await startServer(site)
  })
  afterAll(() => site.remove())

  /** Long enough that who must wait for it notices. */
  const LONG = { format: 'csv', compression: 'gzip' }
  const runMs = ({ started_at, completed_at }: Body): number => Date.parse(completed_at) - Date.parse(started_at)

  it('is exported as of one moment, and its writer never waits for a second', TIMED, async () => {
    using writer = await startWriter(join(site.folder, 'ledger.db'))
    const { entries } = await exported(server, key, { ...WHOLE, format: 'ndjson' })
    const sorted = await exported(server, key, { ...WHOLE, format: 'csv', sort: ['place'] })
    const long = await ended(server, key, await create(server, key, { resource: 'entries', ...LONG }))
    const { longestMs, transactions } = await writer.stop()
    expect(tornIn(entries)).toEqual([])
    expect(tornIn(sorted.entries)).toEqual([])
    expect(transactions).toBeGreaterThan(50)
    expect(longestMs).toBeLessThan(Math.min(1_000, runMs(long) / 2))
  })

  it('makes its writer wait for the whole export where locking is asked for', async () => {
    using writer = await startWriter(join(site.folder, 'ledger.db'))
    const job = await ended(server, key, await create(server, key, { resource: 'locked', ...LONG }))
    const { longestMs } = await writer.stop()
    expect(job.manifest.files[0].rows).toBeGreaterThanOrEqual(BASE_ROWS)
    expect(longestMs).toBeGreaterThan(runMs(job) / 2)
  })
})
