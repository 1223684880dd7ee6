import { describe, expect, it } from 'vitest'
import { FreightError } from './errors.ts'
import { JOB_STATUSES, type JobStatus } from './job.ts'
import { illegalTransition, isActive, transition, type Verb } from './transitions.ts'

/** Every verb from every status: where it leads, or nothing. */
const TABLE: [Verb, Partial<Record<JobStatus, JobStatus>>][] = [
  ['claim', { pending: 'in_progress' }],
  ['complete', { in_progress: 'completed' }],
  ['fail', { in_progress: 'failed' }],
  ['retry', { in_progress: 'pending' }],
  ['return', { in_progress: 'pending' }],
  ['interrupt', { pending: 'interrupted', in_progress: 'interrupted' }],
  ['start', { interrupted: 'pending', failed: 'pending' }],
  ['cancel', { pending: 'cancelled', in_progress: 'cancelled', interrupted: 'cancelled' }],
]

describe('the transitions', () => {
  it.each(TABLE)('%s leads only where it may', (verb, expected) => {
    const { from, to } = transition(verb)
    const actual = Object.fromEntries(JOB_STATUSES.filter((status) => from.includes(status)).map((status) => [status, to]))
    expect(actual).toEqual(expected)
  })

  it('nothing leads out of completed or cancelled, and only start out of failed', () => {
    const verbsFrom = (status: JobStatus): Verb[] =>
      TABLE.map(([verb]) => verb).filter((verb) => transition(verb).from.includes(status))
    expect(verbsFrom('completed')).toEqual([])
    expect(verbsFrom('cancelled')).toEqual([])
    expect(verbsFrom('failed')).toEqual(['start'])
  })

  it('a refusal tells the status, what would be allowed, and that nothing changed', () => {
    const refusal = illegalTransition('start', 'completed')
    expect(refusal).toBeInstanceOf(FreightError)
    expect(refusal).toMatchObject({
      code: 'TRANSITION_ILLEGAL',
      message: 'This export is completed; start is possible only while it is interrupted or failed. Nothing was changed.',
      details: { status: 'completed', allowed: ['interrupted', 'failed'] },
    })
  })

  it('an export is active exactly while it waits or runs', () => {
    expect(JOB_STATUSES.filter(isActive)).toEqual(['pending', 'in_progress'])
  })
})
