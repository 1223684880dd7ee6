/**
 * Tells webhooks what they are to be told: takes due notices from the store, posts them, and tries again what was not taken.
 *
 * At least once: a notice leaves the store when a receiver has taken it, so one that was taken just before the process died is sent again, under
 * the same id. Each webhook is served by itself, so that a dead one holds up no other, and no export waits for any.
 */
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Notice } from '../job/notice.ts'
import type { NoticeStore } from '../store/store.ts'
import { type Patience, retryAfterMs } from './patience.ts'
import { type Answered, post } from './post.ts'
import type { Webhook } from './webhook.ts'

/** Notices of different jobs that are on their way to one receiver at once. */
const AT_ONCE = 4
/** Beyond the time for an answer: what a claim outlasts, so that nothing is taken for lost while it is on its way. */
const CLAIM_MARGIN_MS = 25_000

export interface SenderParts {
  readonly store: NoticeStore
  readonly webhooks: readonly Webhook[]
  readonly patience: Patience
  readonly now: () => Date
  readonly log: Pick<Logger, 'debug' | 'warn' | 'error'>
}

export interface Sender {
  /** Attempts under way are given a moment, then broken off and not counted. Resolves when nothing goes on any more. */
  stop(): Promise<void>
}

/** For a process that knows it is alone with the store: what another had claimed when it died is due at once. */
export async function startSender(parts: SenderParts): Promise<Sender> {
  const stopping = new AbortController()
  const breakingOff = new AbortController()
  await parts.store.recallNotices(parts.now())
  const lines = parts.webhooks.map((webhook) => new Line(parts, webhook, stopping.signal, breakingOff.signal).serve())
  return {
    async stop() {
      stopping.abort()
      const over = new AbortController()
      const grace = setTimeout(parts.patience.stopMs, null, { signal: over.signal }).catch(() => null)
      await Promise.race([Promise.all(lines), grace])
      over.abort()
      breakingOff.abort()
      await Promise.all(lines)
    },
  }
}

type Outcome =
  | { readonly kind: 'taken' | 'broken off' }
  | { readonly kind: 'refused'; readonly reason: string; readonly notBeforeMs: number; readonly isGone: boolean }

/** One webhook's. */
class Line {
  readonly #parts: SenderParts
  readonly #webhook: Webhook
  readonly #stopping: AbortSignal
  readonly #breakingOff: AbortSignal
  readonly #underWay = new Set<Promise<void>>()
  #freed = Promise.withResolvers<void>()
  /** In a row, of whatever notices. */
  #failures = 0
  #restsUntil = 0

  constructor(parts: SenderParts, webhook: Webhook, stopping: AbortSignal, breakingOff: AbortSignal) {
    this.#parts = parts
    this.#webhook = webhook
    this.#stopping = stopping
    this.#breakingOff = breakingOff
  }

