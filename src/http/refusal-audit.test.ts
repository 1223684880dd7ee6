import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { newPrincipal } from '../../test/callers.ts'
import { type HttpSite, openHttpSite } from '../../test/http-site.ts'
import { createAuthenticator } from '../access/keys.ts'
import type { AuditEntry, NewAuditEntry } from '../store/store.ts'
import type { HttpOptions } from './server.ts'

let site: HttpSite | undefined
afterEach(() => site?.close())

/** A site that records refusals in its own store; `everyMs` long enough that only closing writes them. */
async function open(differences: Partial<HttpOptions> = {}): Promise<HttpSite> {
  const written: NewAuditEntry[] = []
  const opened = await openHttpSite({
    refusals: { store: { addAudit: async (entry) => void written.push(entry) } },
    ...differences,
  })
  site = { ...opened, close: () => opened.close() }
  entries.set(opened, written)
  return opened
}
const entries = new WeakMap<HttpSite, NewAuditEntry[]>()

async function recorded(of: HttpSite): Promise<readonly NewAuditEntry[]> {
  await of.app.close()
  return entries.get(of) ?? []
}

const UNKNOWN_KEY = `frt_live_abcdefghijkl_${'x'.repeat(43)}`
const get = (of: HttpSite, key: string, url = '/exports', remoteAddress = '203.0.113.7') =>
  of.app.inject({ url, remoteAddress, headers: { authorization: `Bearer ${key}` } })

describe('refused requests', () => {
  it('are one entry for each caller, address and status, with their number and never a credential', async () => {
    const opened = await open()
    for (let round = 0; round < 50; round += 1) await get(opened, UNKNOWN_KEY, `/exports/${round}?x=${UNKNOWN_KEY}`)
    await get(opened, UNKNOWN_KEY, '/exports', '203.0.113.8')
    await opened.app.inject({ url: '/links/x?signature=abc', remoteAddress: '203.0.113.7' })
    const all = await recorded(opened)
    const at = opened.clock.now
    const shared = { at, tenant: '-', action: 'refused', exportId: null }
    expect(all).toEqual([
      {
        ...shared,
        actor: { by: 'unknown', from: '203.0.113.7' },
        data: { status: 401, requests: 50, method: 'GET', route: '/exports/:id', claimed_key: 'abcdefghijkl' },
      },
      {
        ...shared,
        actor: { by: 'unknown', from: '203.0.113.8' },
        data: { status: 401, requests: 1, method: 'GET', route: '/exports', claimed_key: 'abcdefghijkl' },
      },
      {
        ...shared,
        actor: { by: 'unknown', from: '203.0.113.7' },
        data: { status: 403, requests: 1, method: 'GET', route: '/links/*' },
      },
    ])
    expect(JSON.stringify(all)).not.toContain('xxxx')
  })

  it('of known callers name them: what they may not do, and what was too much', async () => {
    const reader = newPrincipal({ id: 'rrrrrrrrrrrr', tenant: 'acme', scopes: ['exports:read'] })
    const opened = await open({ authenticate: async () => reader, requestsPerMinute: 3 })
    const post = () =>
      opened.app.inject({ method: 'POST', url: '/exports', headers: { 'x-api-key': 'k' }, payload: { resource: 'orders' } })
    for (let round = 0; round < 6; round += 1) await post()
    const who = { tenant: 'acme', action: 'refused', actor: { by: 'rrrrrrrrrrrr', from: '127.0.0.1' } }
    expect(await recorded(opened)).toEqual([
      expect.objectContaining({ ...who, data: { status: 403, requests: 4, method: 'POST', route: '/exports' } }),
      expect.objectContaining({ ...who, data: { status: 429, requests: 2, method: 'POST', route: '/exports' } }),
    ])
  })

  it('from ever new addresses are summed, and displace no known caller', async () => {
    const opened = await open()
    for (let host = 0; host < 200; host += 1) await get(opened, UNKNOWN_KEY, '/exports', `198.51.100.${host}`)
    // One network of IPv6 is one address.
    for (let host = 0; host < 20; host += 1) await get(opened, UNKNOWN_KEY, '/exports', `2001:db8::${host}`)
    await opened.app.inject({ method: 'DELETE', url: '/exports/x', headers: { authorization: `Bearer ${opened.key}` } })
    const all = await recorded(opened)
    expect(all.length).toBe(11)
    expect(all.at(-1)).toMatchObject({ actor: { by: 'others', from: null }, data: { status: 401, requests: 210 } })
    expect(all.reduce((sum, { data }) => sum + Number(data.requests), 0)).toBe(220)
  })

  it('are written while the server runs, and none twice; what succeeds or is not found is none', async () => {
    const opened = await openHttpSite()
    site = opened
    const watched = await openHttpSite({
      context: opened.context,
      authenticate: createAuthenticator(opened.store).authenticate,
      refusals: { store: opened.store, everyMs: 20 },
    })
    const filter = { tenant: null, exportId: null, since: null, afterSeq: 0, limit: 100 }
    await get(watched, opened.key)
    await get(watched, opened.key, '/exports/0199a3b0-0000-7000-8000-000000000000')
    await get(watched, UNKNOWN_KEY)
    let stored: readonly AuditEntry[] = []
    for (let waited = 0; stored.length === 0 && waited < 5_000; waited += 20) {
      await sleep(20)
      stored = await opened.store.audit(filter)
    }
    await watched.close()
    stored = await opened.store.audit(filter)
    expect(stored.map(({ action, data }) => [action, data.status, data.requests])).toEqual([['refused', 401, 1]])
  })
})
