import { expect, it } from 'vitest'
import { Cursor, put } from './cells.ts'
import { LeadWriter, leadOf } from './leads.ts'

/** What stands before `p` after `write`, in a buffer of `room` bytes that begins in the middle of its memory. */
function written(room: number, write: (cursor: Cursor) => void): { text: string; p: number } {
  const cursor = new Cursor()
  cursor.out = new Uint8Array(new ArrayBuffer(room + 24), 8, room)
  cursor.p = 3
  write(cursor)
  return { text: Buffer.from(cursor.out.subarray(3, cursor.p)).toString('latin1'), p: cursor.p }
}

it('a lead of any length comes out as its bytes, and no further, also where the buffer ends', () => {
  for (let length = 1; length <= 40; length += 1) {
    const lead = leadOf(`"${'abcdefghij'.repeat(4).slice(0, length)}":`)
    for (let room = 3; room < 60; room += 1) {
      const words = written(room, (cursor) => new LeadWriter().put(cursor, lead))
      expect(words).toEqual(written(room, (cursor) => put(cursor, lead.bytes)))
    }
  }
})

it('names beyond ASCII keep their bytes', () => {
  for (const name of ['größe', '価格', 'ÿÿÿÿÿÿÿÿ', '\u007f\u007f\u007f\u007f\u007f\u007f\u007f\u007f', '😀'.repeat(9)]) {
    const lead = leadOf(JSON.stringify(name))
    const { text } = written(100, (cursor) => new LeadWriter().put(cursor, lead))
    expect(Buffer.from(text, 'latin1').toString()).toBe(JSON.stringify(name))
  }
})

it('a writer follows a cursor whose buffer was replaced', () => {
  const writer = new LeadWriter()
  const lead = leadOf('"name":')
  const cursor = new Cursor()
  for (const room of [64, 128, 64]) {
    cursor.out = new Uint8Array(room)
    cursor.p = 0
    writer.put(cursor, lead)
    expect(Buffer.from(cursor.out.subarray(0, cursor.p)).toString()).toBe('"name":')
  }
})
