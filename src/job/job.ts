/** The job: the record of one export, from the acknowledged request to the expired file. */
import type { PlainError } from './errors.ts'
import type { Manifest } from './manifest.ts'
import type { CheckedSpec, ExportRequest } from './spec.ts'
import type { LogEntry, Results } from './tally.ts'

export const JOB_STATUSES = ['pending', 'in_progress', 'interrupted', 'completed', 'failed', 'cancelled'] as const
export type JobStatus = (typeof JOB_STATUSES)[number]

export type Mode = 'live' | 'test'

/** `total` is null while nothing is known; `rowsPerSecond` comes from the last seconds and is null before there is a rate. */
export interface Progress {
  readonly processed: number
  readonly total: number | null
  readonly totalIsEstimate: boolean
  readonly rowsPerSecond: number | null
  /** The highest percentage of this run so far: a total that turns out larger than estimated takes nothing back. */
  readonly reached: number
  /** When the other figures were taken. */
  readonly at: Date
}

/** Where a written file lies. `key` is storage's own and never leaves the process. */
export interface StoredFile {
  readonly key: string
  readonly name: string
  readonly resource: string
  readonly rows: number
  readonly mediaType: string
  readonly bytes: number
  readonly sha256: string
}

export interface Job {
  /** UUIDv7. */
  readonly id: string
  /** 10 base-62 characters, unique. */
  readonly shortId: string
  readonly tenant: string
  readonly mode: Mode
  /** Who created it: a key's id, or a token's issuer and subject. */
  readonly createdBy: string
  readonly status: JobStatus
  /** Counts claims, never decreases: the fencing token. 0 before the first claim. */
  readonly run: number
  /** Runs that ended by a fault, counted at claim and handed back when the run ends in order. */
  readonly failures: number
  /** Not to be claimed before; null for at once. */
  readonly availableAt: Date | null
  readonly request: ExportRequest
  readonly spec: CheckedSpec
  readonly progress: Progress
  readonly results: Results | null
  readonly error: PlainError | null
  readonly errorsLog: readonly LogEntry[]
  /** Of a completed job, all of them; of one in progress, the parts of its run that are whole already. Else none. */
  readonly files: readonly StoredFile[]
  readonly manifest: Manifest | null
  readonly reference: string | null
  readonly referenceOrigin: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  /** The wire protocol it was created through; null for Freight's own API. */
  readonly protocol: string | null
  /** What that protocol keeps of the request for its own answers: plain data, `{}` where it keeps nothing. */
  readonly protocolData: Readonly<Record<string, unknown>>
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly startedAt: Date | null
  readonly completedAt: Date | null
  readonly failedAt: Date | null
  readonly interruptedAt: Date | null
  readonly cancelledAt: Date | null
  /** When the files of a completed job stop being offered. */
  readonly expiresAt: Date | null
  /** When the sweeper had removed the bytes. */
  readonly filesRemovedAt: Date | null
}

/** Who did something, for the record. */
export interface Actor {
  /** The caller's id: a key's, or a token's issuer and subject. `operator` for the command line. */
  readonly by: string
  /** The network address it came from; null where it did not come over the network. */
  readonly from: string | null
}

export const EVENT_TYPES = [
  'created',
  'started',
  'retried',
  'interrupted',
  'restarted',
  'amended',
  'cancelled',
  'completed',
  'failed',
  'returned',
  'expired',
  'linked',
  'downloaded',
] as const
/**
 * - `started`: a run began. `retried`: a run ended by a fault and another will follow. `returned`: a run was handed back by a
 *   draining server. `restarted`: `start` put an interrupted or failed job back in the queue. `amended`: its reference, origin or
 *   metadata was changed. `linked`: a download link was minted. `downloaded`: a file's bytes were asked for from their beginning.
 */
export type EventType = (typeof EVENT_TYPES)[number]

export interface JobEvent {
  /** Grows by the order of writing; unique over all jobs. */
  readonly seq: number
  readonly jobId: string
  readonly type: EventType
  readonly at: Date
  readonly run: number
  /** Small plain data, for example `{ code, message }` of a failure, `{ by, from }` of what a caller did. Never row data, never a link. */
  readonly data: Readonly<Record<string, unknown>>
}

/** `expired` is a fact about files, shown by views and never stored as a state. */
export function isExpired(job: Pick<Job, 'status' | 'expiresAt'>, now: Date): boolean {
  return job.status === 'completed' && job.expiresAt !== null && job.expiresAt <= now
}
