import { expect, test } from 'vitest'
import { didYouMean, nearestName } from './suggestion.ts'

const NAMES = ['status', 'state', 'created_at', 'customer_id', 'ID']

test.each([
  ['statsu', 'status'],
  ['Status', 'status'],
  ['createdat', 'created_at'],
  ['customer', null],
  ['custmer_id', 'customer_id'],
  ['id', 'ID'],
  ['warehouse', null],
  ['', null],
])('the nearest name to "%s" is %s', (asked, nearest) => {
  expect(nearestName(asked, NAMES)).toBe(nearest)
})

test('nothing is near to nothing, be it as short as a blank', () => {
  expect(nearestName('', [' '])).toBeNull()
})

test('a suggestion is a sentence to put behind a message, or nothing', () => {
  expect(didYouMean('statsu', NAMES)).toBe(' Did you mean "status"?')
  expect(didYouMean('x'.repeat(10_000_000), NAMES)).toBe('')
})
