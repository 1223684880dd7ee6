/** From a job to the wire: ExportStatus. Pure. What is not known or does not apply is absent, never null: the product's own SDK refuses null. */
import type { Job } from '../../job/job.ts'
import { estimateCompletion, percentage } from '../../job/progress.ts'

const STATUS = {
  pending: 'Pending',
  in_progress: 'In Progress',
  // May be started again through the own API; this wire has no such state.
  interrupted: 'Pending',
  completed: 'Successful',
  failed: 'Failed',
  cancelled: 'Failed',
} as const

export function viewStatus(job: Job, now: Date) {
  const status = STATUS[job.status]
  if (status === 'Pending') return { status }
  const startTime = instant(job.startedAt ?? job.createdAt)
  const progress = viewProgress(job)
  if (status === 'In Progress') {
    const end = estimateCompletion(job.progress, now)
    return { status, progress, startTime, ...(end ? { estimatedCompletion: instant(end) } : {}) }
  }
  if (status === 'Failed') {
    const failedAt = job.failedAt ?? job.cancelledAt ?? job.updatedAt
    return { status, progress, startTime, failureTime: instant(failedAt), error: errorOf(job) }
  }
  const { successful = 0, warnings = 0, errors = 0 } = job.results ?? {}
  return {
    status,
    progress,
    startTime,
    completionTime: instant(job.completedAt ?? job.updatedAt),
    results: { successful, warnings, errors },
  }
}

/** An estimated total is a whole number too; while there is none, only what is done is told. */
function viewProgress({ progress, status }: Job) {
  const done = percentage(progress, status)
  return {
    processed: progress.processed,
    ...(progress.total === null ? {} : { total: Math.max(Math.round(progress.total), progress.processed) }),
    ...(done === null ? {} : { percentage: done }),
  }
}

function errorOf({ status, error }: Job): string {
  return status === 'cancelled' ? 'The export was cancelled.' : (error?.message ?? 'The export failed.')
}

function instant(at: Date): string {
  return at.toISOString()
}
