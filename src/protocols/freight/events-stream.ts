/**
 * Server-Sent Events of one export (https://html.spec.whatwg.org/multipage/server-sent-events.html): its stored events with their
 * `seq` as id, so that a client resumes with Last-Event-ID, and between them `progress` messages that hold the export as
 * GET /exports/{id} shows it. The stream ends with the job.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { isVisible } from '../../exports/access.ts'
import type { ExportsContext } from '../../exports/context.ts'
import { FreightError } from '../../job/errors.ts'
import type { Job, JobEvent } from '../../job/job.ts'
import { viewEvent, viewExport } from './view.ts'

/** Beyond it a tenant's next stream is refused: each is an open socket and a read of the store per second. */
const STREAMS_PER_TENANT = 100

const RHYTHM = {
  /** `progress` comes at most so often. */
  progressMs: 500,
  /** Proxies cut connections that are silent for 30 to 60 s. */
  heartbeatMs: 15_000,
  /** A write by another process may not wake this one, and the queue moves without writing to the job. */
  rereadMs: 1_000,
  /** A client that has not read for so long is dropped. */
  stalledMs: 30_000,
}
export type Rhythm = typeof RHYTHM

export interface StreamRequest {
  readonly caller: Principal
  readonly job: Job
  /** `seq` of the last event the client has; 0 for none. */
  readonly afterSeq: number
  /** Rejects once the caller's key no longer counts. */
  reauthenticate(): Promise<Principal>
}

/** The open streams of one server. */
export class EventStreams {
  readonly #context: ExportsContext
  readonly #rhythm: Rhythm
  readonly #open = new Map<string, number>()
  readonly #stopping = new AbortController()

  constructor(context: ExportsContext, rhythm: Rhythm = RHYTHM) {
    this.#context = context
    this.#rhythm = rhythm
  }

