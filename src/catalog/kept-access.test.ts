/** An export of before, held against the rules of today. */
import { describe, expect, it } from 'vitest'
import { callerOf, request, resource, shopCatalog } from '../../test/shop-catalog.ts'
import type { ResolvedResource } from '../config/resolved.ts'
import { rightsOf } from '../job/rights.ts'
import type { CheckedSpec } from '../job/spec.ts'
import type { Catalog } from './catalog.ts'

const ORDERS = resource('orders', { tenant: 'tenant_id', scope: { status: 'statuses' } })
const CUSTOMERS = resource('customers', { tenant: 'tenant_id', masks: { email: 'hash' } })

const catalogOf = (orders: Partial<ResolvedResource> = {}, customers: Partial<ResolvedResource> = {}): Catalog =>
  shopCatalog({ orders: { ...ORDERS, ...orders }, customers: { ...CUSTOMERS, ...customers } })

const paid = callerOf('acme', { claims: { statuses: ['paid'] } })

function stored(catalog = catalogOf()): CheckedSpec {
  const asked = request({ resource: 'orders', fields: ['id', 'customer.email'], filters: { 'customer.name_present': true } })
  // As it comes back from the store.
  return JSON.parse(JSON.stringify(catalog.check(asked, paid)))
}

describe('a spec is outdated', () => {
  it('in no resource while nothing of the rules has changed, in whichever order they are written', () => {
    expect(catalogOf().outdated(stored())).toEqual([])
    const two = { scope: { status: 'statuses', customer_id: 'customer' } }
    const spec = catalogOf(two).check(
      request({ resource: 'orders' }),
      callerOf('acme', { claims: { statuses: 'a', customer: 7 } }),
    )
    expect(catalogOf({ scope: { customer_id: 'customer', status: 'statuses' } }).outdated(spec)).toEqual([])
  })

  it.each<[string, Partial<ResolvedResource>]>([
    ['a scope was added', { scope: { status: 'statuses', customer_id: 'customer' } }],
    ['a scope was taken away', { scope: {} }],
    ['a scope goes by another column', { scope: { customer_id: 'statuses' } }],
    ['a scope goes by another claim', { scope: { status: 'states' } }],
    ['its rows are told apart by another column', { tenant: 'status' }],
    ['its rows are shared now', { tenant: 'shared' }],
    ['a field takes a scope', { fieldScopes: { status: 'pii:read' } }],
    ['a field is masked', { masks: { status: 'hash' } }],
    ['a column is hidden', { hide: ['status'] }],
    ['it takes scopes of its own', { ownScope: true }],
    ['it stands for another table', { table: 'skus', scope: {}, tenant: 'shared' }],
  ])('where %s, also when it is only reached through a relation', (_what, changes) => {
    expect(catalogOf(changes).outdated(stored())).toEqual(['orders'])
    const reaching = catalogOf().check(request({ resource: 'line_items', fields: ['order.id'] }), paid)
    expect(catalogOf(changes).outdated(reaching)).toEqual(['orders'])
  })

  it('where a mask was made weaker, or a resource is no longer offered', () => {
    expect(catalogOf({}, { masks: { email: 'partial' } }).outdated(stored())).toEqual(['customers'])
    expect(catalogOf({}, { masks: { email: { as: 'hash', unless: 'pii:read' } } }).outdated(stored())).toEqual(['customers'])
    const without = shopCatalog({ customers: CUSTOMERS, orders: undefined })
    expect(without.outdated(stored())).toContain('orders')
  })

  it('without kept rules only where rows are given out by a rule that it was not made under', () => {
    const spec = stored()
    const older = { ...spec, access: { resources: [], scopes: [], rows: [], ...spec.access, rules: [] } }
    expect(catalogOf().outdated(older)).toEqual([])
    expect(catalogOf({ scope: { customer_id: 'customer' } }).outdated(older)).toEqual(['customers', 'orders'])
    const { access: _, ...oldest } = spec
    expect(catalogOf().outdated(oldest)).toEqual(['orders'])
    expect(shopCatalog().outdated(oldest)).toEqual([])
  })
})

