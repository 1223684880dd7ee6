import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { complete, newExport } from '../../../test/exports-site.ts'
import { type ApiSite, openApiSite } from '../../../test/freight-api.ts'
import { createExport } from '../../exports/create.ts'
import type { Job } from '../../job/job.ts'
import { EventStreams, type Rhythm } from './events-stream.ts'

interface Message {
  readonly id: string | null
  readonly event: string | null
  readonly data: Record<string, unknown>
  readonly at: number
}

/** Reads Server-Sent Events as the standard's parser would. */
class Reader {
  readonly messages: Message[] = []
  readonly comments: string[] = []
  readonly ended: Promise<void>
  readonly #wakers = new Set<() => void>()

  constructor(response: Response) {
    this.ended = this.#read(response.body ?? new ReadableStream())
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true })
      const blocks = rest.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) this.#take(block)
      for (const wake of this.#wakers) wake()
    }
    if (rest !== '') throw new Error('the stream ended within a message')
  }

  #take(block: string): void {
    if (block.startsWith(':')) this.comments.push(block)
    const field = (name: string): string | null => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null
    const data = field('data')
    if (data !== null)
      this.messages.push({ id: field('id'), event: field('event'), data: JSON.parse(data), at: performance.now() })
  }

  async until(found: () => boolean): Promise<void> {
    while (!found()) await new Promise<void>((resolve) => this.#wakers.add(resolve))
  }

  get events(): (string | null)[] {
    return this.messages.filter(({ event }) => event !== 'progress').map(({ event }) => event)
  }

  has(event: string): boolean {
    return this.messages.some((message) => message.event === event)
  }
}

