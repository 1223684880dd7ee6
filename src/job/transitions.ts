/** Which verb may move a job from which status, and where to. Only `store/` applies them. */
import { FreightError } from './errors.ts'
import type { JobStatus } from './job.ts'

/** A run that ends in a fault may go back to pending (it is tried again) or to failed; an orderly drain returns it to pending. */
export type Verb = 'claim' | 'complete' | 'fail' | 'retry' | 'return' | 'interrupt' | 'start' | 'cancel'

const TRANSITIONS: Readonly<Record<Verb, { from: readonly JobStatus[]; to: JobStatus }>> = {
  claim: { from: ['pending'], to: 'in_progress' },
  complete: { from: ['in_progress'], to: 'completed' },
  fail: { from: ['in_progress'], to: 'failed' },
  retry: { from: ['in_progress'], to: 'pending' },
  return: { from: ['in_progress'], to: 'pending' },
  interrupt: { from: ['pending', 'in_progress'], to: 'interrupted' },
  start: { from: ['interrupted', 'failed'], to: 'pending' },
  cancel: { from: ['pending', 'in_progress', 'interrupted'], to: 'cancelled' },
}

export function transition(verb: Verb): { from: readonly JobStatus[]; to: JobStatus } {
  return TRANSITIONS[verb]
}

/** The refusal a caller reads when a verb does not fit; the job is unchanged. */
export function illegalTransition(verb: Verb, status: JobStatus): FreightError {
  const { from } = TRANSITIONS[verb]
  return new FreightError(
    'TRANSITION_ILLEGAL',
    `This export is ${status}; ${verb} is possible only while it is ${from.join(' or ')}. Nothing was changed.`,
    { details: { status, allowed: from } },
  )
}

export function isActive(status: JobStatus): boolean {
  return status === 'pending' || status === 'in_progress'
}
