/** What has expired or was deleted is gone from storage, not only from view; the record of an expired export stays. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { type Body, create, download, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'
import { filesOf, storedFiles } from '../stored-files.ts'
import { writeTeamDatabase } from '../team-database.ts'

/** Long enough for a busy machine to fetch the file before. */
const KEPT_MS = 5_000
const DAY_MS = 86_400_000
const ROWS = 200_000

let site: Site
let server: Server
let key: string

beforeAll(async () => {
  site = await makeSite(`{
    source: 'sqlite:team.db',
    requestsPerMinute: 1000000,
    resources: {
      fleeting: { table: 'orders', tenant: 'shared', retentionDays: ${KEPT_MS / DAY_MS} },
      orders: { tenant: 'shared' },
    },
  }`)
  writeTeamDatabase(
    site,
    `create table orders (id integer primary key, note text);
    insert into orders with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS}) select i, 'note ' || i from n`,
  )
  key = await makeKey(site, 'acme')
  server = await startServer(site)
})

afterAll(() => site.remove())

const call = (method: string, path: string): Promise<{ status: number; body: Body; headers: Headers }> =>
  server.call(key, method, path)

/** Not even an empty folder, and nothing half written. */
async function expectNothingLeft(id: string): Promise<void> {
  const left = async () => (await readdir(join(site.dataDir, 'files')).catch((): string[] => [])).filter((name) => name === id)
  await expect.poll(left).toEqual([])
}

describe('an export whose time is up', () => {
  it('is shown as expired, its links answer 410, its bytes go with the next sweep, and its record stays', async () => {
    const id = await create(server, key, { resource: 'fleeting', format: 'json', limit: 10 })
    const kept = await create(server, key, { resource: 'orders', limit: 10 })
    const job = await ended(server, key, id)
    await ended(server, key, kept)
    expect(Date.parse(job.expires_at) - Date.parse(job.completed_at)).toBe(KEPT_MS)
    const link = (await call('GET', `/exports/${id}/file`)).headers.get('location') ?? ''
    expect((await fetch(link)).status).toBe(200)
    expect(await filesOf(site, id)).toHaveLength(1)

    const expired = await until(server, key, id, ({ status }) => status !== 'completed')
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(job.expires_at))
    expect(expired).toEqual({ ...job, status: 'expired', files: [] })
    // The link itself is good for minutes: it is the file that is gone, before any sweep.
    expect((await fetch(link)).status).toBe(410)
    expect(await call('GET', `/exports/${id}/file`)).toMatchObject({ status: 410, body: { code: 'EXPORT_EXPIRED' } })
    expect(await call('GET', `/exports/${id}/files/1`)).toMatchObject({ status: 410 })
    expect((await call('GET', '/exports?status=expired')).body.data.map((each: Body) => each.id)).toEqual([id])
    expect((await call('GET', '/exports?status=completed')).body.data.map((each: Body) => each.id)).toEqual([kept])

    // A server sweeps when it starts, and every minute; a test does not wait for a minute.
    await server.stop()
    server = await startServer(site)
    await expectNothingLeft(id)
    expect(await filesOf(site, kept)).toHaveLength(1)
    const record = (await call('GET', `/exports/${id}`)).body
    expect(record).toMatchObject({ status: 'expired', manifest: job.manifest, results: job.results })
    // The bytes go first, then the event is written.
    const types = async () => (await call('GET', `/exports/${id}/events`)).body.data.map(({ type }: Body) => type)
    await expect.poll(types).toEqual(['created', 'started', 'completed', 'linked', 'downloaded', 'expired'])
    expect((await call('GET', `/exports/${id}/file`)).status).toBe(410)
  })
})

describe('DELETE', () => {
  it('removes the record, the link and the bytes at once, of an expired export as well', async () => {
    for (const resource of ['orders', 'fleeting']) {
      const id = await create(server, key, { resource, limit: 10 })
      await ended(server, key, id)
      const link = (await call('GET', `/exports/${id}/file`)).headers.get('location') ?? ''
      if (resource === 'fleeting') await until(server, key, id, ({ status }) => status === 'expired')
      expect((await call('DELETE', `/exports/${id}`)).status).toBe(204)
      expect(await readdir(join(site.dataDir, 'files'))).not.toContain(id)
      expect((await call('GET', `/exports/${id}`)).status).toBe(404)
      expect((await fetch(link)).status).toBe(410)
      const db = new Sqlite(join(site.dataDir, 'freight.db'), { readonly: true })
      expect(db.prepare('select count(*) from events where job_id = ?').pluck().get(id)).toBe(0)
      db.close()
    }
  })

  it('is refused while an export runs, and after an interrupt at any time leaves nothing behind, in 12 trials', async () => {
    const random = createRandom('delete trials')
    let running = 0
    for (let trial = 0; trial < 12; trial += 1) {
      const id = await create(server, key, { resource: 'orders' })
      await setTimeout(random.next() * 300)
      const early = await call('DELETE', `/exports/${id}`)
      if (early.status === 409) {
        running += 1
        expect(early.body.code).toBe('EXPORT_ACTIVE')
        const stopped = await call('POST', `/exports/${id}/${trial % 2 === 0 ? 'interrupt' : 'cancel'}`)
        if (stopped.status === 200) expect(await download(server, key, id)).toBeNull()
        expect((await call('DELETE', `/exports/${id}`)).status).toBe(204)
      } else expect(early.status).toBe(204)
      expect((await call('GET', `/exports/${id}`)).status).toBe(404)
      await expectNothingLeft(id)
    }
    // Otherwise none of them was met in the middle.
    expect(running).toBeGreaterThan(3)
    // No run that was still ending wrote anything afterwards.
    await setTimeout(300)
    const known = (await call('GET', '/exports?limit=100')).body.data.map(({ id }: Body) => id)
    for (const path of await storedFiles(site)) expect(known).toContain(path.split('/')[0])
    await expect.poll(() => readdir(join(site.dataDir, 'tmp'))).toEqual([])
  })
})
