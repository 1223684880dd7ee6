import { describe, expect, it } from 'vitest'
import { ERROR_CODES, FreightError } from '../../job/errors.ts'
import { problemOf } from './errors.ts'

describe('a problem', () => {
  it('says what, where and what would do, under the request it belongs to', () => {
    const error = new FreightError('FIELD_UNKNOWN', 'There is no field "x".', {
      details: { pointer: '/fields/0', allowed: ['id'] },
    })
    expect(problemOf(error, 'r-1')).toEqual({
      status: 422,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      body: {
        type: 'urn:freight:problem:field-unknown',
        title: 'Unknown field',
        status: 422,
        detail: 'There is no field "x".',
        code: 'FIELD_UNKNOWN',
        request_id: 'r-1',
        pointer: '/fields/0',
        allowed: ['id'],
      },
    })
  })

  it.each(ERROR_CODES)('has a status and a title for %s, and tells when to come back where that makes sense', (code) => {
    const { status, headers, body } = problemOf(new FreightError(code, 'x'), 'r')
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).toMatchObject({ status, code, title: expect.stringMatching(/^.{3,}[^.]$/) })
    expect('retry-after' in headers).toBe(status === 503 || status === 429)
    expect('www-authenticate' in headers).toBe(status === 401)
  })

  it('names the status of the export, and the seconds that are known', () => {
    const error = new FreightError('EXPORT_ACTIVE', 'x', { details: { status: 'pending', retryAfterSeconds: 7 } })
    expect(problemOf(error, 'r')).toMatchObject({
      status: 409,
      headers: { 'retry-after': '7' },
      body: { export_status: 'pending' },
    })
  })

  it.each([
    new Error('select * from secrets at /srv/app.js:1'),
    Object.assign(new Error('boom'), { statusCode: 500 }),
    Object.assign(new Error('boom'), { statusCode: 302 }),
    'text',
    null,
    undefined,
  ])('gives nothing away of what was not meant for a caller: %s', (thrown) => {
    const { status, body } = problemOf(thrown, 'r')
    expect([status, body.code]).toEqual([500, 'INTERNAL'])
    expect(JSON.stringify(body)).not.toMatch(/select|srv|boom|text/)
  })

  it.each([
    [400, 'INVALID_REQUEST'],
    [413, 'PAYLOAD_TOO_LARGE'],
    [415, 'UNSUPPORTED_MEDIA_TYPE'],
    [418, 'INVALID_REQUEST'],
    [429, 'RATE_LIMITED'],
    [503, 'OVERLOADED'],
  ])("words Fastify's own refusal %i as %s", (statusCode, code) => {
    expect(problemOf(Object.assign(new Error('FST internals'), { statusCode }), 'r').body).toMatchObject({
      code,
      detail: expect.not.stringContaining('FST'),
    })
  })
})
