import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import { createKey, principalOf } from '../access/keys.ts'
import { createExport } from './create.ts'
import { interruptExport } from './interrupt.ts'
import { runRefusal } from './run-refusal.ts'
import { startExport } from './start.ts'

let site: ExportsSite
beforeEach(async () => {
  site = await openExportsSite()
})
afterEach(() => site.close())

const destination = {
  kind: 's3',
  bucket: 'exports',
  folder: 'x',
  region: 'eu-central-1',
  endpoint: null,
  credentials: { accessKey: 'a', secretKey: 's' },
} as const

it('an export runs under the rules that it was asked for under, or not at all', async () => {
  const job = await createExport(site.context, site.caller, newExport('orders'))
  expect(await runRefusal(site.context, site.store, job)).toBeNull()
  const masked = await openExportsSite({ orders: { masks: { status: 'partial' } } })
  const context = { ...site.context, catalog: () => masked.context.catalog() }
  expect(await runRefusal(context, site.store, job)).toMatchObject({ code: 'FORBIDDEN' })
  await interruptExport(site.context, site.caller, job.id)
  await expect(startExport(context, site.caller, job.id)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  expect(await startExport(site.context, site.caller, job.id)).toMatchObject({ status: 'pending' })
  await masked.close()
})

it('files are sent nowhere for a key that has been revoked; one that leaves them here still runs', async () => {
  const { key } = await createKey(site.store, { tenant: 'acme', name: 'x', mode: 'live' }, site.clock.now)
  const caller = { ...principalOf(key), address: null }
  const sent = await createExport(site.context, caller, newExport('orders', { destination }))
  const kept = await createExport(site.context, caller, newExport('orders'))
  expect(await runRefusal(site.context, site.store, sent)).toBeNull()
  await site.store.revokeKey(key.id, site.clock.now)
  expect(await runRefusal(site.context, site.store, sent)).toMatchObject({ code: 'FORBIDDEN' })
  expect(await runRefusal(site.context, site.store, kept)).toBeNull()
})