describe('files of before', () => {
  it('are nobody’s where rows go by another column now, whatever the caller holds', () => {
    const spec = stored()
    const wide = callerOf('acme', { claims: { statuses: ['paid'], customer: [7] } })
    expect(catalogOf().covers(spec, wide)).toBe(true)
    expect(catalogOf({ scope: { customer_id: 'statuses' } }).covers(spec, wide)).toBe(false)
    expect(catalogOf({ tenant: 'status' }).covers(spec, wide)).toBe(false)
    expect(catalogOf({ scope: {} }).covers(spec, callerOf('acme'))).toBe(true)
  })

  it('of a resource that is no longer offered stay theirs who hold what it was narrowed to', () => {
    const without = shopCatalog({ customers: CUSTOMERS, orders: undefined })
    const team = { ...paid, scopes: [...paid.scopes, 'exports:write:orders'] }
    const own = catalogOf({ ownScope: true })
    const spec = own.check(request({ resource: 'orders' }), team)
    expect(without.covers(spec, paid)).toBe(true)
    expect(without.covers(spec, callerOf('acme', { claims: { statuses: ['sent'] } }))).toBe(false)
    expect(without.covers(spec, callerOf('acme'))).toBe(false)
    expect(without.permits(spec, paid, 'read')).toBe(false)
    expect(without.permits(spec, { ...paid, scopes: ['exports:read:orders'] }, 'read')).toBe(true)
  })

  it('that a database narrowed itself are as unknown as what it was told, once nobody is told of any more', () => {
    const sessionVariables = { main: { 'app.team': 'team' } }
    const told = shopCatalog({ orders: resource('orders') }, undefined, sessionVariables)
    const north = callerOf('acme', { claims: { team: 'north' } })
    const spec = told.check(request({ resource: 'orders' }), north)
    expect([told.covers(spec, north), told.covers(spec, null), told.covers(spec, callerOf('acme'))]).toEqual([true, true, false])
    expect(shopCatalog({ orders: undefined }).covers(spec, north)).toBe(false)
    expect(told.outdated(spec)).toEqual([])
    expect(shopCatalog({ orders: resource('orders') }).outdated(spec)).toEqual(['orders'])
  })
})

describe('the rights of an export', () => {
  it('are told by all that covering and reading look at, so that equal rights need one look', () => {
    const looked = new Set<string>()
    const watched = <T extends object>(target: T, at: string): T =>
      new Proxy(target, {
        get(of, name) {
          const value: unknown = Reflect.get(of, name)
          if (typeof name !== 'string') return value
          looked.add(at + name)
          return name === 'access' && typeof value === 'object' && value !== null ? watched(value, 'access.') : value
        },
      })
    const catalog = catalogOf()
    const spec = stored(catalog)
    expect(catalog.covers(watched(spec, ''), paid)).toBe(true)
    expect(catalog.permits(watched(spec, ''), paid, 'read')).toBe(true)
    const { access, ...older } = spec
    catalog.covers(watched(older, ''), paid)
    const decisive = ['access', 'source', 'parts', 'sessionVariables', 'access.resources', 'access.rows', 'access.rules']
    expect([...looked].filter((name) => !decisive.includes(name))).toEqual([])
    const differently = [
      { ...spec, source: 'other' },
      { ...spec, sessionVariables: { 'app.tenant': 'x' } },
      ...['resources', 'rows', 'rules'].map((name) => ({ ...spec, access: { ...access, [name]: [] } }) as CheckedSpec),
    ]
    expect(new Set([spec, ...differently].map(rightsOf)).size).toBe(1 + differently.length)
    expect(rightsOf({ ...spec, format: 'json', access: { resources: [], rows: [], ...access, scopes: ['x'] } })).toBe(
      rightsOf(spec),
    )
  })
})
