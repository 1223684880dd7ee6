import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'
import { completionOf, newJob } from '../../test/contracts/sample-job.ts'
import { type HttpSite, openHttpSite, portOf } from '../../test/http-site.ts'
import type { Job, StoredFile } from '../job/job.ts'

const TEXTS = ['id\n1\n', 'id\n2\n', 'id\n3\n'].map((text) => Buffer.from(text.repeat(10_000)))

async function storeFiles(site: HttpSite, job: Job, ending: string, contents: readonly Buffer[]): Promise<StoredFile[]> {
  const files: StoredFile[] = []
  for (const [index, content] of contents.entries()) {
    const name = `orders-2026-03-01-0000${index + 1}.${ending}`
    const key = `${job.id}/${job.run}/${name}`
    const body = async function* () {
      yield content
    }
    await site.storage.put(key, body(), AbortSignal.timeout(10_000))
    const sha256 = createHash('sha256').update(content).digest('hex')
    files.push({ key, name, resource: 'orders', rows: 1, mediaType: 'text/csv', bytes: content.length, sha256 })
  }
  return files
}

async function claimed(site: HttpSite, number: number): Promise<Job> {
  await site.store.create(newJob(number), null)
  const job = await site.store.claim(newJob(number).id, site.clock.now)
  if (!job) throw new Error('the job cannot be claimed')
  return job
}

async function completed(site: HttpSite, number: number, ending: string, contents: readonly Buffer[] = TEXTS): Promise<Job> {
  const job = await claimed(site, number)
  const files = await storeFiles(site, job, ending, contents)
  const completion = completionOf(job, site.clock.now, new Date(site.clock.now.getTime() + 86_400_000))
  const done = await site.store.complete(job.id, job.run, { ...completion, files })
  if (!done) throw new Error('the job cannot be completed')
  return done
}

/** As the API hands it out. */
async function linkOf(site: HttpSite, job: Job, what: string): Promise<string> {
  const headers = { authorization: `Bearer ${site.key}` }
  const answer = await site.app.inject({ url: `/exports/${job.id}/${what}`, headers })
  expect([answer.statusCode, answer.headers['cache-control']]).toEqual([302, 'no-store'])
  return String(answer.headers.location).replace('https://freight.example', '')
}

async function contentsOf(bytes: Buffer): Promise<[string, Buffer][]> {
  const file = await promisify<Buffer, object, ZipFile>(fromBuffer)(bytes, { lazyEntries: true })
  return new Promise((resolve, reject) => {
    const read: [string, Buffer][] = []
    file.on('error', reject).on('end', () => resolve(read))
    file.on('entry', (entry: Entry) => {
      file.openReadStream(entry, async (error, stream) => {
        if (error) return reject(error)
        read.push([entry.fileName, await buffer(stream)])
        file.readEntry()
      })
    })
    file.readEntry()
  })
}

