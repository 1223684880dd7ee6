/** One POST to a receiver outside. Of its answer the head is read and nothing else, so that none can be too long or too slow. */
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import type { WebhookMessage } from './webhook.ts'

export interface Answered {
  readonly status: number
  /** As it was sent. */
  readonly retryAfter: string | null
}

/** Redirects are answers like any other: never followed. Rejects when there is no answer, or the signal aborts. */
export function post(url: string, { headers, body }: WebhookMessage, signal: AbortSignal): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>()
  const bytes = Buffer.from(body)
  const send = url.startsWith('https:') ? overHttps : overHttp
  // No agent: a connection that is not kept cannot be found dead at the next notice.
  const options = { method: 'POST', agent: false, signal, headers: { ...headers, 'content-length': bytes.length } }
  const request = send(url, options, (response) => {
    resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null })
    response.on('error', () => {})
    response.destroy()
  })
  request.on('error', reject)
  request.end(bytes)
  return promise
}
