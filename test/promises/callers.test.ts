/** Who may call, on a real server: tokens beside keys, rows by claims, revoked keys, rotated secrets, and the record of it all. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer } from '../rig.ts'
import { makeTenants } from './tenants.ts'
import { ISSUER_CONFIG, makeIssuer, type SignToken } from './tokens.ts'

const CONFIG = `{
  source: 'sqlite:team.db',
  requestsPerMinute: 1000000,
  issuers: ${ISSUER_CONFIG},
  limits: { tenants: { small: { waiting: 1000, rowsPerDay: 15 } } },
  resources: {
    customers: { tenant: 'tenant_id', masks: { email: { as: 'hash', unless: 'pii:read' } } },
    orders: { tenant: 'tenant_id', scope: { status: 'statuses' }, masks: { note: 'null' } },
    line_items: { tenant: 'tenant_id' },
    skus: { tenant: 'shared' },
  },
}`

const OLD_SECRET = randomBytes(32).toString('base64url')
const NEW_SECRET = randomBytes(32).toString('base64url')

let site: Site
let server: Server
let sign: SignToken
beforeAll(async () => {
  site = await makeSite(CONFIG)
  makeTenants(join(site.folder, 'team.db'))
  sign = await makeIssuer(site.folder)
  server = await startServer(site, { FREIGHT_SECRET: OLD_SECRET })
})
afterAll(() => site.remove())

const statuses = (...of: string[]): Record<string, unknown> => ({ org: 'acme', statuses: of })

async function fileOf(credential: string, id: string): Promise<{ link: string; text: string }> {
  const answer = await server.call(credential, 'GET', `/exports/${id}/file`)
  const link = answer.headers.get('location') ?? ''
  expect(answer.status, JSON.stringify(answer.body)).toBe(302)
  return { link, text: await (await fetch(link)).text() }
}

describe('a token', () => {
  it('exports the rows of its claims, masked, and says so in the manifest', async () => {
    const token = await sign(statuses('mine-paid'))
    const id = await create(server, token, { resource: 'orders', fields: ['id', 'status', 'note', 'customer.email'] })
    const job = await ended(server, token, id)
    expect(job, JSON.stringify(job.error)).toMatchObject({ status: 'completed', tenant: 'acme', mode: 'live' })
    expect(job.manifest.masks).toEqual([
      { resource: 'orders', name: 'note', mask: 'null' },
      { resource: 'orders', name: 'customer.email', mask: 'hash' },
    ])
    const [header, ...rows] = (await fileOf(token, id)).text.trim().split('\n')
    expect(header).toBe('id,status,note,customer.email')
    expect(rows.length).toBe(job.results.successful)
    for (const row of rows) expect(row).toMatch(/^\d+,mine-paid,,([0-9a-f]{32})?$/)
  })

  it('is held to its claims at every later look: a narrower one finds nothing', async () => {
    const wide = await sign(statuses('mine-paid', 'mine-sent'))
    const id = await create(server, wide, { resource: 'orders', fields: ['id', 'status'] })
    await ended(server, wide, id)
    const narrow = await sign(statuses('mine-paid'))
    for (const path of [`/exports/${id}`, `/exports/${id}/file`, `/exports/${id}/events`]) {
      expect((await server.call(narrow, 'GET', path)).status, path).toBe(404)
    }
    expect((await server.call(await sign({ org: 'acme' }), 'POST', '/exports', { resource: 'orders' })).status).toBe(403)
    expect((await fileOf(await sign(statuses('mine-new', 'mine-sent', 'mine-paid')), id)).text).toContain('mine-sent')
  })

  it('may do what its scopes say, and answers 401 when it is not good and 403 when it may not', async () => {
    const reader = await sign({ ...statuses('mine-paid'), scope: 'exports:read' })
    expect((await server.call(reader, 'GET', '/exports')).status).toBe(200)
    const refused = await server.call(reader, 'POST', '/exports', { resource: 'orders' })
    expect(refused).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    for (const wrong of [`${reader}x`, reader.slice(0, -4), await sign({ org: '__proto__' }), await sign({ org: ['acme'] })]) {
      const answer = await server.call(wrong, 'GET', '/exports')
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } })
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
  })
})

describe('a revoked key', () => {
  it('ends its links and its tokens at once', async () => {
    const made = await site.command(['keys', 'create', '--tenant', 'acme', '--name', 'gone', '--claim', 'statuses=["mine-paid"]'])
    const key = made.stdout.trim()
    const keyId = key.split('_')[2] ?? ''
    const id = await create(server, key, { resource: 'orders', fields: ['id'] })
    await ended(server, key, id)
    const { link, text } = await fileOf(key, id)
    expect(text).toMatch(/^id\n/)
    const granted = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: keyId, client_secret: key }),
    })
    const { access_token: token } = (await granted.json()) as Body
    expect((await server.call(token, 'GET', `/exports/${id}`)).status).toBe(200)
    expect((await site.command(['keys', 'revoke', keyId])).code).toBe(0)
    expect((await fetch(link)).status).toBe(403)
    expect((await server.call(token, 'GET', `/exports/${id}`)).status).toBe(401)
    expect((await server.call(key, 'GET', `/exports/${id}`)).status).toBe(401)
  })
})

describe('the limits of a tenant', () => {
  it('are counted in the records: a restart forgets nothing', async () => {
    const key = await makeKey(site, 'small')
    const token = await sign({ org: 'small', statuses: ['x'] })
    // Shared rows: 5 each.
    for (let round = 0; round < 2; round += 1) await ended(server, key, await create(server, key, { resource: 'skus' }))
    await server.stop()
    server = await startServer(site, { FREIGHT_SECRET: OLD_SECRET })
    await ended(server, token, await create(server, token, { resource: 'skus' }))
    const refused = await server.call(key, 'POST', '/exports', { resource: 'skus' })
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(86_400)
  })
})

describe('the audit', () => {
  it('tells who created, downloaded and removed what, when and from where, also beside a running server', async () => {
    const key = await makeKey(site, 'audited')
    const keyId = key.split('_')[2]
    const id = await create(server, key, { resource: 'skus', reference: 'x\nlevel=fatal' })
    await ended(server, key, id)
    await fileOf(key, id)
    const events = (await server.call(key, 'GET', `/exports/${id}/events`)).body.data
    const who = { by: keyId, from: '127.0.0.1' }
    expect(events.filter(({ data }: Body) => data.by).map(({ type, data }: Body) => [type, data])).toEqual([
      ['created', who],
      ['linked', { ...who, file: 1 }],
      ['downloaded', { ...who, file: 1 }],
    ])
    expect((await server.call(key, 'DELETE', `/exports/${id}`)).status).toBe(204)
    const { stdout, code } = await site.command(['audit', '--export', id, '--json'])
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ action }) => action)).toEqual(['created', 'linked', 'downloaded', 'removed'])
    expect(lines[3]).toMatchObject({ tenant: 'audited', by: keyId, from: '127.0.0.1', export: id })
    const text = await site.command(['audit', '--tenant', 'audited', '--since', '1h'])
    expect(text.stdout.split('\n')[0]).toMatch(/^TIME +TENANT +ACTION +BY +FROM +EXPORT +DETAILS/)
    expect(text.stdout.trim().split('\n')).toHaveLength(5)
    expect((await site.command(['audit', '--tenant', 'nobody'])).stdout).toBe('')
    expect((await site.command(['audit', '--since', 'yesterday'])).code).toBe(2)
  })
})

describe('refused requests', () => {
  it('are in the audit, counted, with who and where and without what they tried', async () => {
    const reader = await sign({ org: 'refused', scope: 'exports:read' })
    const wrong = `frt_live_zzzzzzzzzzzz_${'q'.repeat(43)}`
    for (let round = 0; round < 30; round += 1) await server.call(wrong, 'GET', `/exports/${wrong}`)
    for (let round = 0; round < 3; round += 1) await server.call(reader, 'POST', '/exports', { resource: 'skus' })
    await server.stop()
    const { stdout } = await site.command(['audit', '--since', '1h', '--json'])
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ action }) => action === 'refused')
    const at = { from: '127.0.0.1', export: null }
    expect(lines).toContainEqual(
      expect.objectContaining({ ...at, tenant: '-', by: 'unknown', data: expect.objectContaining({ status: 401 }) }),
    )
    expect(lines.map(({ data }) => data.claimed_key)).toContain('zzzzzzzzzzzz')
    expect(lines).toContainEqual(
      expect.objectContaining({
        ...at,
        tenant: 'refused',
        by: 'auth.example.com:someone',
        data: { status: 403, requests: 3, method: 'POST', route: '/exports' },
      }),
    )
    expect(stdout).not.toContain('qqqq')
    server = await startServer(site, { FREIGHT_SECRET: OLD_SECRET })
  })
})

describe('a rotated secret', () => {
  it('keeps links, tokens and hashes of the secret before, until that is taken away', async () => {
    const made = await site.command(['keys', 'create', '--tenant', 'acme', '--name', 'rotated'])
    const key = made.stdout.trim()
    const grant = async (): Promise<string> => {
      const parameters = { grant_type: 'client_credentials', client_id: key.split('_')[2] ?? '', client_secret: key }
      const answer = await fetch(`${server.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(parameters) })
      return ((await answer.json()) as Body).access_token
    }
    const emails = async (): Promise<{ path: string; text: string }> => {
      const id = await create(server, key, { resource: 'customers', fields: ['email'] })
      await ended(server, key, id)
      const { link, text } = await fileOf(key, id)
      return { path: link.slice(server.url.length), text }
    }
    const restart = async (env: Record<string, string>): Promise<void> => {
      const port = new URL(server.url).port
      await server.stop()
      server = await startServer(site, { ...env, PORT: port })
    }
    const before = { ...(await emails()), token: await grant() }
    expect(before.text).toMatch(/^email\n[0-9a-f]{32}\n/)

    await restart({ FREIGHT_SECRET: NEW_SECRET, FREIGHT_SECRET_PREVIOUS: OLD_SECRET })
    expect((await fetch(server.url + before.path)).status).toBe(200)
    expect((await server.call(before.token, 'GET', '/exports')).status).toBe(200)
    const during = { ...(await emails()), token: await grant() }
    expect(during.text).toBe(before.text)

    await restart({ FREIGHT_SECRET: NEW_SECRET })
    expect((await fetch(server.url + before.path)).status).toBe(403)
    expect((await fetch(server.url + during.path)).status).toBe(200)
    expect((await server.call(before.token, 'GET', '/exports')).status).toBe(200)
    expect(decodeProtectedHeader(await grant()).kid).toBe(decodeProtectedHeader(before.token).kid)
    expect((await emails()).text).toBe(before.text)
  }, 60_000)
})
