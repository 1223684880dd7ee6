import { describe, expect, test } from 'vitest'
import { type Asked, check, checkedPart, refusalOf, resource, SHOP_TABLES, shopCatalog, table } from '../../test/shop-catalog.ts'
import { flatLeaves } from '../job/shape.ts'
import type { Selected } from '../job/spec.ts'

/** The tree as a caller sees it: `id`, `customer{email}`, `line_items[quantity]`. */
function outline(select: readonly Selected[]): string {
  return select
    .filter((node) => !(node.kind === 'field' && node.hidden))
    .map((node) => {
      if (node.kind === 'field') return node.name
      return node.kind === 'one' ? `${node.name}{${outline(node.select)}}` : `${node.name}[${outline(node.select)}]`
    })
    .join(' ')
}

function outlineOf(asked: Asked): string {
  return outline(checkedPart(asked).select)
}

const OWN = 'id tenant_id customer_id status total created_at updated_at'
const CUSTOMER = 'id tenant_id email name balance score is_vip birthday opens created_at uid metadata avatar extra'

test.each<[Asked, string]>([
  [{}, OWN],
  [{ fields: ['*'] }, OWN],
  [{ fields: ['total', 'id'] }, 'total id'],
  [{ fields: ['id', 'id', 'status', 'id'] }, 'id status'],
  [{ fields: ['status', '*'] }, 'status id tenant_id customer_id total created_at updated_at'],
  [{ fields: ['customer.email', 'id', 'customer.name'] }, 'customer{email name} id'],
  [{ fields: ['id', 'customer.*'] }, `id customer{${CUSTOMER}}`],
  [{ fields: ['line_items.sku.name', 'line_items.quantity'] }, 'line_items[sku{name} quantity]'],
  [{ includes: ['customer'] }, `${OWN} customer{${CUSTOMER}}`],
  [{ fields: ['id'], includes: ['line_items.sku'] }, 'id line_items[id tenant_id order_id sku_code quantity sku{code name}]'],
  [{ fields: ['line_items.id'], includes: ['line_items'] }, 'line_items[id tenant_id order_id sku_code quantity]'],
  [
    { fields: ['id'], includes: ['line_items.order.customer', 'line_items'] },
    `id line_items[id tenant_id order_id sku_code quantity order{${OWN} customer{${CUSTOMER}}}]`,
  ],
  [{ resource: 'customers', fields: ['id', 'orders.line_items.sku.code'] }, 'id orders[line_items[sku{code}]]'],
])('%j selects %s', (asked, expected) => {
  expect(outlineOf(asked)).toBe(expected)
})

test('the flat output has the columns in the order in which they were asked for', () => {
  const { select } = checkedPart({
    fields: ['customer.email', 'id', 'line_items.quantity', 'customer.name', 'line_items.id', 'total'],
  })
  const names = flatLeaves(select).map(({ path, leaf }) => [...path.map(({ name }) => name), leaf.name].join('.'))
  expect(names).toEqual(['customer.email', 'id', 'line_items', 'customer.name', 'total'])
})

test('a field carries what the source needs to know', () => {
  const catalog = shopCatalog({ orders: resource('orders', { rename: { id: 'number' }, types: { status: 'uuid' } }) })
  expect(checkedPart({ fields: ['number', 'status'] }, null, catalog).select).toEqual([
    {
      kind: 'field',
      name: 'number',
      column: 'id',
      type: 'integer',
      declaredType: 'integer',
      key: true,
      hidden: false,
      strict: true,
      position: 1,
    },
    // What is said of a column in the configuration replaces what the database declares.
    { kind: 'field', name: 'status', column: 'status', type: 'uuid', key: false, hidden: false, strict: false, position: 2 },
  ])
})

describe('the key that names a row in the errors log', () => {
  test('is read, unwritten, where it was not asked for', () => {
    const [key, status] = checkedPart({ fields: ['status'] }).select
    expect(key).toMatchObject({ name: 'id', key: true, hidden: true })
    expect(status).toMatchObject({ name: 'status', key: false, hidden: false })
  })

  test('is not read where the configuration hides it', () => {
    const catalog = shopCatalog({ orders: resource('orders', { hide: ['id'] }) })
    expect(checkedPart({ fields: ['status'] }, null, catalog).select).toHaveLength(1)
  })

  test('is not read from a view without one, nor from related rows', () => {
    expect(checkedPart({ resource: 'order_totals', fields: ['day'] }).select).toHaveLength(1)
    const [, customer] = checkedPart({ fields: ['customer.email'] }).select
    expect(customer).toMatchObject({ kind: 'one', select: [{ name: 'email', key: false }] })
  })
})

