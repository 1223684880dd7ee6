import { expect, it } from 'vitest'
import { isNumberedName, numberedName } from './numbered-name.ts'

it.each([
  ['orders-2026-11-22.csv', 1, 'orders-2026-11-22-00001.csv'],
  ['orders.csv.gz', 12, 'orders-00012.csv.gz'],
  ['orders.v2.ndjson.zst', 10_000, 'orders.v2-10000.ndjson.zst'],
  ['orders.gz', 3, 'orders-00003.gz'],
  ['orders', 100_000, 'orders-100000'],
  ['.orders', 1, '.orders-00001'],
])('%s, number %i, is %s', (name, number, numbered) => {
  expect(numberedName(name, number)).toBe(numbered)
  expect(isNumberedName(name, numbered)).toBe(true)
})

it('only the name with a number in it is one of the files', () => {
  for (const other of [
    'orders.csv',
    'orders-1.csv',
    'orders-00001.csv.gz',
    'orders-00001x.csv',
    'Orders-00001.csv',
    'orders-00001',
  ])
    expect(isNumberedName('orders.csv', other)).toBe(false)
})
