import { describe, expect, test } from 'vitest'
import { check, checkedPart, refusalOf, resource, SHOP_TABLES, shopCatalog, table } from '../../test/shop-catalog.ts'
import type { Predicate } from '../job/spec.ts'
import type { Catalog } from './catalog.ts'

const SCOPE = { op: 'eq', column: 'tenant_id', type: 'text', value: { type: 'text', text: 'acme' } }

function where(filters: Record<string, unknown>, name = 'orders', catalog: Catalog = shopCatalog()): Predicate | null {
  return checkedPart({ resource: name, filters }, 'acme', catalog).where
}

function eq(column: string, text: string): object {
  return { op: 'eq', column, type: 'text', value: { type: 'text', text } }
}

describe('a key', () => {
  test('is an attribute and a predicate; several keys are ANDed', () => {
    expect(where({})).toBeNull()
    expect(where({ status_eq: 'paid' })).toEqual(eq('status', 'paid'))
    expect(where({ status_eq: 'paid', id_gt: 5 })).toEqual({
      op: 'and',
      of: [eq('status', 'paid'), { op: 'gt', column: 'id', type: 'integer', value: { type: 'integer', text: '5' } }],
    })
  })

  test('names attributes by their public name and the source by the column', () => {
    const catalog = shopCatalog({ orders: resource('orders', { rename: { status: 'state' } }) })
    expect(where({ state_eq: 'paid' }, 'orders', catalog)).toEqual(eq('status', 'paid'))
    expect(refusalOf(() => where({ status_eq: 'paid' }, 'orders', catalog)).code).toBe('FILTER_UNKNOWN')
  })

  test('joins attributes with _or_, each judged by its own type', () => {
    expect(where({ name_or_email_eq: 'x' }, 'customers')).toEqual({ op: 'or', of: [eq('name', 'x'), eq('email', 'x')] })
    expect(refusalOf(() => where({ name_or_id_eq: 'x' }, 'customers')).place).toBe('FILTER_VALUE_INVALID /filters/name_or_id_eq')
    expect(refusalOf(() => where({ name_or_id_cont: 'x' }, 'customers')).place).toBe('FILTER_UNKNOWN /filters/name_or_id_cont')
  })

  test('goes through relations by dots, also on one side of an _or_', () => {
    const customer = { op: 'related', join: { table: { name: 'customers' }, scope: SCOPE }, where: eq('email', 'x') }
    expect(where({ 'customer.email_eq': 'x' })).toMatchObject(customer)
    expect(where({ 'status_or_customer.email_eq': 'x' })).toMatchObject({ op: 'or', of: [eq('status', 'x'), customer] })
    expect(where({ 'line_items.sku.name_eq': 'x' })).toMatchObject({
      op: 'related',
      join: { table: { name: 'line_items' }, scope: SCOPE },
      where: { op: 'related', join: { table: { name: 'skus' }, scope: null }, where: eq('name', 'x') },
    })
  })

  const odd = table('odd', {
    id: 'integer',
    status: 'text',
    status_not: 'text',
    a: 'text',
    a_or_b: 'text',
    b: 'text',
    created: 'text',
    created_at: 'text',
  })
  const oddCatalog = shopCatalog({ odd: resource('odd', { tenant: 'shared' }) }, [...SHOP_TABLES, odd])

  test('takes the longest attribute where only that one is followed by a predicate', () => {
    expect(where({ created_at_eq: 'x' }, 'odd', oddCatalog)).toEqual(eq('created_at', 'x'))
    expect(
      where(
        { status_not_cont: 'x' },
        'customers',
        shopCatalog({ customers: resource('customers', { rename: { name: 'status' } }) }),
      ),
    ).toMatchObject({
      op: 'not',
      of: { op: 'like', column: 'name' },
    })
  })

  test.each([
    ['status_not_eq', '"status_not" with "eq"', '"status" with "not_eq"'],
    ['a_or_b_eq', '"a_or_b" with "eq"', '"a" or "b" with "eq"'],
  ])('that can be read in two ways is refused: %s', (key, one, other) => {
    const error = refusalOf(() => where({ [key]: 'x' }, 'odd', oddCatalog))
    expect(error.place).toBe(`FILTER_AMBIGUOUS /filters/${key}`)
    expect(error.message).toContain(one)
    expect(error.message).toContain(other)
  })

  test.each([
    'status',
    'status_',
    'status_equals',
    '_eq',
    '',
    'eq',
    'Status_eq',
    'status_EQ',
    'statuss_eq',
    'status eq',
    '$where',
    'status_$ne',
    'status_regex',
    'status_=',
    'status_or_eq',
    'status_or_nothing_eq',
    'status_eq_or_',
    '__proto___eq',
    'constructor_eq',
    'toString_null',
    'customer_email_eq',
    'customer.password_hash_eq',
    'customer.password_hash_null',
    'customer_eq',
    'customers.email_eq',
    'customer..email_eq',
    'customer.orders.customer.orders.id_eq',
    'rowid_gt',
    "status_eq' or 1=1--",
  ])('that is unknown is refused, never ignored: %s', (key) => {
    const error = refusalOf(() => where({ [key]: 'x' }))
    expect(error.place).toBe(`FILTER_UNKNOWN /filters/${key}`)
    expect(error.details.allowed?.length).toBeGreaterThan(0)
    expect(JSON.stringify(error.details.allowed)).not.toContain('password')
  })

  test('that is unknown gets the nearest name', () => {
    expect(refusalOf(() => where({ statsu_eq: 'x' })).message).toContain('Did you mean "status"?')
    expect(refusalOf(() => where({ status_equ: 'x' })).message).toContain('Did you mean "status_eq"?')
    expect(refusalOf(() => where({ 'customer.emial_cont': 'x' })).message).toContain('Did you mean "customer.email"?')
  })

  test('as an own member called __proto__ is an unknown attribute', () => {
    const filters = JSON.parse('{"__proto__": {"status_eq": "x"}, "constructor": 1}')
    expect(refusalOf(() => where(filters)).place).toBe('FILTER_UNKNOWN /filters/__proto__')
  })

  test('is escaped in the pointer', () => {
    expect(refusalOf(() => where({ 'a/b~c_eq': 'x' })).details.pointer).toBe('/filters/a~1b~0c_eq')
  })

  test('of a megabyte, or of a thousand attributes, is refused at once', () => {
    expect(refusalOf(() => where({ ['x'.repeat(1_000_000)]: 'x' })).place).toBe('FILTER_UNKNOWN /filters')
    const chain = `${Array.from({ length: 80 }, () => 'a').join('_or_')}_eqq`
    expect(refusalOf(() => where({ [chain]: 'x' }, 'odd', oddCatalog)).code).toBe('FILTER_UNKNOWN')
  })

  test('is one of at most 200', () => {
    const filters = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`k${n}`, n]))
    expect(refusalOf(() => where(filters)).place).toBe('VALIDATION_FAILED /filters')
  })
})