describe('whose rows', () => {
  test('every relation on the way has its own scope, the shared ones none', () => {
    const part = checkedPart({ fields: ['id'], includes: ['line_items.sku'] })
    const scope = { op: 'eq', column: 'tenant_id', type: 'text', value: { type: 'text', text: 'acme' } }
    expect(part.scope).toEqual(scope)
    const lineItems = part.select[1]
    expect(lineItems).toMatchObject({ name: 'line_items', join: { scope } })
    const sku = lineItems?.kind === 'many' ? lineItems.select.at(-1) : null
    expect(sku).toMatchObject({ name: 'sku', join: { scope: null } })
  })

  test('the command line has none', () => {
    const part = checkedPart({ includes: ['customer'], filters: { 'customer.email_eq': 'x' } }, null)
    expect(JSON.stringify(part)).not.toContain('"scope":{')
    expect(part.scope).toBeNull()
  })

  test.each([
    ['', 'text'],
    ['acme', 'integer'],
    ['1.5', 'integer'],
    ['acme', 'json'],
  ] as const)('the tenant "%s" of a column that holds %s is refused, never widened', (tenant, type) => {
    const catalog = shopCatalog({ orders: resource('orders', { types: { tenant_id: type } }) })
    expect(refusalOf(() => check({}, tenant, catalog)).code).toBe('FORBIDDEN')
  })

  test('a tenant whose column holds numbers is a number', () => {
    const catalog = shopCatalog({ orders: resource('orders', { types: { tenant_id: 'integer' } }) })
    expect(checkedPart({ fields: ['id'] }, '42', catalog).scope).toMatchObject({ type: 'integer', value: { text: '42' } })
  })
})

describe('dry_data', () => {
  test.each<[Asked, string]>([
    [{}, 'tenant_id customer_id status total'],
    [{ fields: ['id', 'status', 'created_at'] }, 'status'],
    [
      { includes: ['customer'] },
      'tenant_id status total customer{tenant_id email name balance score is_vip birthday opens uid metadata avatar extra}',
    ],
    [{ fields: ['customer_id', 'customer.email'] }, 'customer{email}'],
    [{ fields: ['status', 'customer.id'] }, 'status'],
    [{ fields: ['status'], includes: ['line_items'] }, 'status line_items[tenant_id sku_code quantity]'],
    [{ fields: ['status'], includes: ['line_items.sku'] }, 'status line_items[tenant_id quantity sku{name}]'],
  ])('%j leaves %s', (asked, expected) => {
    expect(outlineOf({ ...asked, dryData: true })).toBe(expected)
  })

  test('leaves out what the configuration names, and timestamps under their public names', () => {
    const catalog = shopCatalog({
      orders: resource('orders', { dryDataOmits: ['total'], rename: { status: 'updated_at', updated_at: 'changed' } }),
    })
    expect(outline(checkedPart({ dryData: true }, null, catalog).select)).toBe('tenant_id customer_id')
  })

  test('still reads the key for the errors log', () => {
    expect(checkedPart({ dryData: true }).select[0]).toMatchObject({ name: 'id', key: true, hidden: true })
  })

  test('that leaves nothing is refused', () => {
    expect(refusalOf(() => check({ fields: ['id', 'created_at'], dryData: true })).place).toBe('VALIDATION_FAILED /dry_data')
  })
})

