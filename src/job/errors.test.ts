import { describe, expect, it } from 'vitest'
import { asFreightError, ERROR_CODES, FreightError, isRetryable, toPlainError } from './errors.ts'

describe('errors', () => {
  it('carry code, message, details and cause', () => {
    const cause = new Error('ECONNRESET')
    const error = new FreightError('STORE_BUSY', 'Try again.', { details: { retryAfterSeconds: 2 }, cause })
    expect(error).toMatchObject({
      name: 'FreightError',
      code: 'STORE_BUSY',
      message: 'Try again.',
      details: { retryAfterSeconds: 2 },
    })
    expect(error.cause).toBe(cause)
    expect(error).toBeInstanceOf(Error)
  })

  it('without a cause have none at all', () => {
    expect(Object.hasOwn(new FreightError('NOT_FOUND', 'No such export.'), 'cause')).toBe(false)
    expect(new FreightError('NOT_FOUND', 'No such export.').details).toEqual({})
  })

  it('pass through unchanged, while anything else becomes INTERNAL and gives nothing away', () => {
    const known = new FreightError('NOT_FOUND', 'No such export.')
    expect(asFreightError(known)).toBe(known)
    for (const thrown of [new Error('select * from /srv/db failed'), 'text', null, undefined, { code: 'NOT_FOUND' }]) {
      const error = asFreightError(thrown)
      expect(error.code).toBe('INTERNAL')
      expect(error.message).not.toMatch(/select|srv|text/)
      expect(error.cause).toBe(thrown)
    }
  })

  it('leave cause and details behind as plain data', () => {
    const plain = toPlainError(
      new FreightError('SOURCE_FAILED', 'It broke.', { cause: new Error('secret'), details: { status: 'x' } }),
    )
    expect(plain).toEqual({ code: 'SOURCE_FAILED', message: 'It broke.' })
    expect(structuredClone(plain)).toEqual(plain)
  })

  it('have distinct codes', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length)
  })

  it('are tried again only where the next run may meet something else', () => {
    expect(ERROR_CODES.filter(isRetryable)).toEqual([
      'SOURCE_UNAVAILABLE',
      'SOURCE_CONFLICT',
      'ROWS_INCOMPLETE',
      'STORAGE_UNAVAILABLE',
      'NO_PROGRESS',
      'WORKER_DIED',
      'STORE_BUSY',
      'INTERNAL',
    ])
  })
})
