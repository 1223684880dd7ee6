/** The link in the status: one for as long as the file is kept, good for nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProtocolSite } from '../../../test/protocol-site.ts'
import { expectWire, openClientsSite } from '../../../test/protocols/clients-export-site.ts'
import { createKey } from '../../access/keys.ts'

const EXPORTS = '/tenants/acme/clients/export/csv'
let site: ProtocolSite
beforeAll(async () => {
  site = await openClientsSite()
})
afterAll(() => site.close())

const get = async (code: string) => {
  const answer = await site.ask(`${EXPORTS}/${code}`)
  expectWire(answer)
  return answer
}

describe('the downloadUrl of clients-export', () => {
  it('gives one link for as long as the file is kept, which leads to its bytes and says who followed it', async () => {
    const { id } = await site.given({ number: 100, status: 'completed', resource: 'clients', bytes: Buffer.from('Name\nZoë\n') })
    const now = site.clock.now
    const { downloadUrl } = (await get(id)).body
    expect((await get(id)).body.downloadUrl).toBe(downloadUrl)
    site.clock.now = new Date(now.getTime() + 6 * 86_400_000)
    const followed = await fetch(downloadUrl, { redirect: 'manual' })
    const storageLink = followed.headers.get('location') ?? ''
    expect(followed.status).toBe(302)
    expect(await (await fetch(storageLink)).text()).toBe('Name\nZoë\n')
    site.clock.now = new Date(site.clock.now.getTime() + 600_000)
    expect((await fetch(storageLink)).status).toBe(403)
    expect((await fetch(downloadUrl)).status).toBe(200)
    site.clock.now = new Date(now.getTime() + 7 * 86_400_000)
    expect((await fetch(downloadUrl)).status).toBe(403)
    expect((await get(id)).body).toMatchObject({ status: 'Completed', downloadUrl: null })
    site.clock.now = now
    const events = await site.store.events(id, 0)
    expect(events.filter(({ type }) => type === 'linked').map(({ data }) => data)).toContainEqual({
      by: site.key.split('_')[2],
      from: '127.0.0.1',
      file: 1,
      link: 'standing',
    })
  })

  it('no character of the link can be altered, and a link of another kind is none', async () => {
    const { id, run } = await site.given({ number: 101, status: 'completed', resource: 'clients' })
    const { downloadUrl } = (await get(id)).body as { downloadUrl: string }
    const path = downloadUrl.slice(site.url.length)
    const { verifyStanding } = site.context.links
    expect(verifyStanding(path, site.clock.now)).toEqual({ jobId: id, run, by: site.key.split('_')[2] })
    for (let at = 0; at < path.length; at += 1) {
      for (const other of ['0', 'z', '/', '%']) {
        if (path[at] === other) continue
        const altered = path.slice(0, at) + other + path.slice(at + 1)
        expect(() => verifyStanding(altered, site.clock.now), altered).toThrow('This download link was altered')
      }
    }
    const download = site.context.links.mint({ jobId: id, run, index: 1, name: 'clients.csv' }, site.clock.now)
    expect(() => verifyStanding(download.replace('/downloads/', '/links/'), site.clock.now)).toThrow()
    expect((await fetch(`${downloadUrl}&x=1`)).status).toBe(403)
    expect((await fetch(`${site.url}/links/${id}/1`)).status).toBe(403)
  })

  it('the link of several files leads to an archive of them', async () => {
    const { id } = await site.given({ number: 103, status: 'completed', resource: 'clients', files: 2 })
    const file = await fetch((await get(id)).body.downloadUrl)
    expect({ status: file.status, disposition: file.headers.get('content-disposition') }).toMatchObject({
      status: 200,
      disposition: expect.stringContaining('.zip'),
    })
    await file.arrayBuffer()
  })

  it('a link of an export that was removed, or run again, says that the file is gone', async () => {
    const { id } = await site.given({ number: 102, status: 'completed', resource: 'clients' })
    const { downloadUrl } = (await get(id)).body
    const status = async () => (await fetch(downloadUrl, { redirect: 'manual' })).status
    await site.store.filesRemoved(id, site.clock.now)
    expect(await status()).toBe(410)
    await site.store.remove('acme', id)
    expect(await status()).toBe(410)
  })

  it('gives the link only to those who may download', async () => {
    const { id } = await site.given({ number: 112, status: 'completed', resource: 'clients' })
    const { secret } = await createKey(
      site.store,
      { tenant: 'acme', name: 'reads', mode: 'live', scopes: ['exports:read'] },
      site.clock.now,
    )
    const answer = await site.ask(`${EXPORTS}/${id}`, { headers: { authorization: `Bearer ${secret}` } })
    expectWire(answer)
    expect(answer.body).toMatchObject({ status: 'Completed', downloadUrl: null })
  })
})
