import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newPrincipal } from '../../test/callers.ts'
import { ask, completedExport, type HttpSite, openHttpSite, portOf } from '../../test/http-site.ts'
import { asFreightError } from '../job/errors.ts'
import { createHttpServer, listen } from './server.ts'

let site: HttpSite
beforeAll(async () => {
  site = await openHttpSite()
})
afterAll(() => site.close())

describe('every answer', () => {
  it('carries an id of its own, never the one that came in', async () => {
    const answer = await ask(site, { url: '/exports', headers: { 'x-request-id': 'mine' } })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-request-id']).not.toBe('mine')
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('lets no cache keep it, and none reuse one with a tag without asking', async () => {
    const job = await completedExport(site, 900, Buffer.from('id\n'))
    const answer = await ask(site, { url: `/exports/${job.id}` })
    expect(answer.headers.etag).toBeDefined()
    expect(answer.headers['cache-control']).toMatch(/private.*must-revalidate/)
  })

  it('carries the headers that keep browsers from harm, and none that open it to other origins', async () => {
    const answers = [
      await ask(site, { url: '/exports', headers: { origin: 'https://evil.example' } }),
      await ask(site, { url: '/nowhere', headers: { origin: 'null' } }),
      await ask(site, {
        method: 'OPTIONS',
        url: '/exports',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      }),
    ]
    for (const { headers } of answers) {
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
      expect(headers['x-powered-by']).toBeUndefined()
      expect(headers.server).toBeUndefined()
    }
  })

  it('never believes Host or forwarded headers', async () => {
    const headers = {
      'content-type': 'application/json',
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-for': '6.6.6.6',
    }
    const answer = await ask(site, { method: 'POST', url: '/exports', payload: '{"resource":"orders"}', headers })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers.location).toMatch(/^https:\/\/freight\.example\/exports\//)
    expect(answer.body).not.toContain('evil')
    expect(site.logged.join('')).not.toContain('6.6.6.6')
  })
})

describe('another tenant', () => {
  it("gets the same answer for another's export as for an unknown one, on every route", async () => {
    const job = await completedExport(site, 903, Buffer.from('id\n'))
    const unknown = '00000000-0000-7000-8000-00000000ffff'
    const routes = [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/interrupt'],
      ['POST', '/start'],
      ['POST', '/cancel'],
      ['GET', '/events'],
      ['GET', '/file'],
      ['GET', '/files/1'],
    ] as const
    for (const [method, path] of routes) {
      const [theirs, nobodys] = await Promise.all(
        [job.id, unknown].map((id) =>
          site.app.inject({ method, url: `/exports/${id}${path}`, headers: { authorization: `Bearer ${site.otherKey}` } }),
        ),
      )
      const masked = (answer: typeof theirs) => ({
        status: answer?.statusCode,
        body: { ...answer?.json(), request_id: '' },
        headers: Object.keys(answer?.headers ?? {}).sort(),
        length: answer?.headers['content-length'],
      })
      expect(masked(theirs)).toEqual(masked(nobodys))
      expect(theirs?.statusCode).toBe(404)
    }
    expect(await site.store.get('acme', job.id)).not.toBeNull()
  })
})

describe('listen', () => {
  it('says which port is taken and what to set', async () => {
    const { app: first } = site
    await listen(first, { host: '127.0.0.1', port: 0 })
    const port = portOf(first)
    const second = await createHttpServer({
      context: site.context,
      authenticate: async () => newPrincipal(),
      jobs: site.store,
      metrics: site.metrics,
      ready: () => true,
      log: pino({ level: 'silent' }),
      publicUrl: () => '',
      requestsPerMinute: 1,
      version: '0',
    })
    const refused = await listen(second, { host: '127.0.0.1', port }).catch(asFreightError)
    expect(refused).toMatchObject({ code: 'PORT_TAKEN', message: `Port ${port} is taken; set PORT to a free one.` })
    await second.close()
  })
})