describe('a value', () => {
  test.each<[string, unknown]>([
    ['status_eq', null],
    ['status_eq', 5],
    ['status_eq', ['paid']],
    ['status_eq', { $ne: 'paid' }],
    ['status_cont', null],
    ['id_gt', null],
    ['id_gt', 'abc'],
    ['id_eq', 1.5],
    ['id_in', 5],
    ['id_in', '1,2'],
    ['id_in', { 0: 1 }],
    ['created_at_gt', 'infinity'],
    ['created_at_gt', 'today'],
    ['status_null', 'true'],
    ['status_null', 1],
    ['status_null', null],
    ['status_present', []],
    ['status_matches', 'a\\'],
    ['status_matches', 'C:\\dir'],
    ['status_matches', 'é'.repeat(25_001)],
    ['status_cont', '%'.repeat(25_001)],
    ['customer.metadata_jcont', null],
    ['customer.metadata_jcont', { a: Number.POSITIVE_INFINITY }],
    ['customer.metadata_jcont', { a: 2 ** 60 }],
    ['customer.metadata_jcont', { a: 'x\0' }],
    ['customer.metadata_jcont', { '\ud800': 1 }],
    ['customer.metadata_jcont', { a: 'x'.repeat(200_000) }],
    ['customer.metadata_jcont', undefined],
    ['customer.metadata_jcont_any', { a: 1 }],
    ['customer.metadata_jcont_any', Array.from({ length: 501 }, () => 'a')],
  ])('of %s that is %j is refused', (key, value) => {
    const error = refusalOf(() => where({ [key]: value }))
    expect(error.place).toBe(`FILTER_VALUE_INVALID /filters/${key}`)
  })

  test('inside a list is refused with its place', () => {
    expect(refusalOf(() => where({ id_in: [1, 'x'] })).place).toBe('FILTER_VALUE_INVALID /filters/id_in/1')
    expect(refusalOf(() => where({ id_in: [1, [2]] })).place).toBe('FILTER_VALUE_INVALID /filters/id_in/1')
    const jcontAny = refusalOf(() => where({ 'customer.metadata_jcont_any': ['a', undefined] }))
    expect(jcontAny.place).toBe('FILTER_VALUE_INVALID /filters/customer.metadata_jcont_any/1')
    expect(refusalOf(() => where({ id_in: [null] })).message).toContain('_or_null')
  })

  test('that is null is refused with what to write', () => {
    expect(refusalOf(() => where({ status_eq: null })).message).toBe(
      'The filter "status_eq" takes no null; ask with "status_null": true.',
    )
  })

  test('is never repeated in a message', () => {
    const error = refusalOf(() => where({ id_eq: 'my-secret-value' }))
    expect(JSON.stringify([error.message, error.details])).not.toContain('my-secret-value')
  })

  test('of jcont may be any JSON, but not deep without end', () => {
    expect(where({ 'customer.metadata_jcont': { a: [true, null, 'x', 1.5] } })).toMatchObject({
      where: { op: 'json_contains', column: 'metadata', json: '{"a":[true,null,"x",1.5]}' },
    })
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    expect(refusalOf(() => where({ 'customer.metadata_jcont': deep })).message).toContain('50 levels')
  })
})

