/** The rules by which histories are judged find what they are there to find: each breach here differs in one thing from a good one. */
import { describe, expect, it } from 'vitest'
import type { EventView, ExportView } from '../rig.ts'
import { eventFaults, stateFaults, stepFaults } from './history.ts'

const time = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

/** Only what the rules look at. */
function view(differences: Record<string, unknown> = {}): ExportView {
  return {
    status: 'in_progress',
    attempt: 1,
    progress: { processed: 50, total: 100, total_is_estimate: false, percentage: 50, rows_per_second: null },
    created_at: time(1),
    started_at: time(2),
    updated_at: time(3),
    completed_at: null,
    failed_at: null,
    interrupted_at: null,
    cancelled_at: null,
    expires_at: null,
    error: null,
    manifest: null,
    ...differences,
  } as unknown as ExportView
}
const progress = (processed: number, total: number | null, percentage: number | null, isEstimate = false) => ({
  progress: { processed, total, total_is_estimate: isEstimate, percentage, rows_per_second: null },
})
const completed = {
  status: 'completed',
  ...progress(100, 100, 100),
  completed_at: time(3),
  expires_at: time(9),
  manifest: { files: [] },
}
const failed = { status: 'failed', failed_at: time(3), error: { code: 'INTERNAL', message: '' } }

describe('a state', () => {
  it.each([
    ['waits', { status: 'pending', attempt: 0, started_at: null, ...progress(0, null, null) }],
    ['runs', {}],
    ['runs past an estimate', progress(150, 100, 99.99, true)],
    ['is completed', completed],
    ['has failed', failed],
    ['was interrupted before it ran', { status: 'interrupted', attempt: 0, interrupted_at: time(3), started_at: null }],
  ])('is right when it %s', (_what, differences) => {
    expect(stateFaults(view(differences))).toEqual([])
  })

  it.each([
    ['more rows than there are', progress(101, 100, 99.99)],
    ['100 % before the end', progress(100, 100, 100)],
    ['less than 100 % at the end', { ...completed, ...progress(100, 100, 99.99) }],
    ['fewer rows than there are at the end', { ...completed, ...progress(99, 100, 100) }],
    ['no manifest at the end', { ...completed, manifest: null }],
    ['a manifest before the end', { manifest: { files: [] } }],
    ['no reason for a failure', { ...failed, error: null }],
    ['no time of a failure', { ...failed, failed_at: null }],
    ['an end before the start', { ...completed, completed_at: time(1), started_at: time(2) }],
    ['a start before the creation', { ...completed, started_at: time(0) }],
    ['a file that has expired from the beginning', { ...completed, expires_at: time(3) }],
    ['a run without an attempt', { attempt: 0 }],
  ])('is refused with %s', (_what, differences) => {
    expect(stateFaults(view(differences))).toHaveLength(1)
  })
})

describe('a step', () => {
  it.each([
    ['rows that come', {}, progress(60, 100, 60)],
    ['a retry', {}, { status: 'pending', ...progress(50, 100, 50) }],
    ['the next attempt, from the first row', {}, { attempt: 2, ...progress(0, 100, 0) }],
    ['an exact number that replaces an estimate', progress(50, 100, 50, true), progress(60, 200, 50)],
    ['a passed estimate', progress(90, 100, 90, true), progress(120, null, null, true)],
    ['the expiry of a file', completed, { ...completed, status: 'expired' }],
    ['a failed one that is started again', failed, { status: 'pending', ...progress(0, 100, 0) }],
  ])('is right when it is %s', (_what, before, after) => {
    expect(stepFaults(view(before), view(after))).toEqual([])
  })

  it.each([
    ['from completed to pending', completed, { status: 'pending' }],
    ['from completed to another attempt', completed, { attempt: 2 }],
    ['from cancelled to running', { status: 'cancelled', cancelled_at: time(3) }, {}],
    ['from interrupted to running without an attempt', { status: 'interrupted', interrupted_at: time(3) }, {}],
    ['from pending to completed without an attempt', { status: 'pending' }, completed],
    ['to an earlier attempt', { attempt: 2 }, {}],
    ['to fewer rows', {}, progress(49, 100, 50)],
    ['to a smaller share', {}, progress(50, 100, 49)],
    ['to a smaller share of an exact number', progress(50, 100, 50, true), progress(60, 200, 30)],
    ['to an earlier change', {}, { updated_at: time(2) }],
    ['to another creation', {}, { created_at: time(0) }],
    ['to another manifest', completed, { ...completed, manifest: { files: [1] } }],
  ])('is refused %s', (_what, before, after) => {
    expect(stepFaults(view(before), view(after))).toHaveLength(1)
  })
})

describe('the events of an export', () => {
  const told = (...types: string[]): EventView[] => {
    let attempt = 0
    return types.map((type, n) => {
      if (type === 'started') attempt += 1
      return { seq: n + 1, type, at: time(n), attempt, data: {} } as EventView
    })
  }

  it('are right when they lead to where it stands', () => {
    const way = told('created', 'started', 'retried', 'started', 'returned', 'interrupted', 'restarted', 'started', 'completed')
    expect(
      eventFaults([...way, ...told('linked').map((event) => ({ ...event, seq: 20, at: time(30), attempt: 3 }))], {
        ...view(completed),
        attempt: 3,
      }),
    ).toEqual([])
  })

  it.each([
    ['an end without a start', told('created', 'completed'), { ...completed, attempt: 0 }],
    ['two starts on end', told('created', 'started', 'started'), { attempt: 2 }],
    ['two ends', told('created', 'started', 'completed', 'completed'), completed],
    ['an end that the export does not show', told('created', 'started', 'completed'), {}],
    ['an attempt too few', told('created', 'started'), { attempt: 2 }],
    ['one out of order', told('created', 'started').map((event) => ({ ...event, at: time(9 - event.seq) })), {}],
  ])('are refused with %s', (_what, way, differences) => {
    expect(eventFaults(way, view(differences))).toHaveLength(1)
  })
})
