import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { complete, type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import { createExport } from './create.ts'
import { createLinkSigner, mintArchiveLink, mintLink } from './link.ts'
import type { LinkedFile } from './link-signer.ts'

const NOW = new Date('2026-03-01T12:00:00.250Z')
const FILE: LinkedFile = { jobId: '0199a0b0-0000-7000-8000-000000000001', run: 3, index: 12, name: "orders (é) 'a'/b.csv.gz" }

describe('a link signer', () => {
  const signer = createLinkSigner({ secrets: ['new secret', 'old secret'], lifetimeMs: 300_000 })
  const link = signer.mint(FILE, NOW)
  const refusal = expect.objectContaining({ code: 'LINK_INVALID' })

  it('writes a path with an expiry and a signature, and knows its own link again', () => {
    expect(link).toMatch(
      /^\/downloads\/0199a0b0-0000-7000-8000-000000000001\/3\/12\/orders%20\(%C3%A9\)%20'a'%2Fb\.csv\.gz\?expires=1772366701&signature=[A-Za-z0-9_-]{43}$/,
    )
    expect(signer.verify(link, NOW)).toEqual(FILE)
  })

  it('refuses a link in which any one character was changed, left out or doubled', () => {
    const named = signer.mint({ ...FILE, by: 'auth.example.com:user/ä' }, NOW)
    expect(signer.verify(named, NOW)).toEqual({ ...FILE, by: 'auth.example.com:user/ä' })
    for (const [whole, at] of [link, named].flatMap((whole) => Array.from(whole, (_, at) => [whole, at] as const))) {
      const character = whole[at] ?? ''
      for (const other of ['', character + character, 'A', 'b', '0', '9', '-', '%', '/', '&', '=']) {
        if (other === character) continue
        expect(() => signer.verify(whole.slice(0, at) + other + whole.slice(at + 1), NOW), `${at} ${other}`).toThrow(refusal)
      }
    }
  })

  it.each([
    ['an added parameter', (url: string) => `${url}&x=1`],
    ['a doubled signature', (url: string) => `${url}&signature=${url.split('signature=')[1]}`],
    ['a second expiry', (url: string) => url.replace('&', '&expires=9999999999&')],
    ['parameters in another order', (url: string) => url.replace(/\?(expires=\d+)&(.*)$/, '?$2&$1')],
    ['no signature', (url: string) => url.replace(/&signature=.*$/, '')],
    ['an empty signature', (url: string) => url.replace(/signature=.*$/, 'signature=')],
    ['a longer signature', (url: string) => `${url}A`],
    ['a padded signature', (url: string) => `${url}=`],
    ['no expiry', (url: string) => url.replace(/expires=\d+&/, '')],
    ['a negative expiry', (url: string) => url.replace('expires=', 'expires=-')],
    ['an expiry as a power', (url: string) => url.replace(/expires=\d+/, 'expires=1e99')],
    ['an expiry with a leading zero', (url: string) => url.replace('expires=', 'expires=0')],
    ['lower-case escapes', (url: string) => url.replace('%C3', '%c3')],
    ['a character escaped that need not be', (url: string) => url.replace('csv', '%63sv')],
    ['an escape that is no UTF-8', (url: string) => url.replace('%C3%A9', '%C3')],
    ['an upper-case id', (url: string) => url.replace('0199a0b0', '0199A0B0')],
    ['a fragment', (url: string) => `${url}#x`],
    ['a host', (url: string) => `http://evil.example${url}`],
    ['a doubled slash', (url: string) => `/${url}`],
    ['a way up', (url: string) => url.replace('/3/', '/3/../3/')],
    ['100 KB', (url: string) => url + 'A'.repeat(100_000)],
    ['nothing at all', () => ''],
  ])('refuses a link with %s', (_, change) => {
    expect(change(link)).not.toBe(link)
    expect(() => signer.verify(change(link), NOW)).toThrow(refusal)
  })

  it('accepts a link until the second that it names, and not from then on', () => {
    const expiresAt = 1_772_366_701_000
    expect(signer.verify(link, new Date(expiresAt - 1))).toEqual(FILE)
    expect(() => signer.verify(link, new Date(expiresAt))).toThrow(refusal)
  })

  it('accepts links of the secret before a rotation, and none of a secret it does not have', () => {
    const before = createLinkSigner({ secrets: ['old secret'], lifetimeMs: 300_000 })
    const stranger = createLinkSigner({ secrets: ['another'], lifetimeMs: 300_000 })
    expect(signer.verify(before.mint(FILE, NOW), NOW)).toEqual(FILE)
    expect(() => signer.verify(stranger.mint(FILE, NOW), NOW)).toThrow(refusal)
    expect(() => before.verify(link, NOW)).toThrow(refusal)
  })

  it('cannot be made without a secret', () => {
    expect(() => createLinkSigner({ secrets: [], lifetimeMs: 1 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

describe('minting a link to an export', () => {
  let site: ExportsSite
  beforeEach(async () => {
    site = await openExportsSite()
  })
  afterEach(() => site.close())

  it('leads to the run and file that were written, and is recorded with who asked', async () => {
    const job = await complete(site, await createExport(site.context, site.caller, newExport('orders')), ['a.csv', 'b.csv'])
    const link = await mintLink(site.context, site.caller, job.id, 2)
    expect(site.context.links.verify(link, site.clock.now)).toEqual({
      jobId: job.id,
      run: 1,
      index: 2,
      name: 'b.csv',
      by: site.caller.id,
    })
    const events = await site.store.events(job.id, 0)
    expect(events.at(-1)).toMatchObject({ type: 'linked', run: 1, data: { by: site.caller.id, from: '203.0.113.7', file: 2 } })
    expect(JSON.stringify(events)).not.toContain('signature')
  })

  it('needs no number for the only file, and asks for one where there are several', async () => {
    const one = await complete(site, await createExport(site.context, site.caller, newExport('orders')))
    const two = await complete(site, await createExport(site.context, site.caller, newExport('orders')), ['a.csv', 'b.csv'])
    expect(await mintLink(site.context, site.caller, one.id, null)).toContain('/1/1/orders.csv?')
    await expect(mintLink(site.context, site.caller, two.id, null)).rejects.toMatchObject({ code: 'SEVERAL_FILES' })
  })

  it('is refused for a file that the export does not have', async () => {
    const job = await complete(site, await createExport(site.context, site.caller, newExport('orders')))
    for (const index of [0, 2, 999_999]) {
      await expect(mintLink(site.context, site.caller, job.id, index)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  it("is refused while not completed, once expired, and for another tenant's export as for an unknown one", async () => {
    const job = await createExport(site.context, site.caller, newExport('orders'))
    await expect(mintLink(site.context, site.caller, job.id, 1)).rejects.toMatchObject({ code: 'EXPORT_NOT_READY' })
    const { expiresAt } = await complete(site, job)
    const unknown = '0199a0b0-0000-7000-8000-000000000001'
    const [theirs, nobodys] = await Promise.allSettled([
      mintLink(site.context, site.stranger, job.id, 1),
      mintLink(site.context, site.stranger, unknown, 1),
    ])
    expect(theirs).toMatchObject({ status: 'rejected', reason: { code: 'NOT_FOUND' } })
    expect(theirs).toEqual(nobodys)
    site.clock.now = expiresAt ?? site.clock.now
    await expect(mintLink(site.context, site.caller, job.id, 1)).rejects.toMatchObject({ code: 'EXPORT_EXPIRED' })
  })

  it('leads to an archive of all files once the export is completed', async () => {
    const job = await createExport(site.context, site.caller, newExport('orders'))
    await expect(mintArchiveLink(site.context, site.caller, job.id)).rejects.toMatchObject({ code: 'EXPORT_NOT_READY' })
    await complete(site, job, ['a.csv', 'b.csv'])
    const link = await mintArchiveLink(site.context, site.caller, job.id)
    const linked = { jobId: job.id, run: 1, index: 'zip', name: 'orders-2026-03-01.zip', by: site.caller.id }
    expect(site.context.links.verify(link, site.clock.now)).toEqual(linked)
    expect((await site.store.events(job.id, 0)).at(-1)).toMatchObject({ type: 'linked', data: { file: 'zip' } })
    await expect(mintArchiveLink(site.context, site.stranger, job.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is given for each file of a running split export that is whole, and for no other', async () => {
    const job = await createExport(site.context, site.caller, newExport('orders'))
    await site.store.claim(job.id, site.clock.now)
    const file = {
      name: 'orders-00001.csv',
      resource: 'orders',
      rows: 1,
      mediaType: 'text/csv',
      bytes: 5,
      sha256: 'ab'.repeat(32),
    }
    await site.store.files(job.id, 1, [{ ...file, key: `${job.id}/1/orders-00001.csv` }])
    const link = await mintLink(site.context, site.caller, job.id, 1)
    expect(site.context.links.verify(link, site.clock.now)).toMatchObject({ run: 1, index: 1, name: 'orders-00001.csv' })
    const refused = [mintLink(site.context, site.caller, job.id, 2), mintLink(site.context, site.caller, job.id, null)]
    for (const asked of [...refused, mintArchiveLink(site.context, site.caller, job.id)])
      await expect(asked).rejects.toMatchObject({ code: 'EXPORT_NOT_READY' })
    await site.store.interrupt('acme', job.id, site.clock.now)
    await expect(mintLink(site.context, site.caller, job.id, 1)).rejects.toMatchObject({ code: 'EXPORT_NOT_READY' })
  })
})
