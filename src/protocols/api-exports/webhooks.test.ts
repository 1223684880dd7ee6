/** Which changes of which jobs are told, to whom and as what; the messages themselves are sent in `test/promises/webhooks.test.ts`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { at, completionOf, fault, found, jobId, newJob, newRequest } from '../../../test/contracts/sample-job.ts'
import type { Notice } from '../../job/notice.ts'
import { openSqliteStore } from '../../store/sqlite-store.ts'
import type { Store } from '../../store/store.ts'
import { notifyOf } from './webhooks.ts'

const hook = { url: 'https://crm.example', sharedSecret: 'a secret of both sides' }
const ID = jobId(1)

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-told-'))
  const notify = notifyOf({
    resources: { sales: 'orders', people: 'customers' },
    webhooks: {
      usual: hook,
      failures: { ...hook, topics: ['exports.fail', 'exports.destroy'] },
      theirs: { ...hook, tenant: 'globex' },
    },
  })
  store = await openSqliteStore(join(folder, 'freight.db'), notify)
  await store.migrate()
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

/** Everything that a webhook is to be told, in order. */
async function told(webhook: string): Promise<Notice[]> {
  const all: Notice[] = []
  for (;;) {
    const notices = await store.claimNotices(webhook, { now: at(1_000), until: at(2_000), limit: 100 })
    if (notices.length === 0) return all
    for (const notice of notices) await store.removeNotice(notice.id)
    all.push(...notices)
  }
}
const shownOf = ({ topic, document }: Notice): unknown[] => {
  const { data } = document as { data: { attributes: { status: string | null } } }
  return [topic, data.attributes.status]
}

it('an export is told of as the wire shows it at that moment, a failure only to who asks for it', async () => {
  await store.create(newJob(1), null)
  await store.claim(ID, at(2))
  await store.interrupt('acme', ID, at(3))
  await store.interrupt('acme', ID, at(3))
  await store.start('acme', ID, at(4))
  await store.claim(ID, at(5))
  await store.retry(ID, 2, fault, at(6), at(6))
  await store.amend('acme', ID, { reference: 'r' }, at(6))
  await store.claim(ID, at(7))
  await store.fail(ID, 3, fault, [], at(8))
  await store.start('acme', ID, at(9))
  const job = found(await store.claim(ID, at(10)))
  await store.complete(ID, 4, completionOf(job, at(11), at(20)))
  await store.filesRemoved(ID, at(21))
  await store.remove('acme', ID, null, at(22))
  expect((await told('usual')).map(shownOf)).toEqual([
    ['exports.create', 'pending'],
    ['exports.start', 'in_progress'],
    ['exports.interrupt', 'interrupted'],
    ['exports.start', 'in_progress'],
    ['exports.start', 'in_progress'],
    ['exports.start', 'in_progress'],
    ['exports.complete', 'completed'],
    ['exports.destroy', null],
  ])
  const [failure, ...others] = await told('failures')
  expect(others.map(shownOf)).toEqual([['exports.destroy', null]])
  expect(failure?.document).toMatchObject({
    data: {
      id: '0000000001',
      type: 'exports',
      links: { self: '/api/exports/0000000001' },
      attributes: {
        resource_type: 'sales',
        status: 'failed',
        errors_log: { SOURCE_FAILED: fault.message },
        attachment_url: null,
      },
      meta: { mode: 'live', organization_id: 'acme' },
    },
  })
  expect(await told('theirs')).toEqual([])
})

it('a cancellation is an interruption here, unless it was interrupted before', async () => {
  await store.create(newJob(1), null)
  await store.cancel('acme', ID, at(2))
  await store.create(newJob(2), null)
  await store.interrupt('acme', jobId(2), at(3))
  await store.cancel('acme', jobId(2), at(4))
  const interrupts = (await told('usual')).filter(({ topic }) => topic === 'exports.interrupt')
  expect(interrupts.map((notice) => [notice.jobId, ...shownOf(notice)])).toEqual([
    [ID, 'exports.interrupt', 'interrupted'],
    [jobId(2), 'exports.interrupt', 'interrupted'],
  ])
})

it('whoever is told of one tenant hears of no other, and nobody of what this wire does not serve', async () => {
  await store.create(newJob(1, { tenant: 'globex', mode: 'test' }), null)
  await store.create(newJob(2, { request: newRequest('orders', 'secrets') }), null)
  await store.create(newJob(3, { request: newRequest('customers', 'orders') }), null)
  expect(
    (await told('theirs')).map(({ jobId: id, document }) => [id, (document as { data: { meta: unknown } }).data.meta]),
  ).toEqual([[ID, { mode: 'test', organization_id: 'globex' }]])
  expect((await told('usual')).map((notice) => notice.jobId)).toEqual([ID, jobId(3)])
})
