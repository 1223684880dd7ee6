/**
 * The one error class of Freight, with its closed list of codes.
 *
 * Every error tells its reader what was wrong, where, and what to do. A message never carries SQL, a path of the server,
 * a stack or a secret: it is shown to API callers as it stands. The technical cause travels in `cause` and goes to the log only.
 */

import type { LogEntry } from './tally.ts'

/** What a caller can be told, by the stage at which it goes wrong. The wire status of each stands in the protocols' `errors.ts`. */
export const ERROR_CODES = [
  // The request as such
  'INVALID_JSON',
  'INVALID_REQUEST',
  'VALIDATION_FAILED',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'NOT_ACCEPTABLE',
  'UNSUPPORTED_MEDIA_TYPE',
  'PAYLOAD_TOO_LARGE',
  'URI_TOO_LONG',
  'RATE_LIMITED',
  'IDEMPOTENCY_KEY_INVALID',
  'IDEMPOTENCY_MISMATCH',
  // The spec against the catalog
  'RESOURCE_UNKNOWN',
  'FIELD_UNKNOWN',
  'RELATION_UNKNOWN',
  'INCLUDE_TOO_DEEP',
  'FILTER_UNKNOWN',
  'FILTER_AMBIGUOUS',
  'FILTER_VALUE_INVALID',
  'SORT_UNKNOWN',
  'LIMIT_INVALID',
  'OPTION_INVALID',
  'FORMAT_UNKNOWN',
  'COMPRESSION_UNKNOWN',
  'TOO_MANY_ROWS',
  'TOO_MANY_COLUMNS',
  'TOO_MANY_ACTIVE',
  // The job's life
  'EXPORT_ACTIVE',
  'EXPORT_NOT_READY',
  'EXPORT_EXPIRED',
  'SEVERAL_FILES',
  'TRANSITION_ILLEGAL',
  'LINK_INVALID',
  // A run
  'SOURCE_UNAVAILABLE',
  'SOURCE_CHANGED',
  'SOURCE_FAILED',
  'SOURCE_CONFLICT',
  'ROWS_INCOMPLETE',
  'ROW_TOO_LARGE',
  'CELL_TOO_LARGE',
  'CELL_UNFIT',
  'STORAGE_FULL',
  'STORAGE_UNAVAILABLE',
  'DELIVERY_REFUSED',
  'DELIVERY_FAILED',
  'NO_PROGRESS',
  'WORKER_DIED',
  'ATTEMPTS_EXHAUSTED',
  'ABORTED',
  // The process
  'STORE_BUSY',
  'OVERLOADED',
  'CONFIG_INVALID',
  'ALREADY_RUNNING',
  'PORT_TAKEN',
  'SHUTTING_DOWN',
  'INTERNAL',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export interface ErrorDetails {
  /** JSON Pointer (RFC 6901) into the request body, or the query parameter's name. */
  readonly pointer?: string
  /** What would have been accepted at that place; at most 100 entries. */
  readonly allowed?: readonly string[]
  /** The job's status, where the status is the reason. */
  readonly status?: string
  /** Of RATE_LIMITED: whose allowance is used up, a known caller's or that of an address without one. */
  readonly subject?: 'caller' | 'address'
  /** The row that ended a run, for the errors log. */
  readonly entry?: LogEntry
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number
}

export class FreightError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'FreightError'
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Faults of the moment: the run is tried again. Every other code fails the job at once, since the next run would meet the same. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'SOURCE_UNAVAILABLE',
  'SOURCE_CONFLICT',
  'ROWS_INCOMPLETE',
  'STORAGE_UNAVAILABLE',
  'NO_PROGRESS',
  'WORKER_DIED',
  'STORE_BUSY',
  'INTERNAL',
])

export function isRetryable(code: ErrorCode): boolean {
  return RETRYABLE.has(code)
}

/**
 * Anything thrown, as a FreightError. What is not one already becomes INTERNAL with a message that gives nothing away;
 * the original is its `cause`.
 */
export function asFreightError(thrown: unknown): FreightError {
  if (thrown instanceof FreightError) return thrown
  return new FreightError('INTERNAL', 'Freight met an unexpected fault; its log has the details under this request or job id.', {
    cause: thrown,
  })
}

/** An error as plain data, for a thread's message or a job record; `cause` stays behind. */
export interface PlainError {
  readonly code: ErrorCode
  readonly message: string
}

export function toPlainError(error: FreightError): PlainError {
  return { code: error.code, message: error.message }
}
