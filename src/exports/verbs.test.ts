import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { complete, type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import type { Job } from '../job/job.ts'
import { cancelExport } from './cancel.ts'
import { createExport } from './create.ts'
import { listEvents } from './events.ts'
import { getExport } from './get.ts'
import { interruptExport } from './interrupt.ts'
import { listExports } from './list.ts'
import { removeExport } from './remove.ts'
import { startExport } from './start.ts'
import { waitForEnd } from './wait.ts'

const UNKNOWN = '0199a0b0-0000-7000-8000-000000000001'

describe("the callers' verbs", () => {
  let site: ExportsSite
  let job: Job
  beforeEach(async () => {
    site = await openExportsSite()
    job = await createExport(site.context, site.caller, newExport('orders'))
  })
  afterEach(() => site.close())

  it('interrupting takes a waiting job out of the queue, and starting puts it back', async () => {
    expect(await interruptExport(site.context, site.caller, job.id)).toMatchObject({ status: 'interrupted' })
    expect(site.context.queue.position(job.id)).toBeNull()
    expect(await startExport(site.context, site.caller, job.id)).toMatchObject({ status: 'pending' })
    expect(site.context.queue.position(job.id)).toBe(0)
  })

  it('interrupting or cancelling a running job stops its worker', async () => {
    for (const verb of [interruptExport, cancelExport]) {
      const running = await createExport(site.context, site.caller, newExport('orders'))
      const claims = [await site.context.queue.take(AbortSignal.timeout(5_000))]
      if (claims[0]?.jobId !== running.id) claims.push(await site.context.queue.take(AbortSignal.timeout(5_000)))
      const claim = claims.at(-1)
      await site.store.claim(running.id, site.clock.now)
      expect(claim?.signal.aborted).toBe(false)
      await verb(site.context, site.caller, running.id)
      expect(claim?.signal.aborted).toBe(true)
      for (const each of claims) each?.release()
    }
  })

  it('a verb that does not fit the status is refused and changes nothing', async () => {
    const done = await complete(site, job)
    for (const verb of [interruptExport, cancelExport, startExport]) {
      await expect(verb(site.context, site.caller, job.id)).rejects.toMatchObject({
        code: 'TRANSITION_ILLEGAL',
        details: { status: 'completed' },
      })
    }
    expect(await getExport(site.context, site.caller, job.id)).toEqual(done)
  })

  it('removing takes the record and the bytes, but never from under a run', async () => {
    await expect(removeExport(site.context, site.caller, job.id)).rejects.toMatchObject({ code: 'EXPORT_ACTIVE' })
    const { files } = await complete(site, job)
    const key = files[0]?.key ?? ''
    expect(await site.context.storage.stat(key)).not.toBeNull()
    await removeExport(site.context, site.caller, job.id)
    expect(await site.context.storage.stat(key)).toBeNull()
    await expect(getExport(site.context, site.caller, job.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it("another tenant's export, an unknown one and a malformed id are refused alike by every verb", async () => {
    const verbs = [
      (id: string) => getExport(site.context, site.stranger, id),
      (id: string) => interruptExport(site.context, site.stranger, id),
      (id: string) => cancelExport(site.context, site.stranger, id),
      (id: string) => startExport(site.context, site.stranger, id),
      (id: string) => removeExport(site.context, site.stranger, id),
      (id: string) => listEvents(site.context, site.stranger, id, 0),
    ]
    for (const verb of verbs) {
      for (const id of [job.id, UNKNOWN, job.id.toUpperCase(), `{${job.id}}`, '', '0', '-1', '../x', '\0', 'a'.repeat(10_000)]) {
        await expect(verb(id)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'There is no export with this id.' })
      }
    }
    expect((await getExport(site.context, site.caller, job.id)).status).toBe('pending')
  })

  it('a list shows the own exports, newest first, and goes on where it ended', async () => {
    const second = await createExport(site.context, site.caller, newExport('customers', { reference: 'r' }))
    await createExport(site.context, site.stranger, newExport('orders'))
    const page = await listExports(site.context, site.caller, { filter: {}, limit: 1, before: null })
    expect(page).toMatchObject({ jobs: [{ id: second.id }], nextBefore: second.id })
    const rest = await listExports(site.context, site.caller, { filter: {}, limit: 1, before: page.nextBefore })
    expect(rest).toMatchObject({ jobs: [{ id: job.id }], nextBefore: null })
    const found = await listExports(site.context, site.caller, { filter: { reference: 'r' }, limit: 10, before: null })
    expect(found.jobs.map(({ id }) => id)).toEqual([second.id])
  })

  it('events come in the order of what happened, after the one that is named', async () => {
    await interruptExport(site.context, site.caller, job.id)
    await startExport(site.context, site.caller, job.id)
    const events = await listEvents(site.context, site.caller, job.id, 0)
    expect(events.map(({ type }) => type)).toEqual(['created', 'interrupted', 'restarted'])
    const later = await listEvents(site.context, site.caller, job.id, events[0]?.seq ?? 0)
    expect(later).toEqual(events.slice(1))
  })

  it('waiting ends as soon as the export rests', async () => {
    const waiting = waitForEnd(site.context, site.caller, job.id, 25, new AbortController().signal)
    const done = await complete(site, job)
    expect(await waiting).toEqual(done)
  })

  it('waiting ends after the seconds that were given, or when nobody listens any more', async () => {
    const begun = performance.now()
    expect(await waitForEnd(site.context, site.caller, job.id, 0, new AbortController().signal)).toMatchObject({
      status: 'pending',
    })
    expect(await waitForEnd(site.context, site.caller, job.id, 25, AbortSignal.abort())).toMatchObject({ status: 'pending' })
    expect(performance.now() - begun).toBeLessThan(15_000)
  })

  it('waiting for an export that is not there ends at once', async () => {
    const waiting = waitForEnd(site.context, site.caller, UNKNOWN, 25, new AbortController().signal)
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
