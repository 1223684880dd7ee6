import { expect, test } from 'vitest'
import { Cursor, STRING_STOPS } from './cells.ts'
import { RunCopier } from './plain-runs.ts'

function copied(text: Uint8Array, room = text.length): { cursor: Cursor; out: Uint8Array } {
  const cursor = new Cursor()
  cursor.src = text
  cursor.out = new Uint8Array(room)
  new RunCopier().copy(cursor)
  return { cursor, out: cursor.out.subarray(0, cursor.p) }
}

test('a run stops before every byte that ends or escapes a string, at each place of a word', () => {
  for (let byte = 0; byte < 256; byte++) {
    for (let place = 0; place < 8; place++) {
      const text = new Uint8Array(16).fill(0x61)
      text[place] = byte
      const { cursor } = copied(text)
      if (STRING_STOPS[byte] === 1) expect(cursor.i, `byte ${byte} at ${place}`).toBe(place - (place % 4))
      else if (byte !== 0x23) expect(cursor.i, `byte ${byte} at ${place}`).toBe(16)
    }
  }
})

test('all that was stepped over stands in the output, and nothing behind it', () => {
  const text = new Uint8Array(Buffer.from('Zoë Ünal 李小龍 \u{1f4e6} and the rest\\n of it'))
  const { cursor, out } = copied(text)
  expect(Buffer.from(out)).toEqual(Buffer.from(text.subarray(0, cursor.i)))
  expect(cursor.i).toBeGreaterThanOrEqual(text.indexOf(0x5c) - 3)
})

test('it ends with the source and with the room in the output', () => {
  const text = new Uint8Array(10).fill(0x61)
  expect(copied(text).cursor.i).toBe(8)
  expect(copied(text, 7).cursor.i).toBe(4)
  expect(copied(text, 0).cursor.i).toBe(0)
})
