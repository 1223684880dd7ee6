/** A split export of a PostgreSQL table that is read over several connections: every row once, in order, in files that are whole early. */
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import yauzl from 'yauzl'
import { createDatabase, type TestDatabase } from '../postgres.ts'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'

const ROWS = 60_000

let database: TestDatabase
let site: Site
let server: Server
let key: string

beforeAll(async () => {
  database = await createDatabase(`
    create table orders (id int primary key, tenant_id text, note text);
    insert into orders select n, 'acme', 'note ' || n || repeat(md5(n::text), 8) from generate_series(1, ${ROWS}) n;
    analyze`)
  site = await makeSite(`{
    sources: { main: { url: process.env.SOURCE_URL ?? '', parallel: 3 } },
    resources: { orders: { tenant: 'tenant_id' } },
  }`)
  key = await makeKey(site, 'acme')
  server = await startServer(site, { SOURCE_URL: database.url })
})

afterAll(async () => {
  await site.remove()
  await database.drop()
})

async function fileOf(id: string, path: string): Promise<Buffer> {
  const { status, headers } = await server.call(key, 'GET', `/exports/${id}/${path}`)
  expect(status).toBe(302)
  const answer = await fetch(headers.get('location') ?? '')
  expect(answer.status).toBe(200)
  return Buffer.from(await answer.arrayBuffer())
}

async function namesIn(archive: Buffer): Promise<string[]> {
  const zip = await yauzl.fromBufferPromise(archive, { lazyEntries: true })
  const names: string[] = []
  for await (const entry of zip.eachEntry()) names.push(entry.fileName)
  return names
}

it.each([{ rows: 7_000 }, { bytes: 2_000_000 }])('by %o: gzipped, over three connections', async (split) => {
  const id = await create(server, key, { resource: 'orders', fields: ['id', 'note'], compression: 'gzip', split })
  const running: Body = await until(server, key, id, ({ files }) => files.length > 0, { everyMs: 5 })
  expect(running.status).toBe('in_progress')
  const first = await fileOf(id, 'files/1')
  const done: Body = await ended(server, key, id)
  expect(done).toMatchObject({ status: 'completed', results: { successful: ROWS, warnings: 0, errors: 0 } })
  expect(await fileOf(id, 'files/1')).toEqual(first)
  const texts = await Promise.all(
    done.files.map(async ({ number }: Body) => gunzipSync(await fileOf(id, `files/${number}`)).toString()),
  )
  expect(texts.every((text) => text.startsWith('id,note\n') && text.endsWith('\n'))).toBe(true)
  const lines = texts.map((text) => text.split('\n').slice(1, -1))
  expect(lines.flat().map((line) => Number(line.split(',')[0]))).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1))
  const [last, ...others] = lines.reverse()
  expect(others.length).toBeGreaterThan(5)
  if ('rows' in split) expect(others.every((each) => each.length === split.rows)).toBe(true)
  else
    expect(
      texts
        .reverse()
        .slice(1)
        .every((text) => Math.abs(text.length - split.bytes) < 500),
    ).toBe(true)
  expect(last?.length).toBeGreaterThan(0)
  expect(await namesIn(await fileOf(id, 'files.zip'))).toHaveLength(texts.length)
})
