import { once } from 'node:events'
import { readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completedExport, type HttpSite, linkTo, openHttpSite, portOf } from '../../test/http-site.ts'
import type { Job } from '../job/job.ts'

const BYTES = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 256))

describe('a signed download', () => {
  let site: HttpSite
  let job: Job
  let link: string

  beforeAll(async () => {
    site = await openHttpSite()
    job = await completedExport(site, 1, BYTES, 'orders é.csv')
    link = linkTo(site, job)
  })
  afterAll(() => site.close())

  const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    site.app.inject({ method, url, headers })

  it('gives the whole file with its name, length, type and tag, and asks for no key', async () => {
    const answer = await get(link)
    expect(answer.statusCode).toBe(200)
    expect(answer.rawPayload.equals(BYTES)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-length': '1000',
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="orders_e.csv"; filename*=UTF-8''orders%20%C3%A9.csv`,
      etag: `"${job.files[0]?.sha256}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=0, must-revalidate',
      'x-content-type-options': 'nosniff',
    })
    expect(answer.headers['content-encoding']).toBeUndefined()
  })

  it('answers HEAD with the same headers and no body, also when a range is asked for', async () => {
    const whole = await get(link)
    const head = await get(link, { range: 'bytes=0-1' }, 'HEAD')
    expect(head.statusCode).toBe(200)
    expect(head.rawPayload.length).toBe(0)
    for (const name of ['content-length', 'content-type', 'etag', 'accept-ranges', 'content-disposition']) {
      expect(head.headers[name]).toBe(whole.headers[name])
    }
  })

  it.each([
    ['bytes=0-', 206, 'bytes 0-999/1000', BYTES],
    ['bytes=0-0', 206, 'bytes 0-0/1000', BYTES.subarray(0, 1)],
    ['bytes=990-2000', 206, 'bytes 990-999/1000', BYTES.subarray(990)],
    ['bytes=-1', 206, 'bytes 999-999/1000', BYTES.subarray(999)],
    ['bytes=5-2', 200, undefined, BYTES],
    ['lines=1-2', 200, undefined, BYTES],
    [`bytes=${Array.from({ length: 1_000 }, () => '0-999').join(',')}`, 200, undefined, BYTES],
    ['bytes=99999999999999999999-', 416, 'bytes */1000', null],
    ['bytes=-0', 416, 'bytes */1000', null],
  ])('answers Range %.40s with %d', async (range, status, contentRange, bytes) => {
    const answer = await get(link, { range })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-range']).toBe(contentRange)
    if (bytes) expect(answer.rawPayload.equals(bytes)).toBe(true)
    else expect(answer.json()).toMatchObject({ code: 'INVALID_REQUEST', request_id: answer.headers['x-request-id'] })
  })

  it('gives a range under If-Range only for the same strong tag', async () => {
    const etag = `"${job.files[0]?.sha256}"`
    expect((await get(link, { range: 'bytes=0-9', 'if-range': etag })).statusCode).toBe(206)
    expect((await get(link, { range: 'bytes=0-9', 'if-range': `W/${etag}` })).statusCode).toBe(200)
    expect((await get(link, { range: 'bytes=0-9', 'if-range': '"stale"' })).statusCode).toBe(200)
  })

  it.each(['*', 'W/', ''])('answers 304 without a body when the caller has the file (If-None-Match %s)', async (prefix) => {
    const etag = prefix === '*' ? '*' : `${prefix}"${job.files[0]?.sha256}"`
    const answer = await get(link, { 'if-none-match': etag })
    expect(answer.statusCode).toBe(304)
    expect(answer.rawPayload.length).toBe(0)
    expect(answer.headers.etag).toBe(`"${job.files[0]?.sha256}"`)
  })

  it('ignores Host and forwarded headers, and other methods are 405', async () => {
    expect((await get(link, { host: 'evil.example', 'x-forwarded-host': 'evil.example' })).statusCode).toBe(200)
    const post = await site.app.inject({ method: 'POST', url: link })
    expect(post.statusCode).toBe(405)
    expect(post.headers.allow).toBe('GET, HEAD, OPTIONS')
    const override = await site.app.inject({ method: 'GET', url: link, headers: { 'x-http-method-override': 'DELETE' } })
    expect(override.statusCode).toBe(200)
  })

  it('refuses every change of one character, and no change is ever served', async () => {
    const random = ['A', '0', '%', '/', '.', '-', 'z', '&', '=', '?', '+', ' ']
    for (let at = 0; at < link.length; at += 1) {
      for (const replacement of [random[at % random.length], random[(at * 7 + 3) % random.length], '_']) {
        if (replacement === undefined || replacement === link[at]) continue
        const altered = `${link.slice(0, at)}${replacement}${link.slice(at + 1)}`
        const answer = await get(altered.startsWith('/') ? altered : `/${altered}`)
        expect([400, 403, 404], altered).toContain(answer.statusCode)
      }
    }
  })

  it.each([
    ['no signature', (url: string) => url.replace(/&signature=.*/, '')],
    ['an empty signature', (url: string) => url.replace(/signature=.*/, 'signature=')],
    ['a short signature', (url: string) => url.slice(0, -1)],
    ['a longer signature', (url: string) => `${url}A`],
    ['a padded signature', (url: string) => `${url}=`],
    ['the signature twice', (url: string) => `${url}&${url.split('&')[1]}`],
    ['an array of signatures', (url: string) => url.replace('signature=', 'signature[]=')],
    ['no expiry', (url: string) => url.replace(/expires=\d+&/, '')],
    ['the expiry twice', (url: string) => url.replace('?', '?expires=99999999999&')],
    ['a negative expiry', (url: string) => url.replace('expires=', 'expires=-')],
    ['an expiry in another notation', (url: string) => url.replace(/expires=\d+/, 'expires=1e99')],
    ['a hexadecimal expiry', (url: string) => url.replace(/expires=\d+/, 'expires=0xfffffffff')],
    ['a later expiry', (url: string) => url.replace(/expires=\d+/, 'expires=99999999999')],
    ['another order', (url: string) => url.replace(/\?(expires=\d+)&(signature=.*)/, '?$2&$1')],
    ['one more parameter', (url: string) => `${url}&a=b`],
    ['a semicolon', (url: string) => url.replace('?', ';x=1?')],
    ['an encoded slash', (url: string) => url.replace('/1/1/', '%2f1/1/')],
    ['another escape of the same name', (url: string) => url.replace('orders', '%6frders')],
    ['lower-case hex', (url: string) => url.replace('%C3%A9', '%c3%a9')],
    ['a doubled slash', (url: string) => url.replace('/downloads/', '/downloads//')],
    ["another job's id", (url: string) => url.replace(/[0-9a-f-]{36}/, '00000009-0000-7000-8000-000000000000')],
    ['another run', (url: string) => url.replace('/1/1/', '/2/1/')],
    ['another file', (url: string) => url.replace('/1/1/', '/1/2/')],
  ])('answers 403 to a link with %s', async (_what, change) => {
    const answer = await get(change(link))
    expect(answer.statusCode).toBe(403)
    expect(answer.json().code).toBe('LINK_INVALID')
  })

  it.each([
    '/downloads/../../../etc/passwd',
    '/downloads/..%2f..%2f..%2fetc%2fpasswd',
    '/downloads/%2e%2e/%2e%2e/etc/passwd',
    '/downloads//etc/passwd',
    '/downloads/C:%5cwindows',
    '/downloads/%00',
    '/downloads/.tmp-1',
    '/downloads/',
    '/downloads',
  ])('answers 403 or 404 to the path %s', async (path) => {
    expect([403, 404]).toContain((await get(path)).statusCode)
  })

  it('works to the second before its end and not from then on', async () => {
    const began = site.clock.now
    const expires = Number(/expires=(\d+)/.exec(link)?.[1]) * 1000
    site.clock.now = new Date(expires - 1)
    expect((await get(link)).statusCode).toBe(200)
    site.clock.now = new Date(expires)
    expect((await get(link)).statusCode).toBe(403)
    expect((await get(link, { range: 'bytes=500-' })).statusCode).toBe(403)
    site.clock.now = began
  })

  it('answers 410 when the job is gone, has expired, was run again or has lost its bytes', async () => {
    const began = site.clock.now
    const removed = await completedExport(site, 2, BYTES)
    const removedLink = linkTo(site, removed)
    await site.store.remove('acme', removed.id)
    const lost = await completedExport(site, 3, BYTES)
    await site.storage.remove(lost.id)
    const swept = await completedExport(site, 4, BYTES)
    await site.store.filesRemoved(swept.id, site.clock.now)
    const earlierRun = site.context.links.mint({ jobId: job.id, run: 7, index: 1, name: 'orders é.csv' }, began)
    const noSuchFile = site.context.links.mint({ jobId: job.id, run: job.run, index: 2, name: 'orders é.csv' }, began)
    for (const url of [removedLink, linkTo(site, lost), linkTo(site, swept), earlierRun, noSuchFile]) {
      const answer = await get(url)
      expect(answer.statusCode).toBe(410)
      expect(answer.json().code).toBe('EXPORT_EXPIRED')
    }
    site.clock.now = new Date((job.expiresAt?.getTime() ?? 0) - 60_000)
    const late = linkTo(site, job)
    site.clock.now = job.expiresAt ?? began
    expect((await get(late)).statusCode).toBe(410)
    site.clock.now = began
  })

  it('does not give out a file that has another length than the one that was written', async () => {
    const cut = await completedExport(site, 5, BYTES)
    const [file] = cut.files
    await site.storage.put(
      file?.key ?? '',
      (async function* () {
        yield BYTES.subarray(0, 10)
      })(),
      AbortSignal.timeout(5_000),
    )
    expect((await get(linkTo(site, cut))).statusCode).toBe(500)
  })

  it('does not follow a symbolic link planted among the files', async () => {
    const planted = await completedExport(site, 6, Buffer.alloc(6))
    const path = site.storage.locate(planted.files[0]?.key ?? '')
    if (path === null) throw new Error('the storage has no path')
    await rm(path)
    await writeFile(join(site.folder, 'secret'), 'canary')
    await symlink(join(site.folder, 'secret'), path)
    const answer = await get(linkTo(site, planted))
    expect(answer.statusCode).not.toBe(200)
    expect(answer.body).not.toContain('canary')
  })

  it('gives an empty file as an empty body', async () => {
    const empty = await completedExport(site, 7, Buffer.alloc(0))
    const answer = await get(linkTo(site, empty))
    expect({ status: answer.statusCode, length: answer.headers['content-length'] }).toEqual({ status: 200, length: '0' })
    expect((await get(linkTo(site, empty), { range: 'bytes=0-' })).statusCode).toBe(416)
  })
})

