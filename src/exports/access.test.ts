/** The callers' verbs, each under the scopes that allow it, and under whose rows went into an export. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newPrincipal } from '../../test/callers.ts'
import { complete, type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import type { Principal } from '../access/principal.ts'
import { cancelExport } from './cancel.ts'
import { createExport } from './create.ts'
import { estimateExport } from './estimate.ts'
import { listEvents } from './events.ts'
import { getExport } from './get.ts'
import { interruptExport } from './interrupt.ts'
import { mintArchiveLink, mintLink } from './link.ts'
import { listExports } from './list.ts'
import { removeExport } from './remove.ts'
import { standingLink } from './standing-link.ts'
import { startExport } from './start.ts'
import { waitForEnd } from './wait.ts'

let site: ExportsSite
beforeEach(async () => {
  site = await openExportsSite({
    orders: { scope: { status: 'statuses' } },
    customers: { fieldScopes: { email: 'pii:read' } },
  })
})
afterEach(() => site.close())

const ALL = ['exports:read', 'exports:write', 'exports:download']
const caller = (scopes: readonly string[], claims: Record<string, unknown> = { statuses: ['paid', 'sent'] }): Principal =>
  newPrincipal({ scopes, claims })
const page = { filter: {}, limit: 20, before: null }
const forbidden = { code: 'FORBIDDEN' }
const unknown = { code: 'NOT_FOUND', message: 'There is no export with this id.' }

describe('scopes', () => {
  it('a caller who may only read cannot create, start, interrupt, cancel, remove, estimate or download', async () => {
    const { id } = await createExport(site.context, caller(ALL), newExport('orders'))
    const reader = caller(['exports:read', 'exports:read:orders'])
    expect((await getExport(site.context, reader, id)).id).toBe(id)
    expect(await listEvents(site.context, reader, id, 0)).toHaveLength(1)
    expect((await listExports(site.context, reader, page)).jobs).toHaveLength(1)
    for (const verb of [startExport, interruptExport, cancelExport, removeExport]) {
      await expect(verb(site.context, reader, id), verb.name).rejects.toMatchObject(forbidden)
    }
    await expect(createExport(site.context, reader, newExport('orders'))).rejects.toMatchObject(forbidden)
    await expect(estimateExport(site.context, reader, newExport('orders').request)).rejects.toMatchObject(forbidden)
    const done = await complete(site, await getExport(site.context, reader, id))
    await expect(mintLink(site.context, reader, id, null)).rejects.toMatchObject(forbidden)
    await expect(mintArchiveLink(site.context, reader, id)).rejects.toMatchObject(forbidden)
    expect(standingLink(site.context, reader, done, site.clock.now)).toBeNull()
    expect(standingLink(site.context, caller(ALL), done, site.clock.now)).toContain('/links/')
  })

  it('a caller who may only write creates and changes, but sees and downloads nothing', async () => {
    const writer = caller(['exports:write'])
    const { id } = await createExport(site.context, writer, newExport('orders'))
    await expect(getExport(site.context, writer, id)).rejects.toMatchObject(forbidden)
    await expect(listExports(site.context, writer, page)).rejects.toMatchObject(forbidden)
    await expect(estimateExport(site.context, writer, newExport('orders').request)).rejects.toMatchObject(forbidden)
    expect(await interruptExport(site.context, writer, id)).toMatchObject({ status: 'interrupted' })
    expect(await waitForEnd(site.context, writer, id, 1, new AbortController().signal)).toMatchObject({ status: 'interrupted' })
    await removeExport(site.context, writer, id)
  })

  it('a caller without any scope may do nothing, and learns nothing of what there is', async () => {
    const { id } = await createExport(site.context, caller(ALL), newExport('orders'))
    for (const asked of [id, '0199a3b0-0000-7000-8000-000000000000', 'x']) {
      await expect(getExport(site.context, caller([]), asked)).rejects.toMatchObject(forbidden)
      await expect(cancelExport(site.context, caller(['other:scope']), asked)).rejects.toMatchObject(forbidden)
    }
  })

  it('of one resource hold for its exports only; those of another are unknown', async () => {
    const orders = await createExport(site.context, caller(ALL), newExport('orders'))
    const messages = await createExport(site.context, caller(ALL), newExport('messages'))
    const narrow = caller(['exports:read:messages', 'exports:write:messages'])
    expect((await getExport(site.context, narrow, messages.id)).id).toBe(messages.id)
    await expect(getExport(site.context, narrow, orders.id)).rejects.toMatchObject(unknown)
    await expect(cancelExport(site.context, narrow, orders.id)).rejects.toMatchObject(unknown)
    expect((await listExports(site.context, narrow, page)).jobs.map(({ id }) => id)).toEqual([messages.id])
    await expect(createExport(site.context, narrow, newExport('orders'))).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' })
  })

  it('that made a field readable are asked for again when the file is downloaded', async () => {
    const holder = caller([...ALL, 'pii:read'])
    const job = await complete(site, await createExport(site.context, holder, newExport('customers')))
    expect(await mintLink(site.context, holder, job.id, null)).toContain('/downloads/')
    await expect(mintLink(site.context, caller(ALL), job.id, null)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('pii:read'),
    })
    expect((await getExport(site.context, caller(ALL), job.id)).id).toBe(job.id)
  })
})

describe('rows by claims', () => {
  it('an export with rows that the caller may not see is unknown to them, with every verb and in the list', async () => {
    const wide = caller(ALL, { statuses: ['paid', 'sent'] })
    const narrowed = caller(ALL, { statuses: ['paid'] })
    const job = await complete(site, await createExport(site.context, wide, newExport('orders')))
    for (const verb of [getExport, startExport, interruptExport, cancelExport, removeExport, mintArchiveLink]) {
      await expect(verb(site.context, narrowed, job.id), verb.name).rejects.toMatchObject(unknown)
    }
    await expect(mintLink(site.context, narrowed, job.id, null)).rejects.toMatchObject(unknown)
    await expect(listEvents(site.context, narrowed, job.id, 0)).rejects.toMatchObject(unknown)
    expect((await listExports(site.context, narrowed, page)).jobs).toEqual([])
    expect(standingLink(site.context, narrowed, job, site.clock.now)).toBeNull()
    expect(await mintLink(site.context, wide, job.id, null)).toContain('/downloads/')
    expect((await site.store.get('acme', job.id))?.status).toBe('completed')
  })

  it('one whose claim is gone can do nothing with what they made themselves', async () => {
    const { id } = await createExport(site.context, caller(ALL), newExport('orders'))
    await expect(getExport(site.context, caller(ALL, {}), id)).rejects.toMatchObject(unknown)
    await expect(createExport(site.context, caller(ALL, {}), newExport('orders'))).rejects.toMatchObject(forbidden)
  })

  it("an idempotency key does not hand over another caller's export", async () => {
    const keyed = newExport('orders', { idempotency: { key: 'k', body: {} } })
    const wide = caller(ALL, { statuses: ['paid', 'sent'] })
    const { id } = await createExport(site.context, wide, keyed)
    expect((await createExport(site.context, wide, keyed)).id).toBe(id)
    const narrowed = caller(ALL, { statuses: ['paid'] })
    await expect(createExport(site.context, narrowed, keyed)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  })
})

describe('limits', () => {
  it('refuse to create and to start beyond them, with the time to wait, and store nothing', async () => {
    const limited = { ...site.context, limits: () => ({ waiting: 1, rowsPerDay: null, bytesPerDay: null }) }
    const { id } = await createExport(limited, caller(ALL), newExport('orders'))
    const refused = { code: 'RATE_LIMITED', details: { retryAfterSeconds: 10 } }
    await expect(createExport(limited, caller(ALL), newExport('orders'))).rejects.toMatchObject(refused)
    await interruptExport(limited, caller(ALL), id)
    await createExport(limited, caller(ALL), newExport('orders'))
    await expect(startExport(limited, caller(ALL), id)).rejects.toMatchObject(refused)
    expect((await listExports(limited, caller(ALL), page)).jobs).toHaveLength(2)
  })
})
