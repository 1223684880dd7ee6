/**
 * What an export's history may look like from outside: which state may follow which, which figures may change and how.
 * Written from the promises, not from the code that keeps them.
 */
import type { EventView, ExportView } from '../rig.ts'

/** What is wrong with one state; empty when nothing is. */
export function stateFaults(view: ExportView): string[] {
  const { status, progress, attempt } = view
  const { processed, total, total_is_estimate: isEstimate, percentage } = progress
  const isDone = status === 'completed' || status === 'expired'
  const faults: string[] = []
  const must = (holds: boolean, what: string): void => {
    if (!holds) faults.push(`${status}, attempt ${attempt}: ${what}`)
  }
  must(isEstimate || total === null || processed <= total, `${processed} rows processed of exactly ${total}`)
  must(percentage === null || (percentage >= 0 && percentage <= 100), `${percentage} %`)
  must((percentage === 100) === isDone, `${percentage} %`)
  must(!isDone || processed === total, `${processed} of ${total} rows`)
  must(isDone === (view.manifest !== null), 'a manifest belongs to a completed export, and to no other')
  must((status === 'failed') === (view.failed_at !== null), 'failed_at')
  must(isDone === (view.completed_at !== null && view.expires_at !== null), 'completed_at and expires_at')
  must((status === 'cancelled') === (view.cancelled_at !== null), 'cancelled_at')
  must(status !== 'interrupted' || view.interrupted_at !== null, 'interrupted_at')
  must(status !== 'failed' || view.error !== null, 'failed without a reason')
  must(attempt > 0 || status === 'pending' || status === 'interrupted' || status === 'cancelled', 'no attempt yet')
  const { created_at, started_at, completed_at, expires_at, failed_at, updated_at } = view
  const times = [created_at, started_at, completed_at ?? failed_at, updated_at].filter((time) => time !== null)
  must(isOrdered(times), `times out of order: ${times.join(', ')}`)
  must(completed_at === null || expires_at === null || completed_at < expires_at, `expires at ${expires_at}`)
  return faults
}

function isOrdered(times: readonly string[]): boolean {
  return times.every((time, at) => at === 0 || Date.parse(times[at - 1] ?? time) <= Date.parse(time))
}

/** Where an export may be found next while its attempt stays the same; between two looks it may have gone several steps. */
const SAME_ATTEMPT: Readonly<Record<ExportView['status'], readonly ExportView['status'][]>> = {
  pending: ['pending', 'interrupted', 'cancelled'],
  in_progress: ['in_progress', 'pending', 'interrupted', 'completed', 'failed', 'cancelled', 'expired'],
  interrupted: ['interrupted', 'pending', 'cancelled'],
  failed: ['failed', 'pending', 'interrupted', 'cancelled'],
  completed: ['completed', 'expired'],
  expired: ['expired'],
  cancelled: ['cancelled'],
}
const FINAL: ReadonlySet<string> = new Set(['completed', 'expired', 'cancelled'])

/** What is wrong with `after` having been seen some time after `before`; empty when nothing is. */
export function stepFaults(before: ExportView, after: ExportView): string[] {
  const step = `${before.status} (attempt ${before.attempt}) -> ${after.status} (attempt ${after.attempt})`
  if (after.attempt < before.attempt) return [`${step}: the attempt went back`]
  const faults: string[] = []
  const isSame = after.attempt === before.attempt
  const isLegal = isSame ? SAME_ATTEMPT[before.status].includes(after.status) : !FINAL.has(before.status)
  if (!isLegal) faults.push(`${step}: not possible`)
  if (after.created_at !== before.created_at) faults.push(`${step}: created_at changed`)
  if (after.updated_at < before.updated_at) faults.push(`${step}: updated_at went back`)
  const isRewritten = JSON.stringify(after.manifest) !== JSON.stringify(before.manifest)
  if (isLegal && FINAL.has(before.status) && isRewritten) faults.push(`${step}: the manifest changed`)
  if (isSame && before.status === 'in_progress' && after.status !== 'pending') faults.push(...progressFaults(before, after, step))
  return faults
}

function progressFaults({ progress: before }: ExportView, { progress: after }: ExportView, step: string): string[] {
  const faults: string[] = []
  if (after.processed < before.processed) faults.push(`${step}: ${before.processed} rows processed, then ${after.processed}`)
  // Unknown for a while where an estimate was passed and the exact number is not there yet.
  if (after.percentage !== null && after.percentage < (before.percentage ?? 0)) {
    faults.push(`${step}: ${before.percentage} %, then ${after.percentage} %`)
  }
  return faults
}

/** What each event does to the status. */
const EVENTS: Readonly<Record<EventView['type'], { from: readonly string[]; to: string | null }>> = {
  created: { from: ['none'], to: 'pending' },
  started: { from: ['pending'], to: 'in_progress' },
  retried: { from: ['in_progress'], to: 'pending' },
  returned: { from: ['in_progress'], to: 'pending' },
  completed: { from: ['in_progress'], to: 'completed' },
  failed: { from: ['in_progress'], to: 'failed' },
  interrupted: { from: ['pending', 'in_progress'], to: 'interrupted' },
  cancelled: { from: ['pending', 'in_progress', 'interrupted'], to: 'cancelled' },
  restarted: { from: ['interrupted', 'failed'], to: 'pending' },
  amended: { from: ['pending', 'in_progress', 'interrupted', 'completed', 'failed', 'cancelled'], to: null },
  expired: { from: ['completed'], to: null },
  linked: { from: ['completed'], to: null },
  downloaded: { from: ['completed'], to: null },
}

/** What is wrong with the whole of an export's events, and with `view` standing at their end; empty when nothing is. */
export function eventFaults(events: readonly EventView[], view: ExportView): string[] {
  const faults: string[] = []
  let status = 'none'
  let attempt = 0
  let last: EventView | null = null
  for (const event of events) {
    const { from, to } = EVENTS[event.type]
    if (!from.includes(status)) faults.push(`${event.type} while ${status}`)
    if (event.type === 'started') attempt += 1
    if (event.attempt !== attempt) faults.push(`${event.type} tells attempt ${event.attempt}, and it is the ${attempt}.`)
    if (last && (event.seq <= last.seq || event.at < last.at)) faults.push(`${event.type} stands before ${last.type}`)
    status = to ?? status
    last = event
  }
  const shown = view.status === 'expired' ? 'completed' : view.status
  if (shown !== status) faults.push(`the export is ${shown}, its events end with ${status}`)
  if (view.attempt !== attempt) faults.push(`the export is at attempt ${view.attempt}, its events at ${attempt}`)
  return faults
}
