/** Errors on the wire: `application/problem+json` (RFC 9457) with a stable `code`. */
import type { FastifyError } from 'fastify'
import { asFreightError, type ErrorCode, FreightError } from '../../job/errors.ts'
import type { Refusal } from '../protocol.ts'
import { validationError } from './validation.ts'

/** The HTTP status of each code, and its short name, which never changes from one occurrence to the next. */
const PROBLEMS: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  INVALID_JSON: [400, 'The body is not valid JSON'],
  INVALID_REQUEST: [400, 'The request cannot be understood'],
  VALIDATION_FAILED: [422, 'The request is not valid'],
  UNAUTHORIZED: [401, 'A valid API key is needed'],
  FORBIDDEN: [403, 'Not allowed'],
  NOT_FOUND: [404, 'Not found'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  NOT_ACCEPTABLE: [406, 'No acceptable form'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Unsupported media type'],
  PAYLOAD_TOO_LARGE: [413, 'The body is too large'],
  URI_TOO_LONG: [414, 'The address is too long'],
  RATE_LIMITED: [429, 'Too many requests'],
  IDEMPOTENCY_KEY_INVALID: [400, 'The Idempotency-Key is not valid'],
  IDEMPOTENCY_MISMATCH: [422, 'The Idempotency-Key was used for another request'],
  RESOURCE_UNKNOWN: [422, 'Unknown resource'],
  FIELD_UNKNOWN: [422, 'Unknown field'],
  RELATION_UNKNOWN: [422, 'Unknown relation'],
  INCLUDE_TOO_DEEP: [422, 'The include is too deep'],
  FILTER_UNKNOWN: [422, 'Unknown filter'],
  FILTER_AMBIGUOUS: [422, 'The filter can be read in two ways'],
  FILTER_VALUE_INVALID: [422, 'The filter value does not fit'],
  SORT_UNKNOWN: [422, 'Unknown sort'],
  LIMIT_INVALID: [422, 'The limit is not valid'],
  OPTION_INVALID: [422, 'The option is not valid'],
  FORMAT_UNKNOWN: [422, 'Unknown format'],
  COMPRESSION_UNKNOWN: [422, 'Unknown compression'],
  TOO_MANY_ROWS: [422, 'Too many rows'],
  TOO_MANY_COLUMNS: [422, 'Too many columns'],
  TOO_MANY_ACTIVE: [429, 'Too many exports at once'],
  EXPORT_ACTIVE: [409, 'The export is pending or running'],
  EXPORT_NOT_READY: [409, 'The export is not completed'],
  EXPORT_EXPIRED: [410, 'The files have expired'],
  SEVERAL_FILES: [409, 'The export has several files'],
  TRANSITION_ILLEGAL: [409, 'Not possible in this status'],
  LINK_INVALID: [403, 'The download link is not valid'],
  SOURCE_UNAVAILABLE: [503, 'The database cannot be reached'],
  SOURCE_CHANGED: [503, 'The database has changed'],
  SOURCE_FAILED: [502, 'The database failed'],
  SOURCE_CONFLICT: [503, 'The database broke the reading off'],
  ROWS_INCOMPLETE: [500, 'Rows are missing'],
  ROW_TOO_LARGE: [422, 'A row is too large'],
  CELL_TOO_LARGE: [422, 'A cell is too large'],
  CELL_UNFIT: [422, 'A cell does not fit its column'],
  STORAGE_FULL: [507, 'The storage is full'],
  STORAGE_UNAVAILABLE: [503, 'The storage cannot be reached'],
  DELIVERY_REFUSED: [502, 'The destination refused the files'],
  DELIVERY_FAILED: [502, 'The files could not be delivered'],
  NO_PROGRESS: [500, 'The export made no progress'],
  WORKER_DIED: [503, 'A worker ended unexpectedly'],
  ATTEMPTS_EXHAUSTED: [500, 'Every attempt failed'],
  ABORTED: [503, 'Stopped before it was done'],
  STORE_BUSY: [503, 'The job store is busy'],
  CONFIG_INVALID: [500, 'The configuration is not valid'],
  ALREADY_RUNNING: [500, 'Another server uses this data folder'],
  PORT_TAKEN: [500, 'The port is taken'],
  SHUTTING_DOWN: [503, 'The server is stopping'],
  OVERLOADED: [503, 'The server has too much to do'],
  INTERNAL: [500, 'Unexpected fault'],
}

/** When nothing better is known: long enough for a moment's fault to pass. */
const RETRY_SECONDS = 5

export interface Problem {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The body, plain data. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Anything thrown; what is not a FreightError or one of Fastify's refusals is INTERNAL and gives nothing away. */
export function refusalOf(thrown: unknown): Refusal {
  const error = readable(thrown)
  const [status] = PROBLEMS[error.code]
  const { retryAfterSeconds } = error.details
  const headers: Record<string, string> = { 'cache-control': 'no-store' }
  // RFC 9110, section 11.6.1: a 401 names the scheme that would be accepted.
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="freight"'
  if (status === 503 || status === 429 || retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(retryAfterSeconds ?? RETRY_SECONDS)
  }
  return { error, status, headers, thrown }
}

/** Anything thrown, as a problem. */
export function problemOf(thrown: unknown, requestId: string): Problem {
  const { error, status, headers } = refusalOf(thrown)
  const [, title] = PROBLEMS[error.code]
  const { pointer, allowed, status: exportStatus } = error.details
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: {
      type: `urn:freight:problem:${error.code.toLowerCase().replaceAll('_', '-')}`,
      title,
      status,
      detail: error.message,
      code: error.code,
      request_id: requestId,
      ...(pointer === undefined ? {} : { pointer }),
      ...(allowed === undefined ? {} : { allowed: allowed.slice(0, 100) }),
      ...(exportStatus === undefined ? {} : { export_status: exportStatus }),
    },
  }
}

/** Fastify's own refusals by their status; its texts name parser internals, so ours stand instead. */
const REFUSALS: Readonly<Record<number, readonly [code: ErrorCode, message: string]>> = {
  404: ['NOT_FOUND', 'There is nothing at this address.'],
  405: ['METHOD_NOT_ALLOWED', 'This address does not take this method.'],
  406: ['NOT_ACCEPTABLE', 'This address cannot answer in a form that the Accept header names.'],
  413: ['PAYLOAD_TOO_LARGE', 'The body is larger than this server takes.'],
  414: ['URI_TOO_LONG', 'The address is longer than this server takes.'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json in UTF-8.'],
  429: ['RATE_LIMITED', 'Too many requests. Wait as long as Retry-After says.'],
  503: ['OVERLOADED', 'This server has too much to do at the moment. Wait as long as Retry-After says.'],
}

function readable(thrown: unknown): FreightError {
  if (thrown instanceof FreightError || !isFastifyError(thrown)) return asFreightError(thrown)
  const refused = validationError(thrown)
  if (refused) return refused
  const status = thrown.statusCode ?? 500
  const refusal = REFUSALS[status]
  if (refusal) return new FreightError(refusal[0], refusal[1], { cause: thrown })
  if (status < 400 || status > 499) return asFreightError(thrown)
  return new FreightError('INVALID_REQUEST', 'The request cannot be understood as it was sent.', { cause: thrown })
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && ('statusCode' in thrown || 'validation' in thrown)
}
