/** A split export's files can be had as soon as each is whole, and never after the run that wrote them has ended without it all. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Body, create, ended, makeKey, type Server, type Site, shown, startServer, until } from '../rig.ts'
import { storedFiles } from '../stored-files.ts'
import { makeWarehouse } from './warehouse.ts'

let site: Site
let server: Server
let key: string
beforeAll(async () => {
  site = await makeWarehouse({ items: 200_000 })
  key = await makeKey(site, 'acme')
  server = await startServer(site)
})
afterAll(() => site.remove())

async function linkTo(id: string, file: string): Promise<string> {
  const { status, headers } = await server.call(key, 'GET', `/exports/${id}/${file}`)
  expect(status).toBe(302)
  return headers.get('location') ?? ''
}

const sha256 = (bytes: ArrayBuffer): string => createHash('sha256').update(Buffer.from(bytes)).digest('hex')

it('each file can be downloaded while the others are written, and the completed export has the same ones', async () => {
  const id = await create(server, key, { resource: 'items', limit: 6_000, split: { rows: 100 } })
  const running: Body = await until(server, key, id, ({ files }) => files.length > 0, { everyMs: 10 })
  expect(running).toMatchObject({ status: 'in_progress', manifest: null })
  const [first] = running.files
  const early = await fetch(await linkTo(id, 'files/1'))
  expect([early.status, sha256(await early.arrayBuffer())]).toEqual([200, first.sha256])
  const done: Body = await ended(server, key, id)
  expect(done.status).toBe('completed')
  expect(done.manifest.files).toHaveLength(60)
  expect(done.files.map(({ number, ...file }: Body) => file)).toEqual(done.manifest.files)
  expect(done.files[0]).toEqual(first)
  expect(done.progress.processed).toBe(6_000)
  for (const { number, sha256: expected } of done.files.slice(-3))
    expect(sha256(await (await fetch(await linkTo(id, `files/${number}`))).arrayBuffer())).toBe(expected)
  const archive = await fetch(await linkTo(id, 'files.zip'))
  expect([archive.status, archive.headers.get('content-type')]).toEqual([200, 'application/zip'])
})

it('files of a run that was interrupted, killed or started anew are gone, and those of its successor are its own', async () => {
  const id = await create(server, key, { resource: 'items', split: { rows: 100 } })
  await until(server, key, id, ({ files }) => files.length > 1, { everyMs: 10 })
  const link = await linkTo(id, 'files/1')
  expect((await fetch(link)).status).toBe(200)
  await server.call(key, 'POST', `/exports/${id}/interrupt`)
  expect((await shown(server, key, id)).files).toEqual([])
  expect((await fetch(link)).status).toBe(410)
  await expect.poll(() => storedFiles(site)).not.toContainEqual(expect.stringContaining(`${id}/1/`))

  await server.call(key, 'POST', `/exports/${id}/start`)
  await until(server, key, id, ({ files, attempt }) => files.length > 1 && attempt === 2, { everyMs: 10 })
  const second = new URL(await linkTo(id, 'files/1'))
  expect((await fetch(second)).status).toBe(200)
  await server.kill()
  server = await startServer(site)
  const again: Body = await until(server, key, id, ({ files, attempt }) => files.length > 0 && attempt === 3, { everyMs: 10 })
  expect(again.status).toBe('in_progress')
  expect((await fetch(server.url + second.pathname + second.search)).status).toBe(410)
  expect(await storedFiles(site)).not.toContainEqual(expect.stringContaining(`${id}/2/`))
  await server.call(key, 'POST', `/exports/${id}/cancel`)
  expect((await shown(server, key, id)).files).toEqual([])
})
