import { describe, expect, it } from 'vitest'
import { isExpired, JOB_STATUSES } from './job.ts'

const now = new Date('2026-01-02T00:00:00Z')

describe('expiry', () => {
  it('begins at the very instant, for completed jobs only', () => {
    expect(isExpired({ status: 'completed', expiresAt: now }, now)).toBe(true)
    expect(isExpired({ status: 'completed', expiresAt: new Date(now.getTime() + 1) }, now)).toBe(false)
    expect(isExpired({ status: 'completed', expiresAt: null }, now)).toBe(false)
    const expired = JOB_STATUSES.filter((status) => isExpired({ status, expiresAt: new Date(0) }, now))
    expect(expired).toEqual(['completed'])
  })
})
