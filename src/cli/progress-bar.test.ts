import { expect, it, test } from 'vitest'
import { barLine, bytesText, count, duration, figuresOf } from './progress-bar.ts'

const AT = new Date('2026-07-01T12:00:00Z')

test('the bar shows rows, share, rate and the time that is left', () => {
  const figures = figuresOf(
    { processed: 25_000, total: 100_000, totalIsEstimate: false, rowsPerSecond: 50_000, reached: 0, at: AT },
    AT,
  )
  expect(barLine('orders', figures, 120)).toBe(
    'orders  ██████░░░░░░░░░░░░░░░░░░   25 %  25,000 of 100,000 rows  2 s left  50,000 rows/s',
  )
})

test('an estimated total is called one, and nothing is shown that is not known', () => {
  const estimated = figuresOf({ processed: 10, total: 100, totalIsEstimate: true, rowsPerSecond: null, reached: 0, at: AT }, AT)
  expect(barLine('orders', estimated, 120)).toMatch(/ 10 % {2}10 of about 100 rows$/)
  const unknown = figuresOf({ processed: 10, total: null, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: AT }, AT)
  expect(barLine('orders', unknown, 120)).toMatch(/░{24} {4}\? % {2}10 rows$/)
})

test('the bar stays on one line of a narrow terminal', () => {
  const figures = figuresOf(
    { processed: 25_000, total: 100_000, totalIsEstimate: false, rowsPerSecond: 50_000, reached: 0, at: AT },
    AT,
  )
  expect(barLine('orders', figures, 80)).toHaveLength(79)
  expect(barLine('orders', figures, 80)).toMatch(/2 s left {2}50,000 rows\/s$/)
  expect(barLine('orders', figures, 64)).toMatch(/ 2 s left$/)
  expect(barLine('orders', figures, 40)).toHaveLength(39)
})

test('a run that is not yet verified is not at 100 %', () => {
  const figures = figuresOf({ processed: 100, total: 100, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: AT }, AT)
  expect(barLine('orders', figures, 120)).toContain(' 99 %')
})

it.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567, '1,234,567'],
])('%d is written %s', (value, text) => expect(count(value)).toBe(text))

it.each([
  [999, '999 bytes'],
  [1_000, '1.00 kB'],
  [12_345_678, '12.3 MB'],
])('%d bytes are written %s', (value, text) => expect(bytesText(value)).toBe(text))

it.each([
  [0.2, '1 s'],
  [61, '1 min 1 s'],
  [7_260, '2 h 1 min'],
])('%d seconds are written %s', (value, text) => expect(duration(value)).toBe(text))
