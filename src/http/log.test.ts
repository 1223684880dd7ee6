import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, completedExport, type HttpSite, linkTo, openHttpSite } from '../../test/http-site.ts'
import { withoutSecrets } from './log.ts'

let site: HttpSite
beforeAll(async () => {
  site = await openHttpSite()
})
afterAll(() => site.close())

describe('the log', () => {
  it('has one line per request with its id, route, status and time, and no secret at the most verbose level', async () => {
    const job = await completedExport(site, 904, Buffer.from('id,canary-row\n'))
    const link = linkTo(site, job)
    const create = { method: 'POST', url: '/exports', headers: { 'content-type': 'application/json' } } as const
    site.logged.length = 0
    const answer = await ask(site, { url: `/exports/${job.id}`, headers: { cookie: 'canary-cookie' } })
    await ask(site, { url: '/exports', headers: { authorization: 'Bearer canary-key' } })
    await ask(site, { url: link })
    await ask(site, { url: `${link}x` })
    await ask(site, { url: `/exports/${job.id}/file` })
    await ask(site, { url: '/canary-address?canary=1' })
    await ask(site, { ...create, payload: '{"resource":"orders","filters":{"status_eq":"canary-filter"}}' })
    await ask(site, { ...create, payload: '{"resource":"orders","foo":"canary-value"' })
    await ask(site, { url: '/healthz' })
    const log = site.logged.join('')
    const signature = /signature=(.*)/.exec(link)?.[1] ?? 'none'
    for (const secret of ['canary', signature, 'signature', site.key]) expect(log).not.toContain(secret)
    const requests = site.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
    expect(requests).toHaveLength(9)
    expect(requests[0]).toMatchObject({
      level: 30,
      request_id: answer.headers['x-request-id'],
      method: 'GET',
      route: '/exports/:id',
      status: 200,
    })
    expect(requests.find(({ route }) => route === '/healthz')).toMatchObject({ level: 20 })
  })

  it('hides keys in headers that something logs along with an error', () => {
    const lines: string[] = []
    const log = withoutSecrets(pino({}, { write: (line) => lines.push(line) }))
    const headers = { authorization: 'Bearer canary', 'x-api-key': 'canary', cookie: 'canary', accept: 'text/csv' }
    log.warn({ headers, err: { headers, request: { headers } } }, 'a fault')
    expect(lines.join('')).toContain('text/csv')
    expect(lines.join('')).not.toContain('canary')
  })
})
