/**
 * One job tells one story: it is driven through its whole life, and at each step read through the own API and every wire protocol that serves
 * its resource, on one server.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiExportsProtocol } from '../../src/protocols/api-exports/protocol.ts'
import { clientsExport } from '../../src/protocols/clients-export/clients-export.ts'
import { contentExport } from '../../src/protocols/content-export/content-export.ts'
import { v1Exports } from '../../src/protocols/v1-exports/v1-exports.ts'
import { completionOf, fault } from '../contracts/sample-job.ts'
import { openProtocolSite, type ProtocolSite } from '../protocol-site.ts'

/** As much of a resource as each protocol must find in it. */
const ROWS = {
  id: 'integer',
  tenant_id: 'text',
  name: 'text',
  status: 'text',
  direction: 'text',
  endpoint_id: 'text',
  inbound_endpoint_id: 'text',
  created_at: 'timestamp',
} as const

let site: ProtocolSite
beforeAll(async () => {
  const part = { resource: 'rows', portal: 'name' }
  site = await openProtocolSite({
    tables: { rows: ROWS },
    protocols: (mount) => [
      v1Exports({ resource: 'rows' }, mount),
      clientsExport({ resource: 'rows', waitSeconds: 0.01 }, mount),
      contentExport({ portals: part, topics: part, articles: part }, mount),
      apiExportsProtocol({ resources: { rows: 'rows' } }, mount),
    ],
  })
})
afterAll(() => site.close())

interface Told {
  readonly status: string
  /** Rows so far; null where the wire does not tell in this status. */
  readonly rows: number | null
  /** Whether there is a file to be had, where the wire tells. */
  readonly file: boolean | null
}

async function told(id: string): Promise<Record<string, Told>> {
  const own = (await site.ask(`/exports/${id}`)).body
  const short = (await site.store.find(id))?.shortId
  const api = (await site.ask(`/api/exports/${short}`, { headers: { accept: 'application/vnd.api+json' } })).body.data.attributes
  const path = `/knowledge/portalmgr/v4/content/export/${id.toUpperCase()}/status`
  const content = (await site.ask(path, { headers: { 'accept-language': 'en-US' } })).body
  const clients = (await site.ask(`/tenants/acme/clients/export/csv/${id}`)).body
  const v1 = (await site.ask(`/v1/exports/${id}`)).body.data
  const v1Download = await site.ask(`/v1/exports/${id}/download`)
  return {
    own: { status: own.status, rows: own.progress.processed, file: (await site.ask(`/exports/${id}/file`)).status === 302 },
    'api-exports': { status: api.status, rows: api.processed_count, file: api.attachment_url !== null },
    'content-export': { status: content.status, rows: content.progress?.processed ?? null, file: null },
    'clients-export': { status: clients.status, rows: clients.processedItems, file: clients.downloadUrl !== null },
    'v1-exports': { status: v1.status, rows: v1.row_count ?? null, file: v1Download.status === 302 },
  }
}

/** What each is expected to tell, in the order of `told`; a dash for what the wire does not tell. */
async function expectStory(id: string, statuses: string, rows: string, file: boolean): Promise<void> {
  const story = await told(id)
  const of = (tell: (each: Told) => unknown): string =>
    Object.values(story)
      .map((each) => String(tell(each) ?? '-'))
      .join(' | ')
  expect(of((each) => each.status)).toBe(statuses)
  expect(of((each) => each.rows)).toBe(rows)
  for (const [name, each] of Object.entries(story)) if (each.file !== null) expect([name, each.file]).toEqual([name, file])
}

const PENDING = 'pending | pending | Pending | Queued | pending'
const RUNNING = 'in_progress | in_progress | In Progress | InProgress | processing'

describe('one job through five APIs', () => {
  const progress = (processed: number) => {
    return { processed, total: 120, totalIsEstimate: false, rowsPerSecond: 10, at: site.clock.now, reached: 0 }
  }

  it('waits, runs, is interrupted, starts again, completes and expires', async () => {
    const { id } = await site.given({ number: 1, status: 'pending', resource: 'rows' })
    await expectStory(id, PENDING, '0 | 0 | - | 0 | -', false)
    await site.store.claim(id, site.clock.now)
    await site.store.progress(id, 1, progress(60))
    await expectStory(id, RUNNING, '60 | 60 | 60 | 60 | -', false)
    expect((await site.ask(`/exports/${id}/interrupt`, { method: 'POST' })).status).toBe(200)
    await expectStory(id, 'interrupted | interrupted | Pending | Queued | pending', '60 | 60 | - | 0 | -', false)
    expect((await site.ask(`/exports/${id}/start`, { method: 'POST' })).status).toBe(200)
    await expectStory(id, PENDING, '0 | 0 | - | 0 | -', false)
    const again = await site.store.claim(id, site.clock.now)
    await site.store.progress(id, 2, progress(30))
    await expectStory(id, RUNNING, '30 | 30 | 30 | 30 | -', false)
    const now = site.clock.now
    await site.store.complete(id, 2, completionOf({ id, run: again?.run ?? 0 }, now, new Date(now.getTime() + 1_000)))
    await expectStory(id, 'completed | completed | Successful | Completed | completed', '120 | 120 | 120 | 120 | 120', true)
    site.clock.now = new Date(now.getTime() + 1_000)
    await expectStory(id, 'expired | completed | Successful | Completed | expired', '120 | 120 | 120 | 120 | 120', false)
    site.clock.now = now
  })

  it('fails, and starts again', async () => {
    const { id } = await site.given({ number: 2, status: 'in_progress', resource: 'rows' })
    await site.store.progress(id, 1, progress(60))
    await site.store.fail(id, 1, fault, [], site.clock.now)
    await expectStory(id, 'failed | failed | Failed | Failed | failed', '60 | 60 | 60 | 60 | -', false)
    expect((await site.ask(`/exports/${id}/start`, { method: 'POST' })).status).toBe(200)
    await expectStory(id, PENDING, '0 | 0 | - | 0 | -', false)
  })

  it('is cancelled, which two of the wires have no word for', async () => {
    const { id } = await site.given({ number: 3, status: 'in_progress', resource: 'rows' })
    expect((await site.ask(`/exports/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    await expectStory(id, 'cancelled | interrupted | Failed | Cancelled | failed', '0 | 0 | 0 | 0 | -', false)
  })
})
