import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newPrincipal } from '../../test/callers.ts'
import { complete, type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import { createKey, principalOf } from '../access/keys.ts'
import type { Principal } from '../access/principal.ts'
import type { Job } from '../job/job.ts'
import { createExport } from './create.ts'
import { followStandingLink, standingLink } from './standing-link.ts'

let site: ExportsSite
beforeEach(async () => {
  site = await openExportsSite({ orders: { scope: { status: 'statuses' } } })
})
afterEach(() => site.close())

const CLAIMS = { statuses: ['paid'] }
const refusal = { code: 'LINK_INVALID' }
const follow = (link: string): Promise<string> => followStandingLink(site.context, site.store, link, '203.0.113.9')

async function keyHolder(): Promise<Principal> {
  const made = await createKey(site.store, { tenant: 'acme', name: 'x', mode: 'live', claims: CLAIMS }, site.clock.now)
  return { ...principalOf(made.key), address: null }
}

async function completed(caller: Principal): Promise<Job> {
  return complete(site, await createExport(site.context, caller, newExport('orders')))
}

function linkOf(caller: Principal, job: Job): string {
  return standingLink(site.context, caller, job, site.clock.now) ?? ''
}

describe('a standing link', () => {
  it('leads to a download link of whoever was given it, and is recorded as theirs', async () => {
    const holder = await keyHolder()
    const job = await completed(holder)
    const download = site.context.links.verify(await follow(linkOf(holder, job)), site.clock.now)
    expect(download).toMatchObject({ jobId: job.id, by: holder.id })
    expect(await site.store.events(job.id, 0)).toContainEqual(
      expect.objectContaining({ type: 'linked', data: { file: 1, link: 'standing', by: holder.id, from: '203.0.113.9' } }),
    )
  })

  it('ends with the key that it was given to, and no other', async () => {
    const [first, second] = [await keyHolder(), await keyHolder()]
    const job = await completed(first)
    const links = [linkOf(first, job), linkOf(second, job)] as const
    await site.store.revokeKey(first.id, site.clock.now)
    await expect(follow(links[0])).rejects.toMatchObject(refusal)
    expect(await follow(links[1])).toContain(`&by=${second.id}&`)
  })

  it('of a token stands as long as the rules under which the export was made', async () => {
    const caller = newPrincipal({ id: 'auth.example.com:user/ä', claims: CLAIMS })
    const link = linkOf(caller, await completed(caller))
    expect(site.context.links.verify(await follow(link), site.clock.now).by).toBe(caller.id)
    const narrower = await openExportsSite({ orders: { scope: { status: 'statuses', total_cents: 'totals' } } })
    const context = { ...site.context, catalog: () => narrower.context.catalog() }
    await expect(followStandingLink(context, site.store, link)).rejects.toMatchObject(refusal)
    await narrower.close()
  })

  it('ends where the holder of its key has no right to the rows any more', async () => {
    const holder = await keyHolder()
    const link = linkOf(holder, await completed({ ...holder, claims: { statuses: ['paid', 'sent'] } }))
    expect(link).toBe('')
    const wide = linkOf(
      { ...holder, claims: { statuses: ['paid', 'sent'] } },
      await completed({ ...holder, claims: { statuses: ['sent'] } }),
    )
    await expect(follow(wide)).rejects.toMatchObject(refusal)
  })
})
