/** Errors on the wire: `{ error: { code, message, details? }, meta: { request_id } }` with the codes that the clients know. */
import type { ErrorCode, FreightError } from '../../job/errors.ts'
import type { Refusal, RefusalAnswer, RefusedRequest } from '../protocol.ts'

type WireError = readonly [status: number, code: string, message?: string]

const NOT_THEIRS = 'This key may not export what is exported here'

/** Where the wire's status or code is not the usual one; without a message the error's own stands. */
const WIRE_ERRORS: Partial<Readonly<Record<ErrorCode, WireError>>> = {
  UNAUTHORIZED: [401, 'UNAUTHORIZED', 'Invalid or missing API key'],
  // This wire names no fields: what the catalog does not find is not this key's to have.
  FIELD_UNKNOWN: [403, 'FORBIDDEN', NOT_THEIRS],
  FILTER_UNKNOWN: [403, 'FORBIDDEN', NOT_THEIRS],
  EXPORT_NOT_READY: [400, 'EXPORT_NOT_READY', 'Export is not yet completed'],
  EXPORT_ACTIVE: [409, 'EXPORT_ACTIVE', 'Cannot delete an export that is pending or in progress. Please try again in a moment.'],
  EXPORT_EXPIRED: [410, 'EXPORT_EXPIRED', 'Export has expired'],
  IDEMPOTENCY_MISMATCH: [409, 'IDEMPOTENCY_MISMATCH'],
  PAYLOAD_TOO_LARGE: [400, 'PAYLOAD_TOO_LARGE'],
}

/** Of every other error, by the status it has in HTTP. */
const CODES: Readonly<Record<number, string>> = {
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  // What a project may ask for at once: requests, exports, rows.
  429: 'BURST_LIMIT_EXCEEDED',
  503: 'SERVICE_UNAVAILABLE',
}

export function refuse({ error, status, headers }: Refusal, { id }: RefusedRequest): RefusalAnswer {
  const [wireStatus, code, message = error.message] = wireError(error, status)
  const details = wireStatus === 403 ? null : detailsOf(error)
  return {
    status: wireStatus,
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({
      error: { code, message, ...(details === null ? {} : { details }) },
      meta: { request_id: id },
    }),
  }
}

function wireError(error: FreightError, status: number): WireError {
  const known = WIRE_ERRORS[error.code]
  if (known) return known
  if (error.code === 'NOT_FOUND' && error.details.pointer === '/endpoint_id') return [404, 'ENDPOINT_NOT_FOUND']
  if (error.code === 'RATE_LIMITED' && error.details.subject === 'address') return [429, 'RATE_LIMITED']
  if (status >= 500) return [status, CODES[status] ?? 'INTERNAL_ERROR']
  // This wire has no 422: whatever is wrong with a request is 400.
  return [status === 422 ? 400 : status, CODES[status] ?? 'INVALID_REQUEST']
}

function detailsOf({ details: { pointer, allowed } }: FreightError): object | null {
  if (pointer === undefined && allowed === undefined) return null
  return {
    ...(pointer === undefined ? {} : { field: pointer.slice(1) }),
    ...(allowed === undefined ? {} : { allowed: allowed.slice(0, 100) }),
  }
}
