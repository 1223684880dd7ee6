/** What a caller is told that may try again later, in the form of each wire: the status and `Retry-After` are what clients go by. */
import { expect, it } from 'vitest'
import { type ErrorCode, FreightError } from '../../src/job/errors.ts'
import { refuse as refuseApiExports } from '../../src/protocols/api-exports/errors.ts'
import { refuse as refuseClientsExport } from '../../src/protocols/clients-export/errors.ts'
import { refuse as refuseContentExport } from '../../src/protocols/content-export/errors.ts'
import type { RefusedRequest } from '../../src/protocols/protocol.ts'
import { refuse as refuseV1Exports } from '../../src/protocols/v1-exports/errors.ts'

const LATER = 'Try again in 7 s.'
const meta = { request_id: 'request-1' }

/** A refusal for too much, and one for a server that has no time. */
function refusals(refuse: typeof refuseApiExports, headers: RefusedRequest['headers'] = {}) {
  const request = { id: 'request-1', method: 'GET', path: '/somewhere', headers }
  const told = (code: ErrorCode, status: number) => {
    const error = new FreightError(code, LATER, { details: { retryAfterSeconds: 7, subject: 'caller' } })
    const answer = refuse({ error, status, headers: { 'retry-after': '7' }, thrown: error }, request)
    expect([answer.status, answer.headers['retry-after']]).toEqual([status, '7'])
    return JSON.parse(answer.body)
  }
  return [told('RATE_LIMITED', 429), told('OVERLOADED', 503)]
}

it('api-exports tells it as a JSON:API error', () => {
  expect(refusals(refuseApiExports)).toEqual([
    { errors: [{ status: '429', code: 'TOO_MANY_REQUESTS', title: 'Too many requests', detail: LATER }] },
    { errors: [{ status: '503', code: 'SERVICE_UNAVAILABLE', title: 'Service unavailable', detail: LATER }] },
  ])
})

it('content-export tells it with a code of that status, and to the person where that is asked for', () => {
  expect(refusals(refuseContentExport)).toEqual([
    { code: '429-100', developerMessage: LATER },
    { code: '503-100', developerMessage: LATER },
  ])
  const [limited] = refusals(refuseContentExport, { 'x-egain-error-message': 'yes', 'accept-language': 'de-DE' })
  expect(limited.userMessage).toBe('Zu viele Anfragen. Bitte warten Sie einen Moment und versuchen Sie es erneut.')
})

it('clients-export tells it as a problem with a message', () => {
  const told = { detail: LATER, message: LATER, request_id: 'request-1' }
  expect(refusals(refuseClientsExport)).toMatchObject([
    { status: 429, code: 'RATE_LIMITED', ...told },
    { status: 503, code: 'OVERLOADED', ...told },
  ])
})

it('v1-exports tells it with the code of its own catalogue', () => {
  expect(refusals(refuseV1Exports)).toEqual([
    { error: { code: 'BURST_LIMIT_EXCEEDED', message: LATER }, meta },
    { error: { code: 'SERVICE_UNAVAILABLE', message: LATER }, meta },
  ])
})