  /** Ends every stream; clients come back to the next server with their Last-Event-ID. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Takes the reply over and resolves when the stream has ended. Throws RATE_LIMITED, with the reply untouched. */
  async serve(reply: FastifyReply, request: StreamRequest): Promise<void> {
    const { tenant } = request.caller
    const open = this.#open.get(tenant) ?? 0
    if (open >= STREAMS_PER_TENANT) {
      throw new FreightError(
        'RATE_LIMITED',
        `At most ${STREAMS_PER_TENANT} event streams may be open at once. Close one first.`,
        {
          details: { retryAfterSeconds: 5 },
        },
      )
    }
    this.#open.set(tenant, open + 1)
    try {
      const stream = new EventStream(this.#context, this.#rhythm, reply, request, this.#stopping.signal)
      await stream.run()
    } finally {
      const left = (this.#open.get(tenant) ?? 1) - 1
      if (left > 0) this.#open.set(tenant, left)
      else this.#open.delete(tenant)
    }
  }
}

/** `interrupted` is not among them: such a job may be started again while a client watches. */
function hasEnded({ status }: Job): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** Ended, and the client has everything: 204 then tells an EventSource not to come back (section 9.2.3 of the standard). */
export async function nothingMore(context: ExportsContext, { job, afterSeq }: StreamRequest): Promise<boolean> {
  return afterSeq > 0 && hasEnded(job) && (await context.store.events(job.id, afterSeq)).length === 0
}

class EventStream {
  readonly #context: ExportsContext
  readonly #rhythm: Rhythm
  readonly #reply: FastifyReply
  readonly #request: StreamRequest
  readonly #raw: ServerResponse
  readonly #closed = new AbortController()
  /** The client is gone, has stalled, or the server stops. */
  readonly #over: AbortSignal
  #lastSeq: number
  #lastProgress = { shown: '', at: Number.NEGATIVE_INFINITY }
  #lastWrite = performance.now()

  constructor(context: ExportsContext, rhythm: Rhythm, reply: FastifyReply, request: StreamRequest, stopping: AbortSignal) {
    this.#context = context
    this.#rhythm = rhythm
    this.#reply = reply
    this.#request = request
    this.#raw = reply.raw
    this.#over = AbortSignal.any([stopping, this.#closed.signal])
    this.#lastSeq = request.afterSeq
  }

  async run(): Promise<void> {
    this.#reply.hijack()
    this.#raw.once('close', () => this.#closed.abort())
    // A client may have gone while its request was looked at; then no `close` comes any more.
    if (this.#raw.destroyed) this.#closed.abort()
    // Hooks have set headers on the reply (request id, limits, helmet) that nobody else will write now.
    for (const [name, value] of Object.entries(this.#reply.getHeaders()))
      if (value !== undefined) this.#raw.setHeader(name, value)
    this.#raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would hold messages back until its buffer is full.
      'x-accel-buffering': 'no',
    })
    try {
      await this.#write('retry: 2000\n\n')
      await this.#follow()
      this.#raw.end()
    } catch (error) {
      // The head is sent, so there is no other way to say it than to break off; the client resumes.
      this.#reply.log.warn({ err: error }, 'an event stream broke off')
      this.#raw.destroy()
    }
  }

  async #follow(): Promise<void> {
    const { store } = this.#context
    const { job, caller } = this.#request
    while (!this.#over.aborted && this.#context.accepting()) {
      const turn = new AbortController()
      const ended = AbortSignal.any([this.#over, turn.signal])
      // Listening begins before reading, so a change in between is not missed.
      const changed = store.changed(job.id, this.#rhythm.rereadMs, ended)
      try {
        const principal = await this.#stillCalling()
        if (!principal) return
        const current = await store.get(caller.tenant, job.id)
        if (!current || !isVisible(this.#context, principal, current, 'read')) return
        await this.#writeEvents(current, await store.events(job.id, this.#lastSeq))
        if (hasEnded(current)) return
        const dueMs = await this.#writeProgress(current)
        await this.#writeHeartbeat()
        await Promise.race([changed, pause(dueMs, ended)])
      } finally {
        turn.abort()
        await changed
      }
    }
  }

  /** A revoked key sees nothing more: it is asked for at every turn, which is at least once a second. Null when it no longer counts. */
  async #stillCalling(): Promise<Principal | null> {
    try {
      return await this.#request.reauthenticate()
    } catch (thrown) {
      if (thrown instanceof FreightError && thrown.code === 'UNAUTHORIZED') return null
      throw thrown
    }
  }

  async #writeEvents(job: Job, events: readonly JobEvent[]): Promise<void> {
    for (const event of events) {
      // The event that ends the job carries it whole, so nobody has to ask again for the results.
      const ending = hasEnded(job) && event.type === job.status ? { export: this.#view(job) } : {}
      await this.#write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify({ ...viewEvent(event), ...ending })}\n\n`)
      this.#lastSeq = event.seq
    }
  }

  /** Milliseconds until a message that came too soon is due. */
  async #writeProgress(job: Job): Promise<number> {
    const view = this.#view(job)
    // The estimated completion moves with every look; only what the job itself says is news.
    const shown = JSON.stringify({ ...view, estimated_completion_at: null })
    if (shown === this.#lastProgress.shown) return this.#rhythm.rereadMs
    const sinceMs = performance.now() - this.#lastProgress.at
    if (sinceMs < this.#rhythm.progressMs) return this.#rhythm.progressMs - sinceMs
    this.#lastProgress = { shown, at: performance.now() }
    await this.#write(`event: progress\ndata: ${JSON.stringify(view)}\n\n`)
    return this.#rhythm.rereadMs
  }

  async #writeHeartbeat(): Promise<void> {
    if (performance.now() - this.#lastWrite >= this.#rhythm.heartbeatMs) await this.#write(': still here\n\n')
  }

  #view(job: Job) {
    return viewExport(job, { now: this.#context.now(), queuePosition: this.#context.queue.position(job.id) })
  }

  /** Holds the stream back while the client does not read, and gives it up when that lasts. */
  async #write(text: string): Promise<void> {
    if (this.#over.aborted) return
    this.#lastWrite = performance.now()
    if (this.#raw.write(text)) return
    try {
      await once(this.#raw, 'drain', { signal: AbortSignal.any([this.#over, AbortSignal.timeout(this.#rhythm.stalledMs)]) })
    } catch {
      this.#closed.abort()
      this.#raw.destroy()
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    // Ended early: whoever waits looks at the signal.
  }
}