describe('the archive of an export', () => {
  let site: HttpSite
  beforeAll(async () => {
    site = await openHttpSite()
  })
  afterAll(() => site.close())

  it('holds every file of the manifest, in its order and to the byte', async () => {
    const job = await completed(site, 1, 'csv')
    const link = await linkOf(site, job, 'files.zip')
    const answer = await site.app.inject({ url: link })
    expect(answer.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': 'attachment; filename="orders-2026-01-01.zip"',
      'accept-ranges': 'none',
    })
    expect(answer.rawPayload.length).toBeLessThan(5_000)
    expect(await contentsOf(answer.rawPayload)).toEqual(job.files.map(({ name }, index) => [name, TEXTS[index]]))
    const again = await site.app.inject({ url: link, headers: { 'if-none-match': String(answer.headers.etag) } })
    expect(again.statusCode).toBe(304)
  })

  it('has a known length where its files are compressed already, and HEAD says what GET would', async () => {
    for (const [number, ending] of [
      [2, 'csv.gz'],
      [3, 'csv'],
    ] as const) {
      const job = await completed(site, number, ending)
      const link = await linkOf(site, job, 'files.zip')
      const head = await site.app.inject({ method: 'HEAD', url: link })
      const get = await site.app.inject({ url: link })
      expect([head.statusCode, head.rawPayload.length]).toEqual([200, 0])
      for (const name of ['content-type', 'etag', 'accept-ranges', 'content-disposition', 'content-length'])
        expect([name, head.headers[name]]).toEqual([name, get.headers[name]])
      expect(get.headers['content-length']).toBe(ending === 'csv' ? undefined : String(get.rawPayload.length))
    }
  })

  it('is whole whatever range is asked for', async () => {
    const link = await linkOf(site, await completed(site, 4, 'csv.gz'), 'files.zip')
    const whole = await site.app.inject({ url: link })
    const ranged = await site.app.inject({ url: link, headers: { range: 'bytes=10-20' } })
    expect([ranged.statusCode, ranged.headers['content-range']]).toEqual([200, undefined])
    expect(ranged.rawPayload.equals(whole.rawPayload)).toBe(true)
  })

  it('is gone with the files, and with the time of its link', async () => {
    const job = await completed(site, 5, 'csv')
    const link = await linkOf(site, job, 'files.zip')
    await site.storage.remove(job.id)
    expect((await site.app.inject({ url: link })).statusCode).toBe(410)
    const other = await linkOf(site, await completed(site, 6, 'csv'), 'files.zip')
    const began = site.clock.now
    site.clock.now = new Date(began.getTime() + 301_000)
    expect((await site.app.inject({ url: other })).statusCode).toBe(403)
    site.clock.now = began
  })

  it('breaks off where a file has another length than the manifest says', async () => {
    const job = await completed(site, 7, 'csv.gz')
    const body = async function* () {
      yield Buffer.from('short')
    }
    await site.storage.put(job.files[1]?.key ?? '', body(), AbortSignal.timeout(10_000))
    const link = await linkOf(site, job, 'files.zip')
    await site.app.listen({ host: '127.0.0.1', port: 0 })
    const answer = fetch(`http://127.0.0.1:${portOf(site.app)}${link}`).then((response) => response.arrayBuffer())
    await expect(answer).rejects.toThrow('terminated')
  })

  it('of a large export is sent as fast as it is taken, and its file closed when the reader leaves', async () => {
    const large = Buffer.alloc(48 * 1024 * 1024, 'freight ')
    const job = await completed(site, 8, 'csv.gz', [large, large])
    const link = await linkOf(site, job, 'files.zip')
    const before = process.memoryUsage().arrayBuffers
    const socket = connect(portOf(site.app), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET ${link} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await once(socket, 'readable')
    await expect.poll(() => openFiles(site.folder)).toBe(1)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
    socket.destroy()
    await expect.poll(() => openFiles(site.folder)).toBe(0)
  })

  it('is not offered while the export runs, but its whole files are, until the run ends without them', async () => {
    const job = await claimed(site, 9)
    await site.store.files(job.id, job.run, await storeFiles(site, job, 'csv', TEXTS.slice(0, 2)))
    const headers = { authorization: `Bearer ${site.key}` }
    const shown = await site.app.inject({ url: `/exports/${job.id}`, headers })
    expect(shown.json()).toMatchObject({
      status: 'in_progress',
      files: [{ number: 1 }, { number: 2, rows: 1, bytes: TEXTS[1]?.length }],
    })
    expect((await site.app.inject({ url: `/exports/${job.id}/files.zip`, headers })).statusCode).toBe(409)
    const link = await linkOf(site, job, 'files/2')
    expect((await site.app.inject({ url: link })).rawPayload.equals(TEXTS[1] ?? Buffer.alloc(0))).toBe(true)
    const archive = site.context.links.mint({ jobId: job.id, run: job.run, index: 'zip', name: 'orders.zip' }, site.clock.now)
    expect((await site.app.inject({ url: archive })).statusCode).toBe(410)
    await site.store.giveBack(job.id, job.run, site.clock.now)
    expect((await site.app.inject({ url: link })).statusCode).toBe(410)
    const again = await site.store.claim(job.id, site.clock.now)
    expect(again?.run).toBe(2)
    expect((await site.app.inject({ url: link })).statusCode).toBe(410)
  })
})

/** Handles of this process on the files below a folder. */
async function openFiles(folder: string): Promise<number> {
  const handles = await readdir('/proc/self/fd')
  const targets = await Promise.all(handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(join(folder, 'files'))).length
}
