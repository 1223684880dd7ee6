/** Interrupt and cancel take effect within two seconds wherever a run stands, leave nothing behind, and what is illegal changes nothing. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { childrenOf, quietAfter } from '../process-group.ts'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'
import { filesOf, storedBytes } from '../stored-files.ts'
import { writeTeamDatabase } from '../team-database.ts'
import { TIMED } from '../timed.ts'

const ROWS = 150_000
/** Of four exports at once: two are interrupted, two cancelled. */
const ROUNDS = 15
/** The promise. */
const EFFECT_MS = 2_000

let site: Site
let server: Server
let key: string

beforeAll(async () => {
  site = await makeSite(`{
    source: 'sqlite:team.db',
    concurrency: 4,
    requestsPerMinute: 1000000,
    resources: {
      orders: { tenant: 'shared' },
      big: { tenant: 'shared' },
      ranked: { tenant: 'shared' },
      doomed: { tenant: 'shared' },
    },
  }`)
  // Scattered numbers, so that a sort has work to do.
  const rows = (count: number, columns: string): string =>
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select ${columns} from n`
  writeTeamDatabase(
    site,
    `create table orders (id integer primary key, v integer, note text);
    insert into orders ${rows(ROWS, "i, (i * 2654435761) % 4294967296, 'note ' || i")};
    create table big (id integer primary key, v integer);
    insert into big ${rows(2_000_000, 'i, (i * 2654435761) % 4294967296')};
    create view ranked as select id, row_number() over (order by v) n from big;
    create table doomed (id integer primary key, v integer);
    insert into doomed values (1, 1)`,
  )
  key = await makeKey(site, 'acme')
  server = await startServer(site)
}, 60_000)

afterAll(async () => {
  await server.kill()
  await site.remove()
})

async function shown(id: string): Promise<Body> {
  return (await server.call(key, 'GET', `/exports/${id}`)).body
}

const inProgress = (id: string): Promise<Body> => until(server, key, id, ({ status }) => status === 'in_progress', { everyMs: 5 })

/** The one file of a completed export, checked against its manifest; resolves with its hash. */
async function wholeFile(id: string, { manifest }: Body): Promise<string> {
  expect(manifest.files[0].rows).toBe(ROWS)
  const [path, ...others] = await filesOf(site, id)
  expect(others).toEqual([])
  const sha256 = createHash('sha256')
    .update(await storedBytes(site, path ?? ''))
    .digest('hex')
  expect(sha256).toBe(manifest.files[0].sha256)
  return sha256
}

interface Stopped {
  readonly id: string
  readonly status: string
  readonly at: number
}

/** Uses the verb after `afterMs`. Its answer, and every later look, shows the effect at once; a completed export refuses it. */
async function stop(id: string, verb: 'interrupt' | 'cancel', afterMs: number): Promise<Stopped> {
  await setTimeout(afterMs)
  const answer = await server.call(key, 'POST', `/exports/${id}/${verb}`)
  const at = performance.now()
  const { status } = await shown(id)
  if (answer.status === 409) {
    expect(answer.body.code).toBe('TRANSITION_ILLEGAL')
    expect(status).toBe('completed')
  } else {
    expect(answer.body.status).toBe(verb === 'interrupt' ? 'interrupted' : 'cancelled')
    expect(status).toBe(answer.body.status)
  }
  return { id, status, at }
}

/** Neither bytes nor CPU time of the run are left within two seconds. */
async function expectGone(ids: readonly string[], since: number): Promise<void> {
  expect(await quietAfter(server.pid, since, EFFECT_MS + 1_000)).toBeLessThan(EFFECT_MS)
  for (const id of ids) expect(await filesOf(site, id)).toEqual([])
}

describe('interrupt and cancel', () => {
  const four = (): Promise<string[]> => Promise.all([1, 2, 3, 4].map(() => create(server, key, { resource: 'orders' })))

  it('take effect at any time of a run, in 30 trials of each, and start makes each interrupted export whole', {
    ...TIMED,
    timeout: 300_000,
  }, async () => {
    const random = createRandom('interrupt trials')
    let runMs = 0
    let wholeHash = ''
    // The first round finds nothing warm and counts for nothing.
    for (let round = 0; round < 2; round += 1) {
      const ids = await four()
      const startedAt = performance.now()
      const [first] = await Promise.all(ids.map((id) => ended(server, key, id)))
      runMs = performance.now() - startedAt
      wholeHash = await wholeFile(ids[0] ?? '', first)
    }

    const interrupted: string[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const ids = await four()
      const stopped = await Promise.all(
        ids.map((id, index) => stop(id, index % 2 === 0 ? 'interrupt' : 'cancel', random.next() * 1.2 * runMs)),
      )
      const gone = stopped.filter(({ status }) => status !== 'completed').map(({ id }) => id)
      await expectGone(gone, Math.max(...stopped.map(({ at }) => at)))
      for (const { id, status } of stopped) expect((await shown(id)).status).toBe(status)
      interrupted.push(...stopped.filter(({ status }) => status === 'interrupted').map(({ id }) => id))
    }

    // Otherwise next to nothing of the above was tried.
    expect(interrupted.length).toBeGreaterThan(ROUNDS / 2)
    for (const id of interrupted) expect((await server.call(key, 'POST', `/exports/${id}/start`)).status).toBe(200)
    for (const id of interrupted) {
      const job = await ended(server, key, id)
      expect(job).toMatchObject({ status: 'completed', results: { successful: ROWS } })
      expect(await wholeFile(id, job)).toBe(wholeHash)
    }
  })

  it.each([
    ['the unindexed sort of 2,000,000 rows', { resource: 'big', sort: ['v'] }],
    ['a view that sorts inside', { resource: 'ranked' }],
  ])('stop %s', TIMED, async (_what, body) => {
    for (const verb of ['interrupt', 'cancel'] as const) {
      const id = await create(server, key, body)
      await inProgress(id)
      const { status, at } = await stop(id, verb, 300)
      expect(status).not.toBe('completed')
      await expectGone([id], at)
      expect(childrenOf(server.pid)).toEqual([])
      expect(await readdir(join(site.dataDir, 'tmp'))).toEqual([])
    }
  })
})

describe('an illegal verb', () => {
  const VERBS = ['POST interrupt', 'POST start', 'POST cancel', 'DELETE '] as const

  /** All there is to know of an export, except what goes on by itself in a run. */
  async function whole(id: string): Promise<unknown> {
    const { progress, estimated_completion_at, updated_at, queue_position, ...rest } = await shown(id)
    const isRunning = rest.status === 'in_progress'
    const moving = isRunning ? null : { progress, estimated_completion_at, updated_at, queue_position }
    return { rest, moving, events: (await server.call(key, 'GET', `/exports/${id}/events`)).body }
  }

  async function expectRefused(id: string, verbs: readonly (typeof VERBS)[number][]): Promise<void> {
    for (const verb of verbs) {
      const [method = '', name = ''] = verb.split(' ')
      const before = await whole(id)
      const answer = await server.call(key, method, `/exports/${id}${name && `/${name}`}`)
      expect(answer.status, verb).toBe(409)
      expect(answer.body.code).toBe(method === 'DELETE' ? 'EXPORT_ACTIVE' : 'TRANSITION_ILLEGAL')
      expect(await whole(id)).toEqual(before)
    }
  }

  it('answers 409 with a code and changes nothing, whatever the status', async () => {
    const done = await create(server, key, { resource: 'orders', limit: 10 })
    await ended(server, key, done)
    const sorting = { resource: 'big', sort: ['v'] }
    const [running, other, ...rest] = await Promise.all([1, 2, 3, 4].map(() => create(server, key, sorting)))
    const failing = await create(server, key, { resource: 'doomed' })
    await inProgress(running ?? '')
    writeTeamDatabase(site, 'alter table doomed drop column v')

    expect((await shown(failing)).status).toBe('pending')
    await expectRefused(failing, ['POST start', 'DELETE '])
    await expectRefused(running ?? '', ['POST start', 'DELETE '])
    for (const id of [running, ...rest]) await server.call(key, 'POST', `/exports/${id}/cancel`)
    await expectRefused(running ?? '', ['POST interrupt', 'POST start'])
    // What is asked for stands already: no conflict, and no change either.
    const cancelled = await whole(running ?? '')
    expect((await server.call(key, 'POST', `/exports/${running}/cancel`)).status).toBe(200)
    expect(await whole(running ?? '')).toEqual(cancelled)
    await server.call(key, 'POST', `/exports/${other}/interrupt`)
    const interrupted = await whole(other ?? '')
    expect((await server.call(key, 'POST', `/exports/${other}/interrupt`)).status).toBe(200)
    expect(await whole(other ?? '')).toEqual(interrupted)
    expect(await ended(server, key, failing)).toMatchObject({ status: 'failed', error: { code: 'SOURCE_CHANGED' } })
    await expectRefused(failing, ['POST interrupt', 'POST cancel'])
    await expectRefused(done, ['POST interrupt', 'POST start', 'POST cancel'])
  })
})
