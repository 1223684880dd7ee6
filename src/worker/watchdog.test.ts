import { describe, expect, it, vi } from 'vitest'
import { Watchdog } from './watchdog.ts'

describe('Watchdog', () => {
  it('a run that stands still is ended with NO_PROGRESS', () => {
    vi.useFakeTimers()
    using watchdog = new Watchdog(new AbortController().signal, { noProgressMs: 1_000, maxRunMs: 60_000 })
    vi.advanceTimersByTime(900)
    watchdog.alive()
    vi.advanceTimersByTime(900)
    expect(watchdog.signal.aborted).toBe(false)
    vi.advanceTimersByTime(200)
    expect(watchdog.signal.aborted).toBe(true)
    expect(watchdog.reason().code).toBe('NO_PROGRESS')
    vi.useRealTimers()
  })

  it('a run that goes on for too long is ended, however lively', () => {
    vi.useFakeTimers()
    using watchdog = new Watchdog(new AbortController().signal, { noProgressMs: 1_000, maxRunMs: 3_000 })
    for (let tick = 0; tick < 4; tick += 1) {
      vi.advanceTimersByTime(800)
      watchdog.alive()
    }
    expect(watchdog.signal.aborted).toBe(true)
    expect(watchdog.reason().message).toContain('had not finished')
    vi.useRealTimers()
  })

  it('an outer abort is passed on, and is the reason ABORTED', () => {
    const outer = new AbortController()
    using watchdog = new Watchdog(outer.signal, { noProgressMs: 1_000, maxRunMs: 3_000 })
    outer.abort()
    expect(watchdog.signal.aborted).toBe(true)
    expect(watchdog.reason().code).toBe('ABORTED')
  })
})
