import { describe, expect, it } from 'vitest'
import type { Progress } from './job.ts'
import { estimateCompletion, percentage, RateWindow } from './progress.ts'

const at = (ms: number): Date => new Date(Date.UTC(2026, 0, 1) + ms)

const progress = (differences: Partial<Progress>): Progress => ({
  processed: 500,
  total: 1_000,
  totalIsEstimate: false,
  rowsPerSecond: 100,
  reached: 0,
  at: at(0),
  ...differences,
})

/** A window fed every half second with rows that `rowsAt` gives for the second. */
function windowOf(seconds: number, rowsAt: (second: number) => number): RateWindow {
  const window = new RateWindow()
  for (let second = 0; second <= seconds; second += 0.5) window.add(second * 1_000, rowsAt(second))
  return window
}

describe('the rate', () => {
  it('is not known before a quarter of a second, nor while no row came', () => {
    const window = new RateWindow()
    expect(window.perSecond()).toBeNull()
    window.add(0, 0)
    expect(window.perSecond()).toBeNull()
    window.add(249, 100)
    expect(window.perSecond()).toBeNull()
    window.add(250, 100)
    expect(window.perSecond()).toBe(400)
    expect(windowOf(3, () => 0).perSecond()).toBeNull()
  })

  it('is exact where rows come evenly', () => {
    expect(windowOf(60, (second) => second * 1_000).perSecond()).toBe(1_000)
  })

  it('follows a source that slows down within the last seconds, and forgets what was before', () => {
    const slowing = windowOf(70, (second) => (second <= 60 ? second * 1_000 : 60_000 + (second - 60) * 10))
    expect(slowing.perSecond()).toBeCloseTo(10, 6)
  })

  it('becomes unknown when no row has come for the length of the window', () => {
    expect(windowOf(70, (second) => Math.min(second, 60) * 1_000).perSecond()).toBeNull()
  })

  it('looks back over a gap without samples to the last one before it', () => {
    const window = new RateWindow()
    window.add(0, 0)
    window.add(20_000, 2_000)
    expect(window.perSecond()).toBe(100)
  })
})

describe('the estimated end', () => {
  it('is what remains over the rate', () => {
    expect(estimateCompletion(progress({}), at(0))).toEqual(at(5_000))
  })

  it('stays where it is between two stored figures, when read later', () => {
    expect(estimateCompletion(progress({}), at(2_000))).toEqual(at(5_000))
  })

  it('is never in the past: a run that is late ends now', () => {
    expect(estimateCompletion(progress({}), at(9_000))).toEqual(at(9_000))
  })

  it('does not count time backwards when the clock of the reader is behind', () => {
    expect(estimateCompletion(progress({}), at(-3_000))).toEqual(at(2_000))
  })

  it.each<[string, Partial<Progress>]>([
    ['there is no total', { total: null }],
    ['there is no rate', { rowsPerSecond: null }],
    ['the rate is zero', { rowsPerSecond: 0 }],
    ['an estimated total is reached', { totalIsEstimate: true, processed: 1_000 }],
    ['it lies beyond the dates that can be written', { total: 1e15, rowsPerSecond: 0.1 }],
    ['an estimated total is passed', { totalIsEstimate: true, processed: 1_200 }],
  ])('is unknown where %s', (_case, differences) => {
    expect(estimateCompletion(progress(differences), at(0))).toBeNull()
  })

  it('is now where all rows of an exact total have passed', () => {
    expect(estimateCompletion(progress({ processed: 1_000 }), at(100))).toEqual(at(100))
  })
})

describe('the percentage', () => {
  it('is cut to two places, never rounded up', () => {
    expect(percentage(progress({ processed: 1, total: 3 }), 'in_progress')).toBe(33.33)
    expect(percentage(progress({ processed: 2, total: 3 }), 'in_progress')).toBe(66.66)
    expect(percentage(progress({ processed: 0 }), 'in_progress')).toBe(0)
  })

  it('is exact where two places are', () => {
    const wrong: number[] = []
    for (let processed = 0; processed < 10_000; processed += 1) {
      if (percentage(progress({ processed, total: 10_000 }), 'in_progress') !== processed / 100) wrong.push(processed)
    }
    expect(wrong).toEqual([])
  })

  it('reaches 100 only when the job is done', () => {
    expect(percentage(progress({ processed: 1_000 }), 'in_progress')).toBe(99.99)
    expect(percentage(progress({ processed: 5_000, totalIsEstimate: true }), 'in_progress')).toBe(99.99)
    expect(percentage(progress({ processed: 1_000 }), 'completed')).toBe(100)
  })

  it('is unknown without a total, 0 for an empty one, and 100 once done in either case', () => {
    expect(percentage(progress({ total: null }), 'in_progress')).toBeNull()
    expect(percentage(progress({ total: 0, processed: 0 }), 'in_progress')).toBe(0)
    expect(percentage(progress({ total: null }), 'completed')).toBe(100)
    expect(percentage(progress({ total: 0, processed: 0 }), 'completed')).toBe(100)
  })
})
