import { expect, test } from 'vitest'
import { check, checkedPart, refusalOf } from '../../test/shop-catalog.ts'

test('sort keys are fields, a leading minus descends', () => {
  expect(checkedPart({ sort: ['-total', 'id'] }).sort).toEqual([
    { path: [], column: 'total', descending: true },
    { path: [], column: 'id', descending: false },
  ])
})

test('a to-one relation may lead to the field, with its own scope', () => {
  const [key] = checkedPart({ resource: 'line_items', sort: ['-order.customer.email'] }).sort
  expect(key).toMatchObject({ column: 'email', descending: true })
  expect(key?.path.map(({ table, scope }) => [table.name, scope !== null])).toEqual([
    ['orders', true],
    ['customers', true],
  ])
})

test('without a sort the configured one stands, else the source its own key order', () => {
  expect(checkedPart({}).sort.map(({ column, descending }) => [column, descending])).toEqual([
    ['created_at', true],
    ['id', false],
  ])
  expect(checkedPart({ resource: 'customers' }).sort).toEqual([])
})

test('a field that comes twice sorts once', () => {
  expect(checkedPart({ sort: ['id', '-id', 'total'] }).sort.map(({ column }) => column)).toEqual(['id', 'total'])
})

test.each([
  'desc; drop',
  'id desc',
  'id; drop table canary',
  'ID',
  '+id',
  '--id',
  '-',
  '',
  '*',
  'customer',
  'customer.password_hash',
  'customer.metadata',
  'line_items.quantity',
  'line_items.sku.name',
  '__proto__',
  'constructor',
  'rowid',
])('"%s" is nothing to sort by', (key) => {
  const error = refusalOf(() => check({ sort: ['id', key] }))
  expect(error.place).toBe('SORT_UNKNOWN /sort/1')
  expect(error.details.allowed).toContain('customer.email')
  expect(JSON.stringify(error.details.allowed)).not.toMatch(/password|line_items|metadata/)
})

test('at most ten keys are taken', () => {
  expect(refusalOf(() => check({ sort: Array.from({ length: 11 }, () => 'id') })).place).toBe('VALIDATION_FAILED /sort')
})
