import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { KeyStore, Store } from '../store/store.ts'
import { createAuthenticator, createKey } from './keys.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const refusal = { code: 'UNAUTHORIZED' }

describe('API keys', () => {
  let folder: string
  let store: Store
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'freight-keys-'))
    store = await openSqliteStore(join(folder, 'freight.db'))
    await store.migrate()
  })
  afterAll(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('are shown once and stored only as a hash', async () => {
    const { key, secret } = await createKey(store, { tenant: 'acme', name: 'ci', mode: 'test' }, NOW)
    expect(secret).toMatch(/^frt_test_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/)
    expect(key).toEqual({
      id: secret.slice(9, 21),
      tenant: 'acme',
      name: 'ci',
      mode: 'test',
      createdAt: NOW,
      revokedAt: null,
      scopes: ['exports:read', 'exports:write', 'exports:download'],
      claims: {},
    })
    const kept = await store.findKey(key.id)
    expect(kept?.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(kept)).not.toContain(secret.slice(22))
  })

  it.each(['', 'a'.repeat(65), '.acme', '-acme', 'ac me', 'acme/x', 'acme\n', 'äcme', '..'])(
    'are not made for the tenant %j',
    async (tenant) => {
      const made = createKey(store, { tenant, name: 'ci', mode: 'live' }, NOW)
      await expect(made).rejects.toMatchObject({ code: 'VALIDATION_FAILED', details: { pointer: 'tenant' } })
    },
  )

  it.each(['', '   ', 'a'.repeat(101), 'two\nlines', 'nul\0', 'tab\t', '\u202eabc', '\ud800'])(
    'are not made with the name %j',
    async (name) => {
      const made = createKey(store, { tenant: 'acme', name, mode: 'live' }, NOW)
      await expect(made).rejects.toMatchObject({ code: 'VALIDATION_FAILED', details: { pointer: 'name' } })
    },
  )

  it.each(['a', 'A'.repeat(64), 'acme.eu-1_x', '0'])('are made for the tenant %j', async (tenant) => {
    const { secret } = await createKey(store, { tenant, name: 'Нightly é 日本 😀 "x"', mode: 'live' }, NOW)
    const principal = await createAuthenticator(store).authenticate({ 'x-api-key': secret })
    expect(principal).toMatchObject({ id: secret.slice(9, 21), tenant, mode: 'live', kind: 'application', address: null })
  })
})

describe('an authenticator', () => {
  let folder: string
  let store: Store
  let secret: string
  let id: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'freight-keys-'))
    store = await openSqliteStore(join(folder, 'freight.db'))
    await store.migrate()
    const made = await createKey(store, { tenant: 'acme', name: 'ci', mode: 'live' }, NOW)
    secret = made.secret
    id = made.key.id
  })
  afterAll(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('takes a key as a bearer token, whatever the case of the word, or as x-api-key', async () => {
    const { authenticate } = createAuthenticator(store)
    const principal = {
      id,
      tenant: 'acme',
      mode: 'live',
      kind: 'application',
      scopes: ['exports:read', 'exports:write', 'exports:download'],
      claims: {},
      address: null,
    }
    expect(await authenticate({ authorization: `Bearer ${secret}` })).toEqual(principal)
    expect(await authenticate({ authorization: `bearer ${secret}` })).toEqual(principal)
    expect(await authenticate({ authorization: [`Bearer ${secret}`] })).toEqual(principal)
    expect(await authenticate({ 'x-api-key': secret })).toEqual(principal)
    expect(await authenticate({ 'freight-api-key': secret }, '10.0.0.7')).toEqual({ ...principal, address: '10.0.0.7' })
  })

  it('refuses everything else with one and the same answer', async () => {
    const { authenticate } = createAuthenticator(store)
    const unknown = secret.replace(id, 'zzzzzzzzzzzz')
    const bearer = `Bearer ${secret}`
    const wrong = [
      {},
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
      { authorization: `Bearer  ${secret}` },
      { authorization: `${bearer} ` },
      { authorization: `${bearer}\n` },
      { authorization: secret },
      { authorization: `Basic ${secret}` },
      { authorization: `Basic ${Buffer.from(`x:${secret}`).toString('base64')}` },
      { authorization: [bearer, bearer] },
      { authorization: bearer, 'x-api-key': secret },
      { 'freight-api-key': secret, 'x-api-key': secret },
      { 'x-api-key': [secret, secret] },
      { 'x-api-key': `${secret}, ${secret}` },
      { 'x-api-key': bearer },
      { 'x-api-key': '' },
      { 'x-api-key': secret.slice(0, -1) },
      { 'x-api-key': `${secret}A` },
      { 'x-api-key': secret.toUpperCase() },
      { 'x-api-key': secret.replace('live', 'test') },
      { 'x-api-key': unknown },
      { 'x-api-key': 'a'.repeat(1_000_000) },
    ]
    const answers = await Promise.allSettled(wrong.map((headers) => authenticate(headers)))
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: refusal })
    expect(new Set(answers.map((answer) => (answer.status === 'rejected' ? answer.reason.message : ''))).size).toBe(1)
  })

  it('refuses a key in which any one character differs', async () => {
    const { authenticate } = createAuthenticator(store)
    for (let at = 0; at < secret.length; at += 1) {
      const other = secret[at] === 'x' ? 'y' : 'x'
      const changed = secret.slice(0, at) + other + secret.slice(at + 1)
      await expect(authenticate({ 'x-api-key': changed }), changed).rejects.toMatchObject(refusal)
    }
  })

  it('goes the same way for an unknown id as for a wrong key', async () => {
    const asked: string[] = []
    const watched: Pick<KeyStore, 'findKey'> = {
      findKey: (wanted) => {
        asked.push(wanted)
        return store.findKey(wanted)
      },
    }
    const { authenticate } = createAuthenticator({ ...store, findKey: watched.findKey })
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`
    await expect(authenticate({ 'x-api-key': wrong })).rejects.toMatchObject(refusal)
    await expect(authenticate({ 'x-api-key': wrong.replace(id, 'zzzzzzzzzzzz') })).rejects.toMatchObject(refusal)
    expect(asked).toEqual([id, 'zzzzzzzzzzzz'])
  })

  it('takes a new key and refuses a revoked one at once', async () => {
    const { authenticate } = createAuthenticator(store)
    const { key, secret: fresh } = await createKey(store, { tenant: 'acme', name: 'short', mode: 'live' }, NOW)
    expect(await authenticate({ 'x-api-key': fresh })).toMatchObject({ id: key.id })
    await store.revokeKey(key.id, NOW)
    await expect(authenticate({ 'x-api-key': fresh })).rejects.toMatchObject(refusal)
  })
})
