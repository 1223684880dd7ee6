import { expect, test } from 'vitest'
import { checkedPart, foreignKey, resource, SHOP_TABLES, shopCatalog, table } from '../../test/shop-catalog.ts'
import type { ResolvedResource } from '../config/resolved.ts'
import type { TableDescription } from '../sources/source.ts'
import { singular } from './singular.ts'

function relationsOf(
  name: string,
  changes: Readonly<Record<string, ResolvedResource | undefined>> = {},
  tables: readonly TableDescription[] = SHOP_TABLES,
): Record<string, string> {
  const found = shopCatalog(changes, tables)
    .resources(null)
    .find((offered) => offered.name === name)
  return Object.fromEntries(found?.relations.map((relation) => [relation.name, `${relation.kind} ${relation.resource}`]) ?? [])
}

test('foreign keys make relations in both directions', () => {
  expect(relationsOf('orders')).toEqual({ customer: 'one customers', line_items: 'many line_items' })
  expect(relationsOf('line_items')).toEqual({ order: 'one orders', sku: 'one skus' })
  expect(relationsOf('skus')).toEqual({ line_items: 'many line_items' })
})

test('relations of one name all get their column behind it', () => {
  expect(relationsOf('customers')).toEqual({
    orders: 'many orders',
    messages_by_sender_id: 'many messages',
    messages_by_recipient_id: 'many messages',
  })
})

test('a resource that is not offered has no relations to it', () => {
  expect(relationsOf('orders', { customers: undefined })).toEqual({ line_items: 'many line_items' })
})

test('a resource of another source has no relations to it', () => {
  expect(relationsOf('orders', { customers: resource('customers', { source: 'other' }) })).toEqual({
    line_items: 'many line_items',
  })
})

test('a foreign key on a hidden column makes no relation on either side', () => {
  const orders = resource('orders', { hide: ['customer_id'] })
  expect(relationsOf('orders', { orders })).toEqual({ line_items: 'many line_items' })
  expect(relationsOf('customers', { orders })).not.toHaveProperty('orders')
})

test('a table that refers to itself has both directions', () => {
  const tree = table(
    'categories',
    { id: 'integer', parent_id: 'integer' },
    { foreignKeys: [foreignKey('parent_id', 'categories')] },
  )
  expect(relationsOf('categories', { categories: resource('categories', { tenant: 'shared' }) }, [...SHOP_TABLES, tree])).toEqual(
    {
      parent: 'one categories',
      categories: 'many categories',
    },
  )
})

test('names that clash even with their column are told apart', () => {
  const odd = table('node', { id: 'integer', node_id: 'integer' }, { foreignKeys: [foreignKey('node_id', 'node')] })
  expect(relationsOf('node', { node: resource('node', { tenant: 'shared' }) }, [...SHOP_TABLES, odd])).toEqual({
    node_by_node_id: 'one node',
    node_by_node_id_2: 'many node',
  })
})

test('a relation never takes the name of a field', () => {
  const notes = table(
    'notes',
    { id: 'integer', author: 'text', author_id: 'integer' },
    { foreignKeys: [foreignKey('author_id', 'customers')] },
  )
  expect(relationsOf('notes', { notes: resource('notes', { tenant: 'shared' }) }, [...SHOP_TABLES, notes])).toEqual({
    author_by_author_id: 'one customers',
  })
})

test('in a key of several columns the tenant is not what names the relation, and may be hidden', () => {
  const columns = ['tenant_id', 'customer_id']
  const invoices = table(
    'invoices',
    { id: 'integer', tenant_id: 'text', customer_id: 'integer' },
    { foreignKeys: [{ columns, table: 'customers', foreignColumns: ['tenant_id', 'id'], indexed: true }] },
  )
  const changes = { invoices: resource('invoices', { hide: ['tenant_id'] }) }
  expect(relationsOf('invoices', changes, [...SHOP_TABLES, invoices])).toEqual({ customer: 'one customers' })
})

test('a foreign key to columns that are gone makes no relation', () => {
  const stale = table(
    'stale',
    { id: 'integer', order_id: 'integer' },
    { foreignKeys: [foreignKey('order_id', 'orders', 'number')] },
  )
  expect(relationsOf('stale', { stale: resource('stale', { tenant: 'shared' }) }, [...SHOP_TABLES, stale])).toEqual({})
})

test('the configuration adds, renames, replaces and hides relations', () => {
  const relations = {
    buyer: { resource: 'customers', columns: ['customer_id'], foreignColumns: ['id'], kind: 'one' },
    line_items: false,
    twins: { resource: 'orders', columns: ['total'], foreignColumns: ['total'], kind: 'many' },
  } as const
  expect(relationsOf('orders', { orders: resource('orders', { relations }) })).toEqual({
    buyer: 'one customers',
    twins: 'many orders',
  })
})

test('a join knows whether a look-up is quick and what orders its elements', () => {
  const { select } = checkedPart({ fields: ['line_items.id', 'customer.id'] })
  const joins = Object.fromEntries(select.flatMap((node) => (node.kind === 'field' ? [] : [[node.name, node.join]])))
  expect(joins.line_items).toMatchObject({ localColumns: ['id'], foreignColumns: ['order_id'], indexed: false, orderBy: ['id'] })
  expect(joins.customer).toMatchObject({ localColumns: ['customer_id'], foreignColumns: ['id'], indexed: true, orderBy: [] })
})

test.each([
  ['customers', 'customer'],
  ['categories', 'category'],
  ['addresses', 'address'],
  ['boxes', 'box'],
  ['branches', 'branch'],
  ['line_items', 'line_item'],
  ['prices', 'price'],
  ['skus', 'sku'],
  ['status', 'status'],
  ['analysis', 'analysis'],
  ['stock', 'stock'],
])('the singular of %s is %s', (plural, expected) => {
  expect(singular(plural)).toBe(expected)
})
