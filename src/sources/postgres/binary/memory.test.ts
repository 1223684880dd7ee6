/** What is written by words is what is written by bytes, wherever it begins and ends. */
import { describe, expect, it } from 'vitest'
import type { BinaryType } from './fields.ts'
import { cellValue } from './json.ts'
import { Constant, MARGIN, Memory } from './memory.ts'

/** All three kinds of escape, at each place of a word, and what looks like one to a careless look. */
const TEXTS = [
  '',
  'a',
  'abc',
  'abcd',
  'abcdefg',
  '"',
  'abc"',
  'a\\bc\ndef',
  '\u0001\u0002\u0003\u0004\u0005',
  'ab\u001fcd\u007f¢李😀!#[]',
  'x'.repeat(70),
]
const FILLER = 0x5a

/** The value stands `at` bytes from the beginning of its source and `behind` from its end. */
function source(value: Buffer, at: number, behind: number): Memory {
  return new Memory(Buffer.concat([Buffer.alloc(at, FILLER), value, Buffer.alloc(behind)]))
}

function written(type: BinaryType, value: Buffer, at: number, behind: number, out: Memory, p: number): string | null {
  const end = cellValue(type)(source(value, at, behind), at, at + value.length, out, p)
  return end > out.bytes.length ? null : Buffer.from(out.bytes.subarray(p, end)).toString()
}

describe('a value written by words', () => {
  it.each([0, 1, 2, 3, 9])('is the same with %i bytes behind it, wherever it begins', (behind) => {
    for (const text of TEXTS) {
      for (let at = 0; at < 4; at += 1) {
        const out = new Memory(new Uint8Array(1000))
        expect(written('text', Buffer.from(text), at, behind, out, at)).toBe(JSON.stringify(text))
        expect(written('bytea', Buffer.from(text), at, behind, out, at)).toBe(`{"b":"${Buffer.from(text).toString('hex')}"}`)
        expect(written('float', Buffer.from(`1${text}`), at, behind, out, at)).toBe(`1${text}`)
      }
    }
  })

  it.each(['text', 'bytea', 'float', 'numeric'] as const)('of type %s is whole, or ends past the end of its memory', (type) => {
    // 1,000 digits, of which none but the first is sent.
    const digits = Buffer.from([0, 1, 0, 0xf9, 0, 0, 0, 0, 0, 1])
    const value = type === 'numeric' ? digits : Buffer.from('1"23456\nabcdefgh'.repeat(15))
    const expected = written(type, value, 0, 0, new Memory(new Uint8Array(10_000)), 0)
    const length = Buffer.byteLength(expected ?? '')
    expect(length).toBeGreaterThanOrEqual(240)
    for (let size = length - 50; size < length + 50; size += 1) {
      for (const p of [0, 1, 2, 3]) {
        const memory = new Uint8Array(size + p + 100).fill(FILLER)
        const cell = written(type, value, 0, 9, new Memory(memory.subarray(0, size + p)), p)
        if (cell !== null || size > length + 10) expect(cell).toBe(expected)
        expect(memory.subarray(size + p).every((byte) => byte === FILLER)).toBe(true)
      }
    }
  })

  it('of a name is whole, however long the name', () => {
    for (let length = 0; length < 2 * MARGIN; length += 1) {
      const name = 'n'.repeat(length)
      const memory = new Memory(new Uint8Array(1000).fill(FILLER))
      expect(new Constant(name).put(memory, 3)).toBe(3 + length)
      expect(new Constant(name).put(new Memory(new Uint8Array(MARGIN + 3)), 3)).toBe(3 + length)
      expect(Buffer.from(memory.bytes.subarray(2, 3 + length)).toString()).toBe(`Z${name}`)
    }
  })
})
