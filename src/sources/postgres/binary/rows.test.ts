/** Rows of COPY BINARY are whole, or refused. */
import { describe, expect, it } from 'vitest'
import type { Memory } from './memory.ts'
import type { BinaryPlan, BinaryRowWriter } from './plan.ts'
import { RowText } from './row-text.ts'
import { BinaryRows } from './rows.ts'

const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const ROW = row(7)
const REFUSED = row(8)
const NULL = Buffer.from([0xff, 0xff, 0xff, 0xff])
const TRAILER = Buffer.from([0xff, 0xff])
const FIELDS_BYTES = 12

/** An `int4` and a NULL. */
function row(value: number): Buffer {
  return Buffer.from([0, 2, 0, 0, 0, 4, 0, 0, 0, value, 0xff, 0xff, 0xff, 0xff])
}

/** The number of a row as a letter, but for that of `REFUSED`. */
class Letters implements BinaryRowWriter {
  next = 0

  write(src: Memory, i: number, out: Memory, p: number): number {
    const value = src.bytes[i + 7] as number
    this.next = i + FIELDS_BYTES
    out.bytes[p] = 64 + value
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

/** CopyData messages of the protocol. */
function messages(bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const header = Buffer.from('d....')
      header.writeInt32BE(4 + body.length, 1)
      return [header, body]
    }),
  )
}

function read(rows: BinaryRows, ...pieces: Buffer[]): [form: string, text: string, rows: number][] {
  return rows.read(messages(pieces)).map(({ form, bytes, rows: count }) => [form, Buffer.from(bytes).toString(), count])
}

describe('rows of COPY BINARY', () => {
  it('are whole only with the trailer and the number that the server says', () => {
    const rows = new BinaryRows(LETTERS)
    expect(read(rows, Buffer.concat([HEADER, ROW]))).toEqual([['written', 'G', 1]])
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

  it('need not come in a message each', () => {
    const rows = new BinaryRows(LETTERS)
    expect(read(rows, HEADER, Buffer.concat([ROW, REFUSED]), ROW, Buffer.concat([ROW, TRAILER]))).toEqual([
      ['written', 'G', 1],
      ['json', '[8,null]\n[7,null]\n[7,null]\n', 3],
    ])
    rows.assertWhole(4)
  })

  it.each([
    ['long', 2000, 2003],
    ['short', 40_000, 21],
  ])('are whole where their text is six times as long as what was sent, and %s', (_, count, most) => {
    const field = { type: 'text', isCast: false } as const
    const fields = [field, field]
    const rows = new BinaryRows({ fields, writer: () => new RowText(fields) })
    const texts = Array.from({ length: count }, (_, n) => '\u0001'.repeat(most - (n % 3)))
    const sent = texts.map((text) => {
      const head = Buffer.from([0, 2, 0, 0, 0, 0])
      head.writeInt32BE(text.length, 2)
      return Buffer.concat([head, Buffer.from(text), NULL])
    })
    const [chunk, none] = read(rows, HEADER, ...sent)
    expect(chunk?.[1] === texts.map((text) => `[${JSON.stringify(text)},null]\n`).join('')).toBe(true)
    expect(none).toBeUndefined()
  })

  it.each([
    ['has no header', [ROW]],
    ['is of a form to come', [HEADER.with(11, 1), ROW]],
    ['has a row that is cut', [HEADER, ROW.subarray(0, -3)]],
    ['has a value that is cut', [HEADER, REFUSED.subarray(0, -3)]],
    ['has a message that is cut', [HEADER, ROW.subarray(0, -8)]],
    ['has a row with another number of fields', [HEADER, Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xff])]],
    ['goes on behind its end', [HEADER, TRAILER, ROW]],
  ])('that %s are refused', (_, pieces) => {
    expect(() => new BinaryRows(LETTERS).read(messages(pieces))).toThrow(expect.objectContaining({ code: 'SOURCE_FAILED' }))
  })
})
