import { describe, expect, it } from 'vitest'
import type { CellType } from '../../job/row-text.ts'
import { WrongValue, writerOf } from './cells.ts'

const noon = new Date('2024-02-29T12:00:00.123Z')

describe('a value in code', () => {
  it.each<[CellType, unknown, string]>([
    ['text', 'a "b"\n\u0000', '"a \\"b\\"\\n\\u0000"'],
    ['text', '', '""'],
    ['text', '\ud800', '"\\ud800"'],
    ['integer', 7, '7'],
    ['integer', -0, '0'],
    ['integer', 9007199254740993n, '9007199254740993'],
    ['integer', '9223372036854775807', '9223372036854775807'],
    ['decimal', '1.50', '1.50'],
    ['decimal', 0.1, '0.1'],
    ['decimal', 1e21, '1e+21'],
    ['decimal', 10n ** 30n, `1${'0'.repeat(30)}`],
    ['float', -0, '-0'],
    ['float', 5e-324, '5e-324'],
    ['float', Number.NaN, '"NaN"'],
    ['float', Number.POSITIVE_INFINITY, '9.0e+999'],
    ['float', Number.NEGATIVE_INFINITY, '-9.0e+999'],
    ['boolean', true, '"true"'],
    ['boolean', false, '"false"'],
    ['date', noon, '"2024-02-29"'],
    ['date', '2024-02-29', '"2024-02-29"'],
    ['date', new Date('-000050-03-04T00:00:00Z'), '"-000050-03-04"'],
    ['time', '13:45:10.5', '"13:45:10.5"'],
    ['timestamp', noon, '"2024-02-29T12:00:00.123Z"'],
    ['timestamp', '2024-02-29 12:00:00.123456+02', '"2024-02-29 12:00:00.123456+02"'],
    ['uuid', '0190A7B0-5d3c-7e2f-9a41-3c5b8e6f7d12', '"0190A7B0-5d3c-7e2f-9a41-3c5b8e6f7d12"'],
    [
      'json',
      { a: [1, null, { b: 9007199254740993n }], at: noon, left: undefined },
      '"{\\"a\\":[1,null,{\\"b\\":9007199254740993}],\\"at\\":\\"2024-02-29T12:00:00.123Z\\"}"',
    ],
    ['json', 'text', '"\\"text\\""'],
    ['json', { bytes: Uint8Array.of(1, 2) }, '"{\\"bytes\\":\\"AQI=\\"}"'],
    ['bytes', Uint8Array.of(0, 255), '{"b":"00ff"}'],
    ['bytes', Buffer.from('ab').subarray(1), '{"b":"62"}'],
    ['any', 1.5, '1.5'],
    ['any', 7n, '7'],
    ['any', true, '"true"'],
    ['any', noon, '"2024-02-29T12:00:00.123Z"'],
    ['any', Uint8Array.of(9), '{"b":"09"}'],
    ['any', [1], '"[1]"'],
  ])('of %s, %o, is the cell %s', (type, value, text) => {
    expect(writerOf(type)(value)).toBe(text)
  })

  it('that is null or missing is NULL in every type', () => {
    for (const type of ['text', 'integer', 'json', 'bytes', 'any'] as const)
      expect([writerOf(type)(null), writerOf(type)(undefined)]).toEqual(['null', 'null'])
  })

  const loop: unknown[] = []
  loop.push(loop)
  it.each<[CellType, unknown]>([
    ['text', 7],
    ['text', {}],
    ['integer', 1.5],
    ['integer', '1.0'],
    ['integer', '007'],
    ['integer', 2 ** 53],
    ['integer', Number.NaN],
    ['integer', true],
    ['integer', ''],
    ['decimal', Number.NaN],
    ['decimal', Number.POSITIVE_INFINITY],
    ['decimal', '1,5'],
    ['decimal', ' 1'],
    ['decimal', '0x10'],
    ['float', 'NaN'],
    ['boolean', 1],
    ['boolean', 'true'],
    ['date', noon.getTime()],
    ['date', 'yesterday'],
    ['date', new Date(Number.NaN)],
    ['time', noon],
    ['timestamp', 'now'],
    ['timestamp', new Date(Number.NaN)],
    ['uuid', '0190a7b05d3c7e2f9a413c5b8e6f7d12'],
    ['json', { a: Number.NaN }],
    ['json', { a: () => 1 }],
    ['json', new Map()],
    ['json', [undefined]],
    ['json', { at: new Date(Number.NaN) }],
    ['json', loop],
    ['json', Symbol('a')],
    ['bytes', 'ab'],
    ['bytes', [1, 2]],
    ['any', () => 1],
    ['any', Symbol('a')],
  ])('of %s, %o, is refused rather than bent', (type, value) => {
    expect(() => writerOf(type)(value)).toThrow(WrongValue)
  })

  it('is never repeated where it is refused', () => {
    for (const type of ['integer', 'date', 'uuid', 'boolean'] as const) {
      expect(() => writerOf(type)('secret words')).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret') }),
      )
    }
  })
})
