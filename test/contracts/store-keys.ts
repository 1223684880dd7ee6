/** The part of the store's contract about API keys. */
import { expect, it } from 'vitest'
import type { ApiKey, Store } from '../../src/store/store.ts'
import { at } from './sample-job.ts'

export function describeKeys(store: () => Store): void {
  const key: ApiKey = {
    id: 'abcdefghijkl',
    tenant: 'acme',
    name: 'ci',
    mode: 'test',
    createdAt: at(1),
    revokedAt: null,
    scopes: ['exports:read', 'hr:read'],
    claims: { region: [3, 'north'], nested: { a: true } },
  }

  it('a key is found by its id with its hash, and an unknown one is null', async () => {
    await store().addKey(key, 'hash')
    expect(await store().findKey(key.id)).toEqual({ key, hash: 'hash' })
    expect(await store().findKey('unknown')).toBeNull()
    await expect(store().addKey(key, 'other')).rejects.toThrow()
  })

  it('keys are listed for one tenant or for all', async () => {
    const other = { ...key, id: 'b', tenant: 'other', createdAt: at(0) }
    await store().addKey(key, 'hash')
    await store().addKey(other, 'hash')
    expect(await store().listKeys('acme')).toEqual([key])
    expect(await store().listKeys(null)).toEqual([other, key])
    expect(await store().listKeys('nobody')).toEqual([])
  })

  it('a revoked key stays with the date of the first revocation', async () => {
    await store().addKey(key, 'hash')
    expect(await store().revokeKey(key.id, at(5))).toBe(true)
    expect(await store().revokeKey(key.id, at(6))).toBe(true)
    expect(await store().revokeKey('unknown', at(5))).toBe(false)
    expect((await store().findKey(key.id))?.key.revokedAt).toEqual(at(5))
  })
}
