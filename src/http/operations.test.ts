import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newPrincipal } from '../../test/callers.ts'
import { type HttpSite, openHttpSite } from '../../test/http-site.ts'
import { withDifferences } from '../../test/with-differences.ts'
import { FreightError } from '../job/errors.ts'
import { refuseWhenBlocked } from './limits.ts'
import { answerErrors, ErrorForms } from './problems.ts'

let site: HttpSite
let ready = true
beforeAll(async () => {
  site = await openHttpSite({ ready: () => ready })
})
afterAll(() => site.close())

describe('health', () => {
  it('is ready, and not while draining, though alive', async () => {
    expect((await site.app.inject('/readyz')).json()).toEqual({ status: 'ready' })
    ready = false
    const draining = await site.app.inject('/readyz')
    expect(draining.statusCode).toBe(503)
    expect(draining.json().code).toBe('SHUTTING_DOWN')
    expect((await site.app.inject('/healthz')).statusCode).toBe(200)
    ready = true
  })

  it('is not ready when the store or the storage does not answer, and says only which', async () => {
    let storageFault: Error | null = null
    let checks = 0
    const failing = await openHttpSite()
    const { context, store } = failing
    const clock = failing.clock
    const broken = await openHttpSite({
      context: {
        ...context,
        now: () => clock.now,
        storage: withDifferences(context.storage, {
          check: async () => {
            checks += 1
            if (storageFault) throw storageFault
          },
        }),
      },
      jobs: store,
    })
    try {
      expect((await broken.app.inject('/readyz')).statusCode).toBe(200)
      storageFault = new Error('EROFS: read-only file system, open /var/lib/freight/canary')
      expect((await broken.app.inject('/readyz')).statusCode).toBe(200)
      expect(checks).toBe(1)
      clock.now = new Date(clock.now.getTime() + 5_000)
      const answer = await broken.app.inject('/readyz')
      expect({ status: answer.statusCode, code: answer.json().code }).toEqual({ status: 503, code: 'STORAGE_UNAVAILABLE' })
      expect(answer.body).not.toContain('canary')
      await store.close()
      const closed = await broken.app.inject('/readyz')
      expect({ status: closed.statusCode, code: closed.json().code }).toEqual({ status: 503, code: 'STORE_BUSY' })
      expect((await broken.app.inject('/healthz')).statusCode).toBe(200)
    } finally {
      await broken.close()
      await failing.app.close()
      await rm(failing.folder, { recursive: true, force: true })
    }
  })
})

describe('metrics', () => {
  it('count jobs, the age of the queue, runs, rows, bytes, the error of the estimate and requests', async () => {
    const created = await site.app.inject({
      method: 'POST',
      url: '/exports',
      headers: { authorization: `Bearer ${site.key}`, 'content-type': 'application/json' },
      payload: '{"resource":"orders"}',
    })
    expect(created.statusCode).toBe(201)
    site.metrics.observeRun({
      resource: 'orders',
      outcome: 'completed',
      rows: 100,
      bytes: 4_000,
      seconds: 2,
      etaErrors: { 50: 0.04, 90: 0.3 },
    })
    site.metrics.observeRun({ resource: 'orders', outcome: 'failed', rows: 7, bytes: 9, seconds: 1, etaErrors: {} })
    site.clock.now = new Date(site.clock.now.getTime() + 42_000)
    const answer = await site.app.inject('/metrics')
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    for (const line of [
      'freight_jobs{status="pending"} 1',
      'freight_jobs{status="completed"} 0',
      'freight_queue_oldest_pending_seconds 42',
      'freight_rows_total{resource="orders"} 100',
      'freight_bytes_total{resource="orders"} 4000',
      'freight_run_seconds_count{outcome="completed"} 1',
      'freight_run_seconds_count{outcome="failed"} 1',
      'freight_eta_error_ratio_bucket{le="0.05",point="50"} 1',
      'freight_eta_error_ratio_bucket{le="0.2",point="90"} 0',
      'freight_http_request_seconds_count{method="POST",route="/exports",status="201"} 1',
    ]) {
      expect(answer.body).toContain(`${line}\n`)
    }
    expect(answer.body).toContain('process_resident_memory_bytes')
    expect(answer.body).not.toContain('acme')
  })

  it('make no series of what strangers ask for', async () => {
    for (let i = 0; i < 20; i += 1) await site.app.inject(`/made-up-${i}`)
    const { body } = await site.app.inject('/metrics')
    expect(body).not.toContain('made-up')
    expect(body).toContain('freight_http_request_seconds_count{method="other",route="none",status="404"} 20')
  })
})

