/** Rows of COPY BINARY are whole, or refused. */
import { describe, expect, it } from 'vitest'
import type { BinaryPlan, BinaryRowWriter } from './plan.ts'
import { BinaryRows } from './rows.ts'

const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const ROW = row(7)
const REFUSED = row(8)
const TRAILER = Buffer.from([0xff, 0xff])
const FIELDS_BYTES = 12

/** An `int4` and a NULL. */
function row(value: number): Buffer {
  return Buffer.from([0, 2, 0, 0, 0, 4, 0, 0, 0, value, 0xff, 0xff, 0xff, 0xff])
}

/** The number of a row as a letter, but for that of `REFUSED`. */
class Letters implements BinaryRowWriter {
  next = 0

  write(src: Uint8Array, i: number, out: Uint8Array, p: number): number {
    const value = src[i + 7] as number
    this.next = i + FIELDS_BYTES
    out[p] = 64 + value
    return value === 8 ? -1 : p + 1
  }
}

const LETTERS: BinaryPlan = {
  fields: [
    { type: 'int4', isCast: false },
    { type: 'text', isCast: false },
  ],
  writer: () => new Letters(),
}

function read(rows: BinaryRows, ...pieces: Buffer[]): [form: string, text: string, rows: number][] {
  return rows.read(Buffer.concat(pieces)).map(({ form, bytes, rows: count }) => [form, Buffer.from(bytes).toString(), count])
}

describe('rows of COPY BINARY', () => {
  it('are whole only with the trailer and the number that the server says', () => {
    const rows = new BinaryRows(LETTERS)
    expect(read(rows, HEADER, ROW)).toEqual([['written', 'G', 1]])
    expect(() => rows.assertWhole(1)).toThrow(expect.objectContaining({ code: 'ROWS_INCOMPLETE' }))
    expect(read(rows, TRAILER)).toEqual([])
    expect(() => rows.assertWhole(2)).toThrow(expect.objectContaining({ code: 'ROWS_INCOMPLETE' }))
    expect(() => rows.assertWhole(null)).toThrow(expect.objectContaining({ code: 'ROWS_INCOMPLETE' }))
    rows.assertWhole(1)
  })

  it('come as row text from the first of a chunk on that cannot come written', () => {
    const rows = new BinaryRows(LETTERS)
    expect(read(rows, HEADER, ROW, REFUSED, ROW)).toEqual([
      ['written', 'G', 1],
      ['json', '[8,null]\n[7,null]\n', 2],
    ])
    expect(read(rows, REFUSED)).toEqual([['json', '[8,null]\n', 1]])
    expect(read(rows, ROW, TRAILER)).toEqual([['written', 'G', 1]])
    rows.assertWhole(5)
  })

  it.each([
    ['has no header', [ROW]],
    ['is of a form to come', [HEADER.with(11, 1), ROW]],
    ['has a row that is cut', [HEADER, ROW.subarray(0, -3)]],
    ['has a row with another number of fields', [HEADER, Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xff])]],
    ['goes on behind its end', [HEADER, TRAILER, ROW]],
  ])('that %s are refused', (_, pieces) => {
    expect(() => new BinaryRows(LETTERS).read(Buffer.concat(pieces))).toThrow(expect.objectContaining({ code: 'SOURCE_FAILED' }))
  })
})
