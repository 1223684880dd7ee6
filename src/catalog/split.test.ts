import { describe, expect, it } from 'vitest'
import { checkSplit } from './split.ts'

describe('a split', () => {
  it('is by rows or by bytes, or there is none', () => {
    expect(checkSplit({ rows: 1 }, '')).toEqual({ rows: 1 })
    expect(checkSplit({ bytes: 1024 }, '')).toEqual({ bytes: 1024 })
    expect([checkSplit(null, ''), checkSplit(undefined, '')]).toEqual([null, null])
  })

  it.each([
    [{}, '/parts/1/split'],
    ['rows', '/parts/1/split'],
    [[5], '/parts/1/split'],
    [{ rows: 5, bytes: 5000 }, '/parts/1/split'],
    [{ files: 3 }, '/parts/1/split'],
    [{ rows: 0 }, '/parts/1/split/rows'],
    [{ rows: 1.5 }, '/parts/1/split/rows'],
    [{ rows: '5' }, '/parts/1/split/rows'],
    [{ rows: 1e300 }, '/parts/1/split/rows'],
    [{ bytes: 1023 }, '/parts/1/split/bytes'],
  ])('%j is refused with its place', (asked, pointer) => {
    expect(() => checkSplit(asked, '/parts/1')).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ pointer }) }),
    )
  })
})