  /** Until stopped; never rejects. */
  async serve(): Promise<void> {
    while (!this.#stopping.aborted) {
      this.#freed = Promise.withResolvers<void>()
      const free = this.#free()
      const notices = free > 0 ? await this.#claim(free) : []
      for (const notice of notices) this.#begin(notice)
      // With all that could be taken under way, only an end makes room; else something new may have become due.
      if (notices.length < free || free === 0) await this.#pause()
    }
    await Promise.all(this.#underWay)
  }

  #begin(notice: Notice): void {
    const sending = this.#send(notice).finally(() => {
      this.#underWay.delete(sending)
      this.#freed.resolve()
    })
    this.#underWay.add(sending)
  }

  #free(): number {
    if (this.#failures < this.#parts.patience.restAfter && this.#restsUntil === 0) return AT_ONCE - this.#underWay.size
    return this.#underWay.size === 0 && this.#parts.now().getTime() >= this.#restsUntil ? 1 : 0
  }

  async #pause(): Promise<void> {
    const over = new AbortController()
    const signal = AbortSignal.any([this.#stopping, over.signal])
    const look = setTimeout(this.#parts.patience.lookMs, null, { signal }).catch(() => null)
    await Promise.race([look, this.#freed.promise])
    over.abort()
  }

  async #claim(limit: number): Promise<readonly Notice[]> {
    const { store, patience, log } = this.#parts
    const now = this.#parts.now()
    const until = new Date(now.getTime() + patience.answerMs + CLAIM_MARGIN_MS)
    return store.claimNotices(this.#webhook.name, { now, until, limit }).catch((error: unknown) => {
      log.warn({ webhook: this.#webhook.name, err: error }, 'notices could not be claimed yet')
      return []
    })
  }

  /** Never rejects: what could not be recorded is due again when its claim is over. */
  async #send(notice: Notice): Promise<void> {
    const outcome = await this.#attempt(notice)
    try {
      await this.#record(notice, outcome)
    } catch (error) {
      this.#parts.log.warn(
        { ...this.#named(notice), err: error },
        'what became of a notice could not be recorded; it is sent again',
      )
    }
  }

  async #attempt(notice: Notice): Promise<Outcome> {
    const { patience } = this.#parts
    const late = AbortSignal.timeout(patience.answerMs)
    try {
      const { headers, body } = await this.#webhook.message(notice)
      const timestamp = String(Math.floor(this.#parts.now().getTime() / 1000))
      const named = { ...headers, 'user-agent': 'freight', 'webhook-id': notice.id, 'webhook-timestamp': timestamp }
      return this.#judged(await post(this.#webhook.url, { headers: named, body }, AbortSignal.any([late, this.#breakingOff])))
    } catch (error) {
      if (this.#breakingOff.aborted) return { kind: 'broken off' }
      return { kind: 'refused', reason: late.aborted ? 'no answer in time' : codeOf(error), notBeforeMs: 0, isGone: false }
    }
  }

  #judged({ status, retryAfter }: Answered): Outcome {
    if (status >= 200 && status < 300) return { kind: 'taken' }
    const asked = retryAfterMs(retryAfter, this.#parts.now()) ?? 0
    const notBeforeMs = Math.min(asked, this.#parts.patience.longestMs)
    return { kind: 'refused', reason: `HTTP ${status}`, notBeforeMs, isGone: status === 410 }
  }

  async #record(notice: Notice, outcome: Outcome): Promise<void> {
    const { store, now, log } = this.#parts
    if (outcome.kind === 'broken off') return store.returnNotice(notice.id, now())
    if (outcome.kind === 'refused') return this.#refused(notice, outcome)
    this.#failures = 0
    this.#restsUntil = 0
    log.debug(this.#named(notice), 'webhook told')
    await store.removeNotice(notice.id)
  }

  async #refused(notice: Notice, { reason, notBeforeMs, isGone }: Outcome & { kind: 'refused' }): Promise<void> {
    const { store, now, log, patience } = this.#parts
    const at = now().getTime()
    this.#failures += 1
    if (isGone) this.#restsUntil = Number.POSITIVE_INFINITY
    else if (this.#failures >= patience.restAfter) this.#restsUntil = at + patience.restMs
    if (isGone || notice.attempts >= patience.attempts) {
      log.error(
        { ...this.#named(notice), reason },
        isGone ? 'webhook is gone; it is left alone until the next start' : 'webhook not told; given up',
      )
      return store.removeNotice(notice.id)
    }
    const delayMs = Math.max(patience.delayMs(notice.attempts), notBeforeMs)
    log.warn({ ...this.#named(notice), reason, againInSeconds: Math.round(delayMs / 1000) }, 'webhook not told yet')
    await store.postponeNotice(notice.id, new Date(at + delayMs))
  }

  #named({ id, jobId, topic, attempts }: Notice) {
    return { webhook: this.#webhook.name, notice: id, job: jobId, topic, attempt: attempts }
  }
}

/** The code alone: messages of connections may name addresses, which may hold a secret. */
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : String(name)
}
