/** What someone outside is to be told of a job: made together with the change itself, and kept until it was told. */
import type { EventType, Job } from './job.ts'

/** Beyond this age a notice is dropped: by then a receiver that is back reads anew what it needs. */
export const NOTICE_KEPT_MS = 3 * 24 * 60 * 60 * 1000

interface NewNotice {
  /** Whom to tell: the name of a webhook in the configuration. */
  readonly webhook: string
  /** What happened, in the words of whoever is told. */
  readonly topic: string
  /** Plain data: the job as it was at that moment, in the same words. Never row data, never a secret. */
  readonly document: Readonly<Record<string, unknown>>
}

export interface Notice extends NewNotice {
  /** The same at every attempt. */
  readonly id: string
  readonly tenant: string
  readonly jobId: string
  /** How often it was tried to tell, the attempt under way included. */
  readonly attempts: number
  readonly createdAt: Date
}

/**
 * Who is to be told of a change. `removed`: the record is gone, and `job` is as it was. Pure and quick: it is called inside the transaction that
 * makes the change, and what it throws undoes that.
 */
export type Notify = (job: Job, change: EventType | 'removed', at: Date) => readonly NewNotice[]
