import { describe, expect, it } from 'vitest'
import { retryDelayMs } from './backoff.ts'

describe('the delay before a job is tried again', () => {
  it('doubles from one second and stays at a minute', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((failures) => retryDelayMs(failures, () => 0))
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })

  it('is up to two fifths longer, never shorter', () => {
    expect(retryDelayMs(3, () => 0)).toBe(4_000)
    expect(retryDelayMs(3, () => 1)).toBe(5_600)
  })
})
