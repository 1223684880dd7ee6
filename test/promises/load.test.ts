/** Under load: memory that does not grow with the rows, answers that stay quick, and an honest estimate of the end. */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { measure, percentile } from '../../bench/measure.ts'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer } from '../rig.ts'
import { writeTeamDatabase } from '../team-database.ts'

const FEW = 300_000
const MANY = 1_500_000

let site: Site

beforeAll(async () => {
  site = await makeSite(`{
    source: 'sqlite:team.db',
    requestsPerMinute: 1000000,
    resources: { orders: { tenant: 'shared' }, small: { tenant: 'shared' } },
  }`)
  writeTeamDatabase(
    site,
    `create table orders (id integer primary key, v integer, note text, amount real);
    insert into orders with recursive n(i) as (select 1 union all select i + 1 from n where i < ${MANY})
      select i, (i * 2654435761) % 4294967296, 'a note of usual length, number ' || i, i / 100.0 from n;
    create table small (id integer primary key, note text);
    insert into small values (1, 'one'), (2, 'two')`,
  )
}, 60_000)

afterAll(() => site.remove())

describe('freight export', () => {
  it('takes no more memory for 1,500,000 rows than for 300,000, and at most 200 MB', async () => {
    const peaks: number[] = []
    for (const rows of [FEW, MANY]) {
      const bin = join(import.meta.dirname, '..', '..', 'bin', 'freight.js')
      const source = `sqlite:${join(site.folder, 'team.db')}`
      const output = join(site.folder, `${rows}.ndjson`)
      const asked = ['--resource', 'orders', '--format', 'ndjson', '--limit', String(rows), '--output', output]
      const args = [bin, 'export', '--source', source, ...asked]
      const { peakMib } = await measure({ name: `${rows} rows`, file: process.execPath, args })
      peaks.push(peakMib)
    }
    const [few = 0, many = 0] = peaks
    expect(few).toBeGreaterThan(30)
    expect(many).toBeLessThanOrEqual(few + 32)
    expect(many).toBeLessThanOrEqual(200_000_000 / 1024 / 1024)
  })
})