describe('fields and includes that are refused', () => {
  const long = `${'a'.repeat(63)}b`

  test.each<[Asked, string]>([
    [{ fields: ['id; drop table canary'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['id', 'id" from canary--'] }, 'FIELD_UNKNOWN /fields/1'],
    [{ fields: ['(select password from users)'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['count(*)'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['id::text'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['1'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: [''] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['ctid'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['rowid'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: [long] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['ID'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['ıd'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['id\u200b'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: [' id'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['__proto__'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['constructor'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['customer'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['customer.'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['.id'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['*.*'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['customer.password_hash'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ resource: 'customers', fields: ['password_hash'] }, 'FIELD_UNKNOWN /fields/0'],
    [{ fields: ['customer.orders.customer.orders.id'] }, 'INCLUDE_TOO_DEEP /fields/0'],
    [{ fields: Array.from({ length: 1_001 }, () => 'id') }, 'VALIDATION_FAILED /fields'],
    [{ includes: ['customers'] }, 'RELATION_UNKNOWN /includes/0'],
    [{ includes: [''] }, 'RELATION_UNKNOWN /includes/0'],
    [{ includes: ['customer.'] }, 'RELATION_UNKNOWN /includes/0'],
    [{ includes: ['__proto__'] }, 'RELATION_UNKNOWN /includes/0'],
    [{ includes: ['customer', 'orders'] }, 'RELATION_UNKNOWN /includes/1'],
    [{ includes: ['customer.orders.customer.orders'] }, 'INCLUDE_TOO_DEEP /includes/0'],
    [{ includes: [Array.from({ length: 25 }, () => 'customer.orders').join('.')] }, 'INCLUDE_TOO_DEEP /includes/0'],
    [{ includes: Array.from({ length: 101 }, () => 'customer') }, 'VALIDATION_FAILED /includes'],
  ])('%j is %s', (asked, place) => {
    expect(refusalOf(() => check(asked)).place).toBe(place)
  })

  test('say what would have been accepted at that place, and what was probably meant', () => {
    const error = refusalOf(() => check({ fields: ['customer.emial'] }))
    expect(error.message).toBe('"customers" has no field "emial". Did you mean "customer.email"?')
    expect(error.details.allowed).toContain('customer.email')
    expect(error.details.allowed).toContain('customer.orders.*')
    expect(JSON.stringify(error.details.allowed)).not.toContain('password')
  })

  test('say how a relation is asked for', () => {
    expect(refusalOf(() => check({ fields: ['customer'] })).message).toContain('"customer" is a relation; write "customer.*"')
  })

  test('never repeat a megabyte', () => {
    expect(refusalOf(() => check({ fields: ['x'.repeat(1_000_000)] })).message.length).toBeLessThan(300)
  })
})

test('a column that the configuration calls text is text, whatever its declared type says of it', () => {
  const columns = ['tags', 'codes'].map((name) => {
    return { name, type: 'text' as const, declaredType: 'integer[]', nullable: true, strict: false }
  })
  const lists = { ...table('lists', {}, { primaryKey: [] }), columns }
  const catalog = shopCatalog({ lists: resource('lists', { tenant: 'shared', types: { codes: 'text' } }) }, [
    ...SHOP_TABLES,
    lists,
  ])
  const { select } = checkedPart({ resource: 'lists' }, null, catalog)
  expect(select.map((node) => node.kind === 'field' && [node.name, node.declaredType])).toEqual([
    ['tags', 'integer[]'],
    ['codes', undefined],
  ])
})

test('a table without columns may be exported, one whose columns are all hidden may not', () => {
  const nothing = table('nothing', {}, { primaryKey: [] })
  const secret = table('secret', { token: 'text' }, { primaryKey: [] })
  const resources = {
    nothing: resource('nothing', { tenant: 'shared' }),
    secret: resource('secret', { tenant: 'shared', hide: ['token'] }),
  }
  const catalog = shopCatalog(resources, [...SHOP_TABLES, nothing, secret])
  expect(checkedPart({ resource: 'nothing' }, null, catalog).select).toEqual([])
  const error = refusalOf(() => check({ resource: 'secret' }, null, catalog))
  expect([error.place, error.message]).toEqual(['VALIDATION_FAILED /fields', '"secret" has no fields to export.'])
})

test('more than 1,900 columns are refused, related ones counted', () => {
  const wide = table('wide', {
    id: 'integer',
    ...Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`c${n}`, 'text' as const])),
  })
  const relations = { twin: { resource: 'wide', columns: ['id'], foreignColumns: ['id'], kind: 'one' } } as const
  const catalog = shopCatalog({ wide: resource('wide', { tenant: 'shared', relations }) }, [...SHOP_TABLES, wide])
  expect(checkedPart({ resource: 'wide' }, null, catalog).select).toHaveLength(1_001)
  const error = refusalOf(() => check({ resource: 'wide', includes: ['twin'] }, null, catalog))
  expect(error.place).toBe('TOO_MANY_COLUMNS /includes/0')
})

test('more relations than a database can join are refused', () => {
  const node = table('nodes', { id: 'integer', other: 'integer' })
  const relations = Object.fromEntries(
    Array.from({ length: 31 }, (_, n) => [
      `r${n}`,
      { resource: 'nodes', columns: ['other'], foreignColumns: ['id'], kind: 'one' as const },
    ]),
  )
  const catalog = shopCatalog({ nodes: resource('nodes', { tenant: 'shared', relations }) }, [...SHOP_TABLES, node])
  const error = refusalOf(() => check({ resource: 'nodes', includes: Object.keys(relations) }, null, catalog))
  expect(error.place).toBe('TOO_MANY_COLUMNS /includes/30')
})

test('fields with titles are called so in a flat file, and one may come twice', () => {
  const asked = { fields: ['status', 'customer.email', 'status', 'id'], titles: ['State', 'E-mail', 'State again', 'customer'] }
  const leaves = flatLeaves(checkedPart(asked).select)
  expect(leaves.map(({ leaf }) => [leaf.name, leaf.kind === 'field' ? leaf.title : null])).toEqual([
    ['status', 'State'],
    ['email', 'E-mail'],
    ['status', 'State again'],
    ['id', 'customer'],
  ])
})
