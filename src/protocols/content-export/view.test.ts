import { describe, expect, it } from 'vitest'
import { newJob } from '../../../test/contracts/sample-job.ts'
import type { Job } from '../../job/job.ts'
import { viewStatus } from './view.ts'

const NOW = new Date('2026-03-01T12:10:00.000Z')
const STARTED = new Date('2026-03-01T12:00:00.000Z')

function job(differences: Partial<Job>): Job {
  const sample: Job = {
    ...newJob(1),
    protocol: 'content-export',
    status: 'pending',
    run: 1,
    failures: 0,
    availableAt: null,
    results: null,
    error: null,
    errorsLog: [],
    files: [],
    manifest: null,
    updatedAt: STARTED,
    startedAt: STARTED,
    completedAt: null,
    failedAt: null,
    interruptedAt: null,
    cancelledAt: null,
    expiresAt: null,
    filesRemovedAt: null,
  } as unknown as Job
  return { ...sample, ...differences }
}

const at = { rowsPerSecond: 10, reached: 0, at: NOW, totalIsEstimate: false }

describe('the status of an export', () => {
  it('is nothing but Pending while it waits, also for another try and when interrupted', () => {
    for (const status of ['pending', 'interrupted'] as const)
      expect(viewStatus(job({ status }), NOW)).toEqual({ status: 'Pending' })
  })

  it('has the true percentage and the expected end while it runs', () => {
    expect(viewStatus(job({ status: 'in_progress', progress: { ...at, processed: 1_500, total: 4_500 } }), NOW)).toEqual({
      status: 'In Progress',
      progress: { processed: 1_500, total: 4_500, percentage: 33.33 },
      startTime: '2026-03-01T12:00:00.000Z',
      estimatedCompletion: '2026-03-01T12:15:00.000Z',
    })
  })

  it('leaves out what is not known yet', () => {
    const progress = { ...at, rowsPerSecond: null, processed: 7, total: null }
    expect(viewStatus(job({ status: 'in_progress', progress }), NOW)).toEqual({
      status: 'In Progress',
      progress: { processed: 7 },
      startTime: '2026-03-01T12:00:00.000Z',
    })
  })

  it('sums to the total when it was successful, however long ago', () => {
    const done = job({
      status: 'completed',
      progress: { ...at, processed: 4_500, total: 4_500 },
      results: { successful: 4_485, warnings: 12, errors: 3 },
      completedAt: NOW,
      expiresAt: STARTED,
    })
    expect(viewStatus(done, NOW)).toEqual({
      status: 'Successful',
      progress: { processed: 4_500, total: 4_500, percentage: 100 },
      startTime: '2026-03-01T12:00:00.000Z',
      completionTime: '2026-03-01T12:10:00.000Z',
      results: { successful: 4_485, warnings: 12, errors: 3 },
    })
  })

  it('says why it failed, and how far it had come', () => {
    const failed = job({
      status: 'failed',
      progress: { ...at, processed: 1_500, total: 4_500 },
      error: { code: 'DELIVERY_FAILED', message: 'The export could not be delivered.' },
      failedAt: NOW,
    })
    expect(viewStatus(failed, NOW)).toEqual({
      status: 'Failed',
      progress: { processed: 1_500, total: 4_500, percentage: 33.33 },
      startTime: '2026-03-01T12:00:00.000Z',
      failureTime: '2026-03-01T12:10:00.000Z',
      error: 'The export could not be delivered.',
    })
  })

  it('says that it was cancelled, also before it began', () => {
    expect(viewStatus(job({ status: 'cancelled', startedAt: null, cancelledAt: NOW }), NOW)).toMatchObject({
      status: 'Failed',
      startTime: newJob(1).createdAt.toISOString(),
      failureTime: '2026-03-01T12:10:00.000Z',
      error: 'The export was cancelled.',
    })
  })
})
