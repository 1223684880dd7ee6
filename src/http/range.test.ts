import { describe, expect, it } from 'vitest'
import { attachment } from './content-disposition.ts'
import { hasAlready, keepsRange, readRange } from './range.ts'

describe('readRange', () => {
  it.each([
    ['bytes=0-', { start: 0, end: 99 }],
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=10-19', { start: 10, end: 19 }],
    ['bytes=90-1000', { start: 90, end: 99 }],
    ['bytes=99-99999999999999999999999', { start: 99, end: 99 }],
    ['bytes=-1', { start: 99, end: 99 }],
    ['bytes=-1000', { start: 0, end: 99 }],
    ['BYTES=5-6', { start: 5, end: 6 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', null],
    ['bytes=-', null],
    ['bytes=', null],
    ['bytes=a-b', null],
    ['bytes=0x1-', null],
    ['bytes=1.5-2', null],
    ['lines=1-2', null],
    ['bytes=0-1,5-6', null],
    ['', null],
    [undefined, null],
  ])('reads %s of 100 bytes', (header, expected) => {
    expect(readRange(header, 100)).toEqual(expected)
  })

  it('finds no range in an empty file', () => {
    expect(readRange('bytes=0-', 0)).toBe('unsatisfiable')
    expect(readRange('bytes=-5', 0)).toBe('unsatisfiable')
    expect(readRange(undefined, 0)).toBeNull()
  })
})

describe('conditional requests', () => {
  it('keep the range only for the same strong tag', () => {
    expect(keepsRange(undefined, '"a"')).toBe(true)
    expect(keepsRange('"a"', '"a"')).toBe(true)
    expect(keepsRange('W/"a"', '"a"')).toBe(false)
    expect(keepsRange('"b"', '"a"')).toBe(false)
    expect(keepsRange('Wed, 21 Oct 2026 07:28:00 GMT', '"a"')).toBe(false)
  })

  it('know a tag among several, weak or strong, and the star', () => {
    expect(hasAlready('"x", W/"a"', '"a"')).toBe(true)
    expect(hasAlready('*', '"a"')).toBe(true)
    expect(hasAlready('"x"', '"a"')).toBe(false)
    expect(hasAlready(undefined, '"a"')).toBe(false)
  })
})

describe('attachment', () => {
  it.each([
    ['orders-2026.csv', 'attachment; filename="orders-2026.csv"'],
    ['é😀.csv', `attachment; filename="e_.csv"; filename*=UTF-8''%C3%A9%F0%9F%98%80.csv`],
    ['../../../etc/passwd', `attachment; filename="etc_passwd"; filename*=UTF-8''.._.._.._etc_passwd`],
    ['"; filename=x', `attachment; filename="filename_x"; filename*=UTF-8''%22%3B%20filename%3Dx`],
    ['a\r\nSet-Cookie: b=1.csv', `attachment; filename="a_Set-Cookie_b_1.csv"; filename*=UTF-8''a_Set-Cookie%3A%20b%3D1.csv`],
    ['-rf.csv', `attachment; filename="rf.csv"; filename*=UTF-8''-rf.csv`],
    ['\ud800', `attachment; filename="export"; filename*=UTF-8''%EF%BF%BD`],
    ["it's (1)*.csv", `attachment; filename="it_s_1_.csv"; filename*=UTF-8''it%27s%20%281%29%2A.csv`],
  ])('names %j safely', (name, header) => {
    expect(attachment(name)).toBe(header)
  })

  it('keeps the ending of a name that is too long', () => {
    const header = attachment(`${'a'.repeat(300)}.csv.gz`)
    expect(header).toMatch(/filename="a+\.csv\.gz"/)
    expect(header.length).toBeLessThan(420)
  })
})
