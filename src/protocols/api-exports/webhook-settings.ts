/** What the configuration says of receivers outside that are told what becomes of exports. */
import { checkName, type Place } from '../../config/place.ts'

/** The vendor's, and `exports.fail`, which it does not have: only who asks for that one is told. */
export const TOPICS = ['exports.create', 'exports.start', 'exports.complete', 'exports.interrupt', 'exports.destroy'] as const
const ALL_TOPICS = [...TOPICS, 'exports.fail'] as const
export type Topic = (typeof ALL_TOPICS)[number]

export interface ApiExportsWebhookConfig {
  /** An https address; http only on this machine. */
  readonly url: string
  /** What messages are signed with: at least 16 characters. */
  readonly sharedSecret: string
  /** Default: the five that the vendor has. */
  readonly topics?: readonly Topic[]
  /** Whose exports it is told of; everyone's when absent. */
  readonly tenant?: string
}

/** As many as an address may be long wherever it passes. */
const LONGEST_URL = 2_000
const SHORTEST_SECRET = 16

export function checkWebhooks(place: Place, value: unknown): Readonly<Record<string, ApiExportsWebhookConfig>> {
  return place.map(value, (at, member, name) => {
    checkName(at, name)
    const { url, sharedSecret, topics, tenant } = at.object(member, ['url', 'sharedSecret', 'topics', 'tenant'])
    return {
      url: checkUrl(at.at('url'), url),
      sharedSecret: checkSecret(at.at('sharedSecret'), sharedSecret),
      ...(topics === undefined ? {} : { topics: checkTopics(at.at('topics'), topics) }),
      ...(tenant === undefined ? {} : { tenant: at.at('tenant').text(tenant) }),
    }
  })
}

/** Exports tell of customers and prices: on the way only who may read them should. */
function checkUrl(place: Place, value: unknown): string {
  const text = place.text(value)
  const url = text.length <= LONGEST_URL && URL.canParse(text) ? new URL(text) : null
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (!url || url.username || url.password || url.hash || !(url.protocol === 'https:' || isLocal)) {
    throw place.invalid('must be an https address without user and fragment (http only for 127.0.0.1, [::1] and localhost).')
  }
  return url.href
}

function checkSecret(place: Place, value: unknown): string {
  const secret = place.text(value)
  if (secret.length >= SHORTEST_SECRET) return secret
  throw place.invalid(`must have at least ${SHORTEST_SECRET} characters, for example from "openssl rand -hex 16".`)
}

function checkTopics(place: Place, value: unknown): readonly Topic[] {
  place.texts(value)
  const topics = value as readonly unknown[]
  if (topics.length === 0) throw place.invalid('must name at least one topic; leave it out for all of them.')
  return topics.map((topic, index) => place.at(String(index)).oneOf(topic, ALL_TOPICS, 'topic') as Topic)
}
