/** A receiver outside, and what it is told in. Whoever gives notices their words (a wire protocol) makes one for each that is configured. */
import type { Notice } from '../job/notice.ts'

export interface Webhook {
  /** As in the configuration and in its notices. Its address may hold a secret, so this is what logs name. */
  readonly name: string
  /** https, or http on this machine. */
  readonly url: string
  /** Asked for each attempt: what must be fresh is made then. */
  message(notice: Notice): Promise<WebhookMessage>
}

export interface WebhookMessage {
  /** With `content-type`, and the signature of exactly this body. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