describe('the description of the API', () => {
  it('is OpenAPI 3.1 with every route of the own API, each way to send a key and the configured address', async () => {
    const answer = await site.app.inject('/openapi.json')
    const api = answer.json()
    expect(api.openapi).toBe('3.1.0')
    expect(api.servers).toEqual([{ url: 'https://freight.example' }])
    expect(Object.keys(api.components.securitySchemes)).toEqual(['bearer', 'apiKey', 'freightApiKey'])
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining([
        '/exports',
        '/exports/{id}',
        '/exports/{id}/cancel',
        '/exports/{id}/events',
        '/exports/estimate',
        '/resources',
      ]),
    )
    expect(Object.keys(api.paths).filter((path) => /docs|healthz|downloads/.test(path))).toEqual([])
    expect(references(api)).not.toContain(undefined)
    for (const reference of references(api)) {
      const target = String(reference)
        .slice(2)
        .split('/')
        .reduce((at: unknown, step) => (at as Record<string, unknown>)[step], api)
      expect(target, String(reference)).toBeDefined()
    }
  })

  it('is shown at /docs by a page without scripts and without anything from elsewhere', async () => {
    const { body, headers } = await site.app.inject('/docs')
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(body).not.toMatch(/<script|<link|<img|@import|url\(|\son\w+=/)
    expect(body.match(/(?:src|href)="(?!#|openapi\.json")[^"]*"/g)).toBeNull()
    const style = /<style>([\s\S]*?)<\/style>/.exec(body)?.[1] ?? ''
    const { createHash } = await import('node:crypto')
    const hash = createHash('sha256').update(style).digest('base64')
    expect(headers['content-security-policy']).toContain(`style-src 'sha256-${hash}'`)
    expect(headers['content-security-policy']).not.toContain('unsafe')
    for (const text of [
      'POST',
      '/exports/{id}/cancel',
      'Prefer',
      'curl',
      'VALIDATION_FAILED',
      'https://freight.example',
      'Idempotency-Key',
    ]) {
      expect(body.toLowerCase()).toContain(text.toLowerCase())
    }
    const targets = [...body.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
    for (const id of targets) expect(body).toContain(`id="${id}"`)
    expect(balanced(body)).toBe(true)
  })

  it('says how a key or token is had, and each way to send it that it names works', async () => {
    const { body } = await site.app.inject('/docs')
    for (const text of ['freight keys create --tenant', 'https://freight.example/oauth/token', 'grant_type=client_credentials']) {
      expect(body).toContain(text)
    }
    const headers = [...body.matchAll(/<code>([\w-]+): (Bearer )?KEY<\/code>/g)].map(([, name = '', scheme = '']) => [
      name,
      scheme,
    ])
    expect(headers.map(([name]) => name)).toEqual(['Authorization', 'x-api-key', 'freight-api-key'])
    for (const [name = '', scheme] of headers) {
      const answer = await site.app.inject({ url: '/resources', headers: { [name]: `${scheme}${site.key}` } })
      expect(answer.statusCode, name).toBe(200)
    }
  })

  it('is found from the root, by programs and by people', async () => {
    expect((await site.app.inject('/')).json()).toEqual({
      name: 'freight',
      version: '0.0.0-test',
      docs: 'https://freight.example/docs',
      openapi: 'https://freight.example/openapi.json',
    })
    const browser = await site.app.inject({ url: '/', headers: { accept: 'text/html,*/*;q=0.8' } })
    expect(browser.statusCode).toBe(303)
    expect(browser.headers.location).toBe('https://freight.example/docs')
  })
})

describe('limits', () => {
  it('give each key its own allowance, callers without one a tenth of it, and health none', async () => {
    const limited = await openHttpSite({ requestsPerMinute: 40 })
    try {
      const ask = (key: string) => limited.app.inject({ url: '/exports', headers: { authorization: `Bearer ${key}` } })
      expect((await ask(limited.key)).statusCode).toBe(200)
      const guesses = []
      for (let i = 0; i < 6; i += 1) guesses.push((await ask(`guess-${i}`)).statusCode)
      expect(guesses).toEqual([401, 401, 401, 429, 429, 429])
      const answers = []
      for (let i = 0; i < 41; i += 1) answers.push(await ask(limited.key))
      expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(40)
      const refused = answers.at(-1)
      expect(refused?.statusCode).toBe(429)
      expect(refused?.headers['content-type']).toBe('application/problem+json')
      expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0)
      expect(refused?.json()).toMatchObject({ code: 'RATE_LIMITED', request_id: refused?.headers['x-request-id'] })
      for (let i = 0; i < 50; i += 1) expect((await limited.app.inject('/healthz')).statusCode).toBe(200)
      expect((await limited.app.inject('/nowhere')).statusCode).toBe(429)
      expect((await limited.app.inject('/downloads/x')).statusCode).toBe(403)
    } finally {
      await limited.close()
    }
  })

  it('forget a key as soon as it no longer works', async () => {
    let works = true
    const revoking = await openHttpSite({
      requestsPerMinute: 30,
      authenticate: async () => {
        if (!works) throw new FreightError('UNAUTHORIZED', 'no')
        return newPrincipal({ id: 'key1' })
      },
    })
    try {
      const ask = async () => (await revoking.app.inject({ url: '/exports', headers: { 'x-api-key': 'k' } })).statusCode
      expect([await ask(), await ask()]).toEqual([200, 200])
      works = false
      expect([await ask(), await ask(), await ask(), await ask()]).toEqual([401, 401, 401, 429])
    } finally {
      await revoking.close()
    }
  })

  it('refuse with 503 while the process does nothing but long tasks, though not health, and end with them', async () => {
    const app = Fastify()
    answerErrors(app, new ErrorForms([]))
    await refuseWhenBlocked(app, 400)
    app.get('/work', async () => 'done')
    app.get('/health', { config: { unlimited: true } }, async () => 'well')
    await app.ready()
    try {
      const block = setInterval(() => {
        const until = performance.now() + 1_200
        while (performance.now() < until);
      }, 1)
      await expect.poll(() => app.isUnderPressure(), { timeout: 10_000 }).toBe(true)
      clearInterval(block)
      const answer = await app.inject('/work')
      expect({ status: answer.statusCode, retry: answer.headers['retry-after'] }).toEqual({ status: 503, retry: '2' })
      expect(answer.json().code).toBe('OVERLOADED')
      expect((await app.inject('/health')).statusCode).toBe(200)
      await expect.poll(() => app.isUnderPressure()).toBe(false)
      expect((await app.inject('/work')).statusCode).toBe(200)
    } finally {
      await app.close()
    }
  })
})

function references(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [inner] : references(inner)))
}

/** Every element that is opened is closed, in order. */
function balanced(html: string): boolean {
  const open: string[] = []
  for (const [, end, name = ''] of html.replace(/<style>[\s\S]*?<\/style>/, '').matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (name === 'meta') continue
    if (end === '') open.push(name)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}

describe('closing', () => {
  it('does not wait for connections that never said a word', async () => {
    const closing = await openHttpSite()
    const { port } = new URL(await closing.app.listen({ host: '127.0.0.1', port: 0 }))
    const silent = connect(Number(port), '127.0.0.1')
    silent.on('error', () => {})
    await once(silent, 'connect')
    const started = performance.now()
    await closing.close()
    expect(performance.now() - started).toBeLessThan(15_000)
    silent.destroy()
  })
})
