/** Errors on the wire: WSErrorCommon, `{ code, developerMessage, details?, userMessage? }`. */
import type { ErrorCode } from '../../job/errors.ts'
import type { Refusal, RefusalAnswer, RefusedRequest } from '../protocol.ts'
import { invalidValue, type WireDetail, WireFault } from './faults.ts'
import { userMessage } from './messages.ts'
import { refusedDestination } from './request.ts'

const MOST_DETAILS = 30
const LONGEST_DETAIL = 255
const LONGEST_MESSAGE = 2_048

interface WireError {
  readonly code: string
  readonly message: string
  readonly details?: readonly WireDetail[]
}

export function refuse(refusal: Refusal, request: RefusedRequest): RefusalAnswer {
  const { code, message, details = [] } = wireError(refusal, request)
  const body = {
    code,
    developerMessage: message.slice(0, LONGEST_MESSAGE),
    ...(details.length === 0 ? {} : { details: details.slice(0, MOST_DETAILS).map(cut) }),
    ...(wantsUserMessage(request) ? { userMessage: userMessage(code, request.headers['accept-language']) } : {}),
  }
  return {
    status: Number(code.slice(0, 3)),
    headers: { ...refusal.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

/** This wire names no fields: what the catalog does not find is not this caller's to have. */
const NOT_THEIRS: ReadonlySet<ErrorCode> = new Set(['FIELD_UNKNOWN', 'RELATION_UNKNOWN', 'FILTER_UNKNOWN'])

function wireError({ error, status }: Refusal, request: RefusedRequest): WireError {
  const fault = error instanceof WireFault ? error : refusedDestination(error)
  if (fault) return { code: fault.wireCode, message: fault.message, details: fault.wireDetails }
  const isStatus = /\/content\/export\/[^/]/.test(request.path)
  switch (NOT_THEIRS.has(error.code) ? 403 : status) {
    case 401:
      return isStatus
        ? { code: '401-101', message: "Invalid or expired 'Authorization' header provided. New login is required." }
        : { code: '401-104', message: "Invalid or missing 'authorization' header value." }
    case 403:
      return isStatus
        ? { code: '403-178', message: 'User is not allowed to perform the following action: exportStatus' }
        : { code: '403-197', message: 'Not authorized to perform this action.' }
    case 404:
      return { code: '404-100', message: `The following IDs supplied in the URI path were not found: '${lastId(request.path)}'.` }
    case 500:
    case 502:
      return { code: '500-100', message: 'System is unable to process this request. Please contact your administrator.' }
    case 409:
      // The only conflict of this wire: another export of the same portal.
      return unfit('portalID', 'a portal of which no export is pending, running or interrupted')
    case 400:
    case 422:
      return unfit('body', error.message)
    default:
      // Not documented by the product; its SDK tries 429 and 503 again by the status.
      return { code: `${status}-100`, message: error.message }
  }
}

function unfit(attribute: string, reason: string): WireError {
  const { wireCode, message, wireDetails } = invalidValue(attribute, reason)
  return { code: wireCode, message, details: wireDetails }
}

function lastId(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== 'status')
  return (segments.at(-1) ?? '').slice(0, 100)
}

function cut({ key, value }: WireDetail): WireDetail {
  return { key: key.slice(0, LONGEST_DETAIL), ...(value === undefined ? {} : { value: value.slice(0, LONGEST_DETAIL) }) }
}

function wantsUserMessage({ headers }: RefusedRequest): boolean {
  const asked = headers['x-egain-error-message']
  return typeof asked === 'string' && asked.trim().toLowerCase() === 'yes'
}