describe('a slow or vanishing reader of a download', () => {
  const MEGABYTES_32 = Buffer.alloc(32 * 1024 * 1024, 'freight ')

  it('is dropped after standing still, and either way its file is closed', async () => {
    const site = await openHttpSite({ stallMs: 400 })
    try {
      const job = await completedExport(site, 1, MEGABYTES_32)
      await site.app.listen({ host: '127.0.0.1', port: 0 })
      const port = portOf(site.app)
      const ask = async () => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.write(`GET ${linkTo(site, job)} HTTP/1.1\r\nHost: a\r\n\r\n`)
        await once(socket, 'readable')
        return socket
      }
      const before = await openFiles(site.folder)
      const leaving = await ask()
      leaving.destroy()
      const stalled = await ask()
      expect(await openFiles(site.folder)).toBeGreaterThan(before)
      const dropped = once(stalled, 'close')
      await sleep(900)
      stalled.resume()
      await dropped
      await expect.poll(() => openFiles(site.folder)).toBe(before)
      const lines = site.logged.filter((line) => line.includes('"route":"/downloads/*"')).map((line) => JSON.parse(line))
      expect(lines).toHaveLength(2)
      expect(lines.every(({ whole }) => whole === false)).toBe(true)
    } finally {
      await site.close()
    }
  })
})

/** Handles of this process on the files below a folder. */
async function openFiles(folder: string): Promise<number> {
  const handles = await readdir('/proc/self/fd')
  const targets = await Promise.all(handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(join(folder, 'files'))).length
}