describe('the event stream of an export', () => {
  let api: ApiSite
  let job: Job
  let url: string
  beforeEach(async () => {
    api = await openApiSite()
    job = await createExport(api.context, api.caller, newExport('orders'))
    url = await api.app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterEach(async () => {
    // fetch opens sockets in advance that never carry a request; a closing server would wait for them.
    api.app.server.closeAllConnections()
    await api.close()
  })

  const open = async (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/exports/${job.id}/events`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${api.key}`, ...headers },
    })

  it('tells what has happened and what happens, shows the export between, and ends with it', async () => {
    const response = await open()
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    const reader = new Reader(response)
    await reader.until(() => reader.has('progress'))
    expect(reader.messages.map(({ event }) => event)).toEqual(['created', 'progress'])
    expect(reader.messages[1]).toMatchObject({ id: null, data: { id: job.id, status: 'pending', queue_position: 0 } })
    await complete(api, job)
    await reader.ended
    expect(reader.events).toEqual(['created', 'started', 'completed'])
    expect(reader.messages.at(-1)).toMatchObject({
      event: 'completed',
      data: { type: 'completed', attempt: 1, export: { status: 'completed', manifest: { files: [{ name: 'orders.csv' }] } } },
    })
  })

  it('goes on after the last event that the client has, and after the end has nothing more', async () => {
    await complete(api, job)
    const all = await api.store.events(job.id, 0)
    const later = new Reader(await open({ 'last-event-id': String(all[0]?.seq) }))
    await later.ended
    expect(later.messages.map(({ id }) => id)).toEqual(all.slice(1).map(({ seq }) => String(seq)))
    const ended = await open({ 'last-event-id': String(all.at(-1)?.seq) })
    expect([ended.status, await ended.text()]).toEqual([204, ''])
  })

  it('shows progress at most twice a second, however often it is stored', async () => {
    const reader = new Reader(await open())
    await api.store.claim(job.id, api.clock.now)
    const begun = performance.now()
    const until = begun + 1_300
    for (let processed = 1; performance.now() < until; processed += 1) {
      await api.store.progress(job.id, 1, {
        processed,
        total: 100_000,
        totalIsEstimate: false,
        rowsPerSecond: 10,
        reached: 0,
        at: new Date(processed),
      })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const shown = reader.messages.filter(({ event }) => event === 'progress')
    expect(shown.length).toBeGreaterThanOrEqual(2)
    expect(shown.length).toBeLessThanOrEqual((performance.now() - begun) / 500 + 1)
    await api.store.cancel('acme', job.id, api.clock.now)
    await reader.ended
  })

  it('stays open while the export is interrupted, for it may be started again', async () => {
    await api.store.interrupt('acme', job.id, api.clock.now)
    const reader = new Reader(await open())
    await reader.until(() => reader.has('interrupted') && reader.has('progress'))
    await api.store.start('acme', job.id, api.clock.now)
    await api.store.cancel('acme', job.id, api.clock.now)
    await reader.ended
    expect(reader.events).toEqual(['created', 'interrupted', 'restarted', 'cancelled'])
  })

  it('ends when the export is removed', async () => {
    await api.store.interrupt('acme', job.id, api.clock.now)
    const reader = new Reader(await open())
    await reader.until(() => reader.has('progress'))
    await api.store.remove('acme', job.id)
    await reader.ended
    expect((await open()).status).toBe(404)
  })

  it('ends soon when the key is revoked', async () => {
    const reader = new Reader(await open())
    await reader.until(() => reader.has('progress'))
    const begun = performance.now()
    await api.store.revokeKey(api.key.slice(9, 21), api.clock.now)
    await reader.ended
    expect(performance.now() - begun).toBeLessThan(15_000)
  })

  it('ends at once when the server stops, and holds it up no longer', async () => {
    const reader = new Reader(await open())
    await reader.until(() => reader.has('progress'))
    const begun = performance.now()
    await Promise.all([api.app.close(), reader.ended])
    expect(performance.now() - begun).toBeLessThan(15_000)
  })

  it('is refused beyond 100 of a tenant, which takes nothing from another, and is free again once one is closed', async () => {
    const closing = new AbortController()
    const streams = await Promise.all(
      Array.from({ length: 100 }, () =>
        fetch(`${url}/exports/${job.id}/events`, {
          headers: { accept: 'text/event-stream', authorization: `Bearer ${api.key}` },
          signal: closing.signal,
        }),
      ),
    )
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]))
    const refused = await open()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
    expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED' })
    const theirs = await createExport(api.context, api.stranger, newExport('orders'))
    const other = new AbortController()
    const allowed = await fetch(`${url}/exports/${theirs.id}/events`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${api.otherKey}` },
      signal: other.signal,
    })
    expect(allowed.status).toBe(200)
    other.abort()
    closing.abort()
    let again = await open()
    while (again.status === 429) again = await open()
    expect(again.status).toBe(200)
    await again.body?.cancel()
  })
})

describe('the rhythm of an event stream', () => {
  let api: ApiSite
  let job: Job
  let app: FastifyInstance
  let port: number
  const serve = async (rhythm: Rhythm): Promise<void> => {
    app = Fastify()
    const streams = new EventStreams(api.context, rhythm)
    app.addHook('preClose', async () => streams.stop())
    app.get('/', async (_request, reply) => {
      await streams.serve(reply, { caller: api.caller, job, afterSeq: 0, reauthenticate: async () => api.caller })
      return reply
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    port = (app.server.address() as AddressInfo).port
  }
  beforeEach(async () => {
    api = await openApiSite()
    job = await createExport(api.context, api.caller, newExport('orders'))
  })
  afterEach(async () => {
    await app.close()
    await api.close()
  })

  it('has a comment now and then while nothing happens, so that no proxy cuts it', async () => {
    await serve({ progressMs: 500, heartbeatMs: 40, rereadMs: 20, stalledMs: 1_000 })
    const reader = new Reader(await fetch(`http://127.0.0.1:${port}/`))
    await reader.until(() => reader.comments.length >= 3)
    expect(reader.messages).toHaveLength(2)
  })

  it('drops a client that does not read, after holding the stream back', async () => {
    for (let n = 0; n < 200; n += 1) await api.store.addEvent(job.id, 'linked', api.clock.now, { text: 'x'.repeat(100_000) })
    await serve({ progressMs: 500, heartbeatMs: 1_000, rereadMs: 100, stalledMs: 200 })
    const socket = connect(port, '127.0.0.1')
    socket.pause()
    socket.on('error', () => {})
    const [accepted] = await Promise.all([once(app.server, 'connection'), once(socket, 'connect')])
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const server = accepted[0]
    await once(server, 'close')
    // What the kernel's buffers took, and not the 20 MB that there were to send.
    expect(server.bytesWritten).toBeLessThan(15_000_000)
    socket.destroy()
  })
})
