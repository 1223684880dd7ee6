import { describe, expect, it } from 'vitest'
import { FreightError } from '../../job/errors.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { atWirePlace, readExport, readIdempotencyKey, readLastEventId, readWait, wantsEventStream } from './request.ts'

describe('reading an export from its body', () => {
  it('fills what is not given: CSV of every field and row, uncompressed', () => {
    expect(readExport({ resource: 'orders' })).toEqual({
      request: {
        parts: [{ resource: 'orders', fields: [], includes: [], filters: {}, sort: [], limit: null, split: null }],
        format: 'csv',
        compression: null,
        options: {},
        dryData: false,
        onRowError: 'fail',
      },
      reference: null,
      referenceOrigin: null,
      metadata: {},
    })
  })

  it('reads several parts in their order', () => {
    const { request } = readExport({
      parts: [
        { resource: 'a', limit: 1 },
        { resource: 'b', fields: ['x'] },
      ],
      format: 'json',
    })
    expect(request.parts.map(({ resource, limit, fields }) => [resource, limit, fields])).toEqual([
      ['a', 1, []],
      ['b', null, ['x']],
    ])
  })

  it('refuses neither and both of resource and parts, naming the place', () => {
    expect(() => readExport({})).toThrow(expect.objectContaining({ details: { pointer: '/resource' } }))
    expect(() => readExport({ parts: [{ resource: 'a' }], sort: ['id'] })).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', details: { pointer: '/sort' } }),
    )
  })

  it.each([
    ['five levels', true, { a: { b: { c: { d: { e: 1 } } } } }],
    ['five levels of lists', true, { a: [[[[]]]] }],
    ['six levels', false, { a: { b: { c: { d: { e: {} } } } } }],
    ['six levels of lists', false, { a: [[[[[]]]]] }],
    ['16 KB', true, { a: 'x'.repeat(16 * 1024 - 8) }],
    ['a byte more', false, { a: 'x'.repeat(16 * 1024 - 7) }],
    ['16 KB in two-byte letters', false, { a: 'é'.repeat(8 * 1024) }],
    ['half a million elements', false, { a: Array.from({ length: 500_000 }, () => 1) }],
  ])('metadata of %s is accepted: %s', (_, accepted, metadata) => {
    const read = () => readExport({ resource: 'a', metadata })
    if (accepted) expect(read().metadata).toEqual(metadata)
    else expect(read).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED', details: { pointer: '/metadata' } }))
  })

  it('keeps names such as __proto__ in filters and metadata as plain data', () => {
    const body = JSON.parse('{"resource":"a","filters":{"__proto__":{"x":1}},"metadata":{"__proto__":{"polluted":1}}}')
    const { request, metadata } = readExport(body)
    expect(JSON.stringify(metadata)).toBe('{"__proto__":{"polluted":1}}')
    expect(Object.keys(request.parts[0]?.filters ?? {})).toEqual(['__proto__'])
    expect('polluted' in {}).toBe(false)
  })

  it("tells the catalog's places as the body has them", () => {
    const refused = new FreightError('FIELD_UNKNOWN', 'no', { details: { pointer: '/fields/1', allowed: ['id'] } })
    expect(atWirePlace(refused, { resource: 'a' })).toBe(refused)
    expect(atWirePlace(refused, { parts: [{ resource: 'a' }] })).toMatchObject({
      code: 'FIELD_UNKNOWN',
      details: { pointer: '/parts/0/fields/1', allowed: ['id'] },
    })
    const format = new FreightError('FORMAT_UNKNOWN', 'no', { details: { pointer: '/format' } })
    expect(atWirePlace(format, { parts: [{ resource: 'a' }] })).toBe(format)
    expect(atWirePlace('anything', { parts: [{ resource: 'a' }] })).toBe('anything')
  })
})

describe('reading headers', () => {
  it.each(['k', 'a b', '!~', 'x'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])('takes the key %j', (key) => {
    expect(readIdempotencyKey(key)).toBe(key)
  })

  it.each(['', 'x'.repeat(256), 'é', 'a\u0000', 'a\tb', 'a, b', '\u007f'])('refuses the key %j', (key) => {
    expect(() => readIdempotencyKey(key)).toThrow(expect.objectContaining({ code: 'IDEMPOTENCY_KEY_INVALID' }))
  })

  it('refuses two keys and knows that there is none', () => {
    expect(() => readIdempotencyKey(['a', 'b'])).toThrow(expect.objectContaining({ code: 'IDEMPOTENCY_KEY_INVALID' }))
    expect(readIdempotencyKey(undefined)).toBeNull()
  })

  it.each([
    ['wait=10', 10],
    ['respond-async, wait=7', 7],
    ['WAIT = "8"', 8],
    ['wait=5; foo=bar', 5],
    ['wait=99999999', 30],
    ['wait=0', 0],
    ['wait=3, wait=9', 3],
    ['wait=-1', null],
    ['wait=1.5', null],
    ['wait=', null],
    ['wait', null],
    ['wait=x, wait=5', null],
    ['respond-async, handling=strict, foo', null],
    ['waiter=5', null],
    ['', null],
    [undefined, null],
  ])('waits for Prefer: %s as many seconds as %j', (prefer, seconds) => {
    expect(readWait(prefer)).toBe(seconds)
  })

  it.each([
    ['text/event-stream', true],
    ['application/json, Text/Event-Stream;q=0.5', true],
    ['text/event-stream;q=0', false],
    ['text/event-stream; q=0.00', false],
    ['*/*', false],
    ['image/png', false],
    [undefined, false],
  ])('Accept: %s wants a stream: %s', (accept, wants) => {
    expect(wantsEventStream(accept)).toBe(wants)
  })

  it.each([
    ['12', 12],
    ['', 0],
    ['-1', 0],
    ['1e3', 0],
    ['9'.repeat(40), 0],
    [undefined, 0],
  ])('Last-Event-ID: %s continues after %i', (header, seq) => {
    expect(readLastEventId(header)).toBe(seq)
  })
})

describe('a cursor', () => {
  const id = '0199a0b0-0000-7000-8000-000000000001'
  const cursor = writeCursor(id, 'acme', { status: 'failed' })
  const refusal = expect.objectContaining({ code: 'VALIDATION_FAILED', details: { pointer: 'cursor' } })

  it('leads on in the list that it was given for', () => {
    expect(readCursor(cursor, 'acme', { status: 'failed' })).toBe(id)
  })

  it('is refused in the list of another tenant or with other filters', () => {
    expect(() => readCursor(cursor, 'globex', { status: 'failed' })).toThrow(refusal)
    expect(() => readCursor(cursor, 'acme', {})).toThrow(refusal)
    expect(() => readCursor(cursor, 'acme', { status: 'failed', reference: 'x' })).toThrow(refusal)
  })

  it('is refused when any character differs', () => {
    for (let at = 0; at < cursor.length; at += 1) {
      const changed = `${cursor.slice(0, at)}${cursor[at] === '0' ? '1' : '0'}${cursor.slice(at + 1)}`
      expect(() => readCursor(changed, 'acme', { status: 'failed' })).toThrow(refusal)
    }
    for (const text of ['', '.', id, `${cursor}=`, 'x'.repeat(200)]) {
      expect(() => readCursor(text, 'acme', { status: 'failed' })).toThrow(refusal)
    }
  })
})
