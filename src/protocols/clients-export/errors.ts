/** Errors on the wire: problem details (RFC 9457) with `message` beside `detail`, which is what the clients read. */
import { STATUS_CODES } from 'node:http'
import type { Refusal, RefusalAnswer, RefusedRequest } from '../protocol.ts'
import { spoken } from './body.ts'

/** The text that the product documents. */
const UNAUTHORIZED = 'Unauthorized – Invalid or missing API key'

export function refuse({ error, status: httpStatus, headers }: Refusal, { id }: RefusedRequest): RefusalAnswer {
  // This wire has no 422: whatever is wrong with a request is 400.
  const status = httpStatus === 422 ? 400 : httpStatus
  const message = error.code === 'UNAUTHORIZED' ? UNAUTHORIZED : error.message
  const { pointer, allowed } = error.details
  const body = {
    type: `urn:freight:problem:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    message,
    code: error.code,
    request_id: id,
    ...(pointer === undefined || status !== 400 ? {} : { errors: { [spoken(pointer)]: [message] } }),
    ...(allowed === undefined ? {} : { allowed: allowed.slice(0, 100) }),
  }
  return { status, headers: { ...headers, 'content-type': 'application/problem+json' }, body: JSON.stringify(body) }
}