describe('a list', () => {
  test('of 70,000 values is taken whole', () => {
    const predicate = where({ id_in: Array.from({ length: 70_000 }, (_, n) => n) })
    expect(predicate?.op === 'in' && predicate.values.length).toBe(70_000)
  })

  test('of more than 100,000 values is refused, also when several lists come to that', () => {
    expect(refusalOf(() => where({ id_in: Array.from({ length: 100_001 }, () => 1) })).place).toBe(
      'FILTER_VALUE_INVALID /filters/id_in',
    )
    const half = Array.from({ length: 60_000 }, () => 1)
    expect(refusalOf(() => where({ id_in: half, id_not_in: half })).place).toBe('VALIDATION_FAILED /filters/id_not_in')
  })

  test('of patterns is as long as an expression may be', () => {
    const patterns = (length: number): string[] => Array.from({ length }, () => 'x')
    expect(where({ status_cont_any: patterns(500) })).toMatchObject({ op: 'or' })
    expect(refusalOf(() => where({ status_cont_any: patterns(501) })).code).toBe('FILTER_VALUE_INVALID')
    expect(refusalOf(() => where({ status_cont_any: patterns(300), status_end_any: patterns(300) })).place).toBe(
      'VALIDATION_FAILED /filters/status_end_any',
    )
  })
})

describe('through a relation to one', () => {
  test('what is true of NULL is true of a missing row, as in the file', () => {
    expect(where({ 'customer.email_null': true })).toMatchObject({
      op: 'or',
      of: [
        { op: 'related', where: { op: 'is_null', column: 'email' } },
        { op: 'not', of: { op: 'related', where: { op: 'and', of: [] } } },
      ],
    })
    expect(where({ 'customer.email_not_eq': 'x' })).toMatchObject({ op: 'related' })
    expect(where({ 'customer.email_eq_or_null': 'x' })).toMatchObject({ op: 'or' })
  })

  test('but through one to many a related row must be there', () => {
    expect(where({ 'line_items.sku_code_null': true })).toMatchObject({ op: 'related', where: { op: 'is_null' } })
    expect(where({ 'line_items.sku.name_null': true })).toMatchObject({ op: 'related', where: { op: 'or' } })
  })
})

test.each<[Record<string, unknown>]>([
  [{ tenant_id_in: ['acme', 'globex'] }],
  [{ tenant_id_or_status_eq: 'globex' }],
  [{ tenant_id_not_eq: 'acme' }],
  [{ tenant_id_null: true }],
  [{ status_not_in: [] }],
])('the tenant column is a field like others, but %j stands inside the scope', (filters) => {
  const part = checkedPart({ filters })
  expect(part.scope).toEqual(SCOPE)
  expect(part.where).not.toBeNull()
})

test('no filter is lost on the way', () => {
  const filters = { status_eq: 'a', id_lt: 1, total_gt: '2.50', 'customer.name_cont': 'x', customer_id_not_null: true }
  const spec = check({ filters })
  expect(spec.parts[0]?.where).toMatchObject({ op: 'and', of: { length: 5 } })
})
