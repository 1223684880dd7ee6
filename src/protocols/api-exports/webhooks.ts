/** What webhooks are told of exports, and in which words: the topic, the document and the signature that the vendor's receivers check. */
import { createHmac } from 'node:crypto'
import { linkForCreator } from '../../exports/creator-link.ts'
import { isServed } from '../../exports/served.ts'
import type { EventType, Job } from '../../job/job.ts'
import type { Notice, Notify } from '../../job/notice.ts'
import type { Webhook } from '../../webhooks/webhook.ts'
import type { WebhookSite } from '../protocol.ts'
import { exportDocument } from './document.ts'
import { PATH } from './routes.ts'
import type { ApiExportsConfig } from './settings.ts'
import { ATTACHMENT_MS } from './showing.ts'
import { EXPORT_ATTRIBUTES, viewExport } from './view.ts'
import { TOPICS, type Topic } from './webhook-settings.ts'

type Change = EventType | 'removed'

/** A run that begins is a start, also one that follows a fault: what the wire shows goes from `pending` to `in_progress`. */
function topicOf(change: Change, { interruptedAt }: Job): Topic | null {
  switch (change) {
    case 'created':
      return 'exports.create'
    case 'started':
      return 'exports.start'
    case 'completed':
      return 'exports.complete'
    case 'interrupted':
      return 'exports.interrupt'
    case 'cancelled':
      // On this wire it is interrupted, and was already where it had been interrupted before.
      return interruptedAt === null ? 'exports.interrupt' : null
    case 'failed':
      return 'exports.fail'
    case 'removed':
      return 'exports.destroy'
    default:
      return null
  }
}

export function notifyOf({ resources, webhooks = {} }: ApiExportsConfig): Notify {
  const types = new Map(Object.entries(resources).map(([type, resource]) => [resource, type]))
  const hooks = Object.entries(webhooks)
  return (job, change, at) => {
    const topic = topicOf(change, job)
    if (topic === null || !isServed(job, (resource) => types.has(resource))) return []
    const told = hooks.filter(([, { topics = TOPICS, tenant = job.tenant }]) => topics.includes(topic) && tenant === job.tenant)
    if (told.length === 0) return []
    const document = topic === 'exports.destroy' ? destroyed(job) : documentOf(job, at, types)
    return told.map(([webhook]) => ({ webhook, topic, document }))
  }
}

/** As an answer shows it, with addresses that begin at the root and the tenant beside the mode: so the vendor's messages have them. */
function documentOf(job: Job, now: Date, types: ReadonlyMap<string, string>) {
  const typeOf = (resource: string): string => types.get(resource) ?? resource
  const attributes = viewExport(job, { now, typeOf, attachmentUrl: null })
  const { data } = exportDocument({ job, attributes, entries: {} }, { include: [], fields: {} }, PATH)
  return { data: { ...data, meta: { ...data.meta, organization_id: job.tenant } } }
}

/** Of what is gone its id is told, and nothing else has a value. */
function destroyed({ shortId }: Job) {
  const attributes = Object.fromEntries(EXPORT_ATTRIBUTES.map((name) => [name, null]))
  return { data: { id: shortId, type: 'exports', attributes } }
}

export function webhooksOf({ webhooks = {} }: ApiExportsConfig, site: WebhookSite): Webhook[] {
  return Object.entries(webhooks).map(([name, { url, sharedSecret }]) => ({
    name,
    url,
    async message(notice) {
      const body = JSON.stringify(notice.topic === 'exports.complete' ? await withLink(notice, site) : notice.document)
      return {
        headers: {
          'content-type': 'application/json',
          'x-commercelayer-topic': notice.topic,
          'x-commercelayer-signature': createHmac('sha256', sharedSecret).update(body).digest('base64'),
        },
        body,
      }
    },
  }))
}

/** Minted for this attempt: the link lives for minutes, and a receiver may be away for hours. */
async function withLink({ document, tenant, jobId }: Notice, { context, keys, publicUrl }: WebhookSite) {
  // Written by `documentOf`.
  const { data } = document as ReturnType<typeof documentOf>
  const job = await context.store.get(tenant, jobId)
  const link = job && (await linkForCreator(context, keys, job, ATTACHMENT_MS))
  if (!link) return document
  return { data: { ...data, attributes: { ...data.attributes, attachment_url: `${publicUrl()}${link}` } } }
}