describe('a server with two exports running', () => {
  let server: Server
  let key: string

  beforeAll(async () => {
    key = await makeKey(site, 'acme')
    server = await startServer(site)
  })

  const large = (): Promise<string> => create(server, key, { resource: 'orders', format: 'ndjson', compression: 'gzip' })

  interface Took {
    readonly reads: number[]
    readonly creates: number[]
  }

  /** Milliseconds of each of 200 requests, one after the other: status reads, and where asked a create in ten. */
  async function requests(known: string, kinds: { creates: boolean }): Promise<Took> {
    const took: Took = { reads: [], creates: [] }
    for (let count = 0; count < 200; count += 1) {
      const isCreate = kinds.creates && count % 10 === 0
      const startedAt = performance.now()
      const answer = isCreate
        ? await server.call(key, 'POST', '/exports', { resource: 'small' })
        : await server.call(key, 'GET', `/exports/${known}`)
      took[isCreate ? 'creates' : 'reads'].push(performance.now() - startedAt)
      expect(answer.status).toBe(isCreate ? 201 : 200)
    }
    return took
  }

  /** The 99th percentile of the status reads on an idle and a busy server, and the longest request of all on a busy one. */
  async function round(known: string): Promise<{ idle: number; busy: number; longest: number }> {
    const idle = await requests(known, { creates: false })
    const running = await Promise.all([large(), large()])
    await inProgress(running)
    const busy = await requests(known, { creates: true })
    // To the end: otherwise a part of it was measured on an idle server.
    const { body } = await server.call(key, 'GET', '/exports?status=in_progress')
    expect(body.data.map(({ id }: Body) => id).sort()).toEqual(running.sort())
    await endAll()
    const longest = Math.max(...busy.reads, ...busy.creates)
    return { idle: percentile(idle.reads, 0.99), busy: percentile(busy.reads, 0.99), longest }
  }

  async function endAll(): Promise<void> {
    for (const status of ['in_progress', 'pending']) {
      const { body } = await server.call(key, 'GET', `/exports?status=${status}&limit=100`)
      for (const { id } of body.data) await server.call(key, 'POST', `/exports/${id}/cancel`)
    }
    await setTimeout(300)
  }

  it('answers status reads as quickly as an idle one, creates without a fault, and nothing takes a second', async () => {
    const known = await create(server, key, { resource: 'small' })
    await ended(server, key, known)
    await requests(known, { creates: true })
    await endAll()
    // The goal is twice the idle figure or 20 ms, on a machine of its own. Here the client and another test file share two cores with
    // the two exports, so the bound is 60 ms, and one good round of three will do: a server that formats rows in the thread that
    // answers has none.
    const rounds: { idle: number; busy: number; longest: number }[] = []
    const isGood = ({ idle, busy, longest }: (typeof rounds)[number]): boolean =>
      busy <= Math.max(2 * idle, 60) && longest < 1_000
    while (rounds.length < 3 && !rounds.some(isGood)) rounds.push(await round(known))
    expect(rounds.some(isGood), JSON.stringify(rounds)).toBe(true)
  }, 200_000)

  async function inProgress(ids: readonly string[]): Promise<void> {
    for (;;) {
      const { body } = await server.call(key, 'GET', '/exports?status=in_progress')
      if (ids.every((id) => body.data.some((each: Body) => each.id === id))) return
      await setTimeout(10)
    }
  }

  it('tells when they will be done: not before it can be known, then nearly right, never in the past, and never going back', async () => {
    // Twice the rows: long enough for several figures, which are stored twice a second.
    const parts = [{ resource: 'orders' }, { resource: 'orders' }]
    const id = await create(server, key, { parts, format: 'ndjson', compression: 'gzip' })
    const seen: { askedAt: number; shown: Body }[] = []
    for (;;) {
      const askedAt = Date.now()
      const { body } = await server.call(key, 'GET', `/exports/${id}`)
      seen.push({ askedAt, shown: body })
      if (body.status === 'completed') break
      expect(['pending', 'in_progress']).toContain(body.status)
      await setTimeout(50)
    }
    const last = seen.at(-1)?.shown
    const startedAt = Date.parse(last.started_at)
    const runMs = Date.parse(last.completed_at) - startedAt
    expect(last.estimated_completion_at).toBeNull()

    // Not before there is a rate.
    expect(seen[0]?.shown.estimated_completion_at).toBeNull()
    const told = seen.filter(({ shown }) => shown.estimated_completion_at !== null)
    expect(told.length).toBeGreaterThan(5)
    // Judged anew at every read: an end that is overdue moves on with the clock.
    for (const { askedAt, shown } of told) expect(Date.parse(shown.estimated_completion_at)).toBeGreaterThanOrEqual(askedAt)
    expect(new Set(told.map(({ shown }) => shown.estimated_completion_at)).size).toBeGreaterThan(3)

    const halfway = told.find(({ shown }) => shown.progress.percentage >= 50)?.shown
    const errorMs = Math.abs(Date.parse(halfway.estimated_completion_at) - Date.parse(last.completed_at))
    expect(errorMs).toBeLessThan(runMs / 2)

    const processed = seen.map(({ shown }) => shown.progress.processed)
    expect(processed).toEqual([...processed].sort((a, b) => a - b))
    const percentages = seen.map(({ shown }) => shown.progress.percentage)
    expect(percentages).toEqual([...percentages].sort((a, b) => a - b))
    expect(percentages.filter((percentage) => percentage === 100)).toHaveLength(1)
  }, 60_000)

  it('counts the error of its estimates among the metrics', async () => {
    const { body } = await server.call(key, 'GET', '/metrics')
    const figure = (name: string, point: number): number =>
      Number(new RegExp(`^freight_eta_error_ratio_${name}\\{point="${point}"\\} (\\S+)$`, 'm').exec(body.text)?.[1])
    for (const point of [10, 50, 90]) expect(figure('count', point)).toBeGreaterThan(0)
    expect(figure('sum', 50) / figure('count', 50)).toBeLessThan(0.5)
  })
})
