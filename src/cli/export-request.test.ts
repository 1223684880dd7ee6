import { expect, it, test } from 'vitest'
import { condition, defaultFileName, exportRequest } from './export-request.ts'

it.each([
  { text: 'status_eq=paid', key: 'status_eq', value: 'paid' },
  { text: 'total_gt=100', key: 'total_gt', value: 100 },
  { text: 'id_eq=9007199254740993', key: 'id_eq', value: '9007199254740993' },
  { text: 'id_in=[1,9007199254740993]', key: 'id_in', value: [1, '9007199254740993'] },
  { text: 'rate_eq=0.10', key: 'rate_eq', value: 0.1 },
  { text: 'rate_eq=1234567890.12345678', key: 'rate_eq', value: '1234567890.12345678' },
  { text: 'paid_true=true', key: 'paid_true', value: true },
  { text: 'note_eq=', key: 'note_eq', value: '' },
  { text: 'note_eq="7"', key: 'note_eq', value: '7' },
  { text: 'code_eq=007', key: 'code_eq', value: '007' },
  { text: 'url_eq=a=b', key: 'url_eq', value: 'a=b' },
  { text: 'meta_jcont={"a":{"b":1}}', key: 'meta_jcont', value: { a: { b: 1 } } },
  { text: 'customer.email_eq=a@b.c', key: 'customer.email_eq', value: 'a@b.c' },
])('the condition $text is read without losing a digit', ({ text, key, value }) => {
  expect(condition(text)).toEqual([{ key, value }])
})

test('conditions add up, and the same attribute and predicate twice is refused', () => {
  expect(condition('b_eq=2', condition('a_eq=1'))).toEqual([
    { key: 'a_eq', value: 1 },
    { key: 'b_eq', value: 2 },
  ])
  expect(() => condition('a_eq=2', condition('a_eq=1'))).toThrow('already a condition a_eq')
})

test('flags that were not given ask for nothing', () => {
  expect(exportRequest({ resource: 'orders', format: 'csv', header: true })).toEqual({
    parts: [{ resource: 'orders', fields: [], includes: [], filters: {}, sort: [], limit: null, split: null }],
    format: 'csv',
    compression: null,
    options: {
      profile: null,
      delimiter: null,
      header: null,
      quoting: null,
      null_text: null,
      bom: null,
      line_end: null,
      times: null,
      time_zone: null,
      max_cell_mb: null,
    },
    dryData: false,
    onRowError: 'fail',
  })
})

test('a filter cannot reach the prototype of the filters', () => {
  const { parts } = exportRequest({ resource: 'orders', format: 'csv', header: true, where: condition('__proto__=1') })
  expect(Object.keys(parts[0]?.filters ?? {})).toEqual(['__proto__'])
})

it.each([
  { flags: { resource: 'orders', format: 'csv' }, name: 'orders.csv' },
  { flags: { resource: 'orders', format: 'json', compress: 'gzip' }, name: 'orders.json.gz' },
  { flags: { resource: 'orders', format: 'ndjson', compress: 'zstd' }, name: 'orders.ndjson.zst' },
  { flags: { resource: '../../etc/passwd', format: 'csv' }, name: '_.._etc_passwd.csv' },
  { flags: { resource: '-rf x', format: 'csv' }, name: 'rf_x.csv' },
])('an export without --output goes to $name in the current folder', ({ flags, name }) => {
  expect(defaultFileName(flags)).toBe(name)
})
