import { expect, test } from 'vitest'
import { DAY_MS, refusalOf, resource, SHOP_TABLES, shopCatalog, table } from '../../test/shop-catalog.ts'
import type { ResolvedResource } from '../config/resolved.ts'
import { createCatalog } from './create-catalog.ts'

test('a resource shows its fields under their public names, without the hidden ones', () => {
  const customers = shopCatalog({
    customers: resource('customers', {
      hide: ['password_hash', 'uid'],
      rename: { name: 'full_name' },
      types: { extra: 'timestamp' },
    }),
  })
    .resources(null)
    .find(({ name }) => name === 'customers')
  const names = customers?.fields.map(({ name }) => name)
  expect(names).not.toContain('password_hash')
  expect(names).not.toContain('name')
  expect(customers?.fields).toContainEqual({ name: 'full_name', type: 'text', nullable: true })
  expect(customers?.fields).toContainEqual({ name: 'extra', type: 'timestamp', nullable: true })
  expect(customers?.fields[0]).toEqual({ name: 'id', type: 'integer', nullable: false })
  expect(customers?.primaryKey).toEqual(['id'])
})

test('a resource shows its default sort, its bound and how long its files are kept', () => {
  const [, orders, lineItems] = shopCatalog().resources(null)
  expect(orders).toMatchObject({ name: 'orders', defaultSort: ['-created_at', 'id'], maxRows: 5_000, retentionMs: DAY_MS })
  expect(lineItems).toMatchObject({ name: 'line_items', defaultSort: [], maxRows: null, retentionMs: 7 * DAY_MS })
})

test('without resources nothing is offered', () => {
  const catalog = createCatalog({ resources: {}, descriptions: new Map(), retentionMs: DAY_MS })
  expect(catalog.resources(null)).toEqual([])
})

test.each<[Partial<ResolvedResource>, string]>([
  [
    { table: 'costumers' },
    'resources.customers.table: the source "main" has no table or view "costumers". Did you mean "customers"?',
  ],
  [
    { tenant: 'tenantid' },
    'resources.customers.tenant: the table "customers" has no column "tenantid". Did you mean "tenant_id"?',
  ],
  [{ tenant: '' }, 'resources.customers.tenant: is missing: it says whose the rows are.'],
  [
    { hide: ['pasword_hash'] },
    'resources.customers.hide: the table "customers" has no column "pasword_hash". Did you mean "password_hash"?',
  ],
  [{ hide: ['__proto__'] }, 'resources.customers.hide: the table "customers" has no column "__proto__".'],
  [{ rename: { nam: 'x' } }, 'resources.customers.rename: the table "customers" has no column "nam". Did you mean "name"?'],
  [{ rename: { name: 'email' } }, 'resources.customers.rename: the columns "email" and "name" would both be called "email".'],
  [
    { types: { extras: 'date' } },
    'resources.customers.types: the table "customers" has no column "extras". Did you mean "extra"?',
  ],
  [{ dryDataOmits: ['scores'] }, 'resources.customers.dryDataOmits: there is no field "scores". Did you mean "score"?'],
  [{ sort: '-created' }, 'resources.customers.sort: "created" is nothing "customers" can be sorted by'],
  [{ sort: 'password_hash', hide: ['password_hash'] }, 'resources.customers.sort: "password_hash" is nothing'],
  [
    { relations: { order: false } },
    'resources.customers.relations.order: there is no relation of this name to hide. Did you mean "orders"?',
  ],
  [
    { relations: { friends: { resource: 'custmers', columns: ['id'], foreignColumns: ['id'], kind: 'many' } } },
    'resources.customers.relations.friends.resource: there is no resource "custmers". Did you mean "customers"?',
  ],
  [
    { relations: { friends: { resource: 'customers', columns: ['idd'], foreignColumns: ['id'], kind: 'many' } } },
    'resources.customers.relations.friends.columns: the table "customers" has no column "idd". Did you mean "id"?',
  ],
  [
    { relations: { friends: { resource: 'orders', columns: ['id'], foreignColumns: ['custmer_id'], kind: 'many' } } },
    'resources.customers.relations.friends.foreignColumns: the table "orders" has no column "custmer_id". Did you mean "customer_id"?',
  ],
  [
    { relations: { friends: { resource: 'orders', columns: ['id', 'name'], foreignColumns: ['id'], kind: 'many' } } },
    'resources.customers.relations.friends: columns and foreignColumns must pair up',
  ],
  [
    { relations: { email: { resource: 'orders', columns: ['id'], foreignColumns: ['customer_id'], kind: 'many' } } },
    'resources.customers.relations.email: "email" is the name of a field already',
  ],
])('the resource %j is CONFIG_INVALID with its place', (more, message) => {
  const error = refusalOf(() => shopCatalog({ customers: resource('customers', more) }))
  expect(error.code).toBe('CONFIG_INVALID')
  expect(error.message).toContain(message)
})

test('a resource without any tenant rule is refused, however it was made', () => {
  const { tenant: _, ...lawless } = resource('customers')
  const error = refusalOf(() => shopCatalog({ customers: lawless as ResolvedResource }))
  expect(error.message).toContain(
    "resources.customers.tenant: is missing: it says whose the rows are. Name the column that holds the tenant, or write 'shared'",
  )
})

test('a relation may not leave its source', () => {
  const relations = { old: { resource: 'archive', columns: ['id'], foreignColumns: ['id'], kind: 'one' } } as const
  const error = refusalOf(() =>
    shopCatalog({ orders: resource('orders', { relations }), archive: resource('orders', { source: 'old' }) }),
  )
  expect(error.message).toContain('resources.orders.relations.old.resource: "archive" is of another source')
})

test('columns with names that JavaScript objects have already are columns like others', () => {
  const odd = table('odd', { id: 'integer', constructor: 'text', toString: 'text', ['__proto__']: 'text' } as const)
  const catalog = shopCatalog({ odd: resource('odd', { tenant: 'shared', hide: ['toString'] }) }, [...SHOP_TABLES, odd])
  expect(
    catalog
      .resources(null)
      .at(-1)
      ?.fields.map(({ name }) => name),
  ).toEqual(['id', 'constructor', '__proto__'])
})
