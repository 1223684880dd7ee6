/** Bytes, which row text has as hexadecimal digits, as base64 (RFC 4648, section 4). */
import { type Cursor, HEX_VALUES } from './cells.ts'

const LETTERS = new Uint8Array(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'))
const EQUALS = 61

/** Of the digits from `from` to `to`, which are in pairs. */
export function putBase64(cursor: Cursor, digits: Uint8Array, from: number, to: number): void {
  const { out } = cursor
  let { p } = cursor
  for (let i = from; i < to; i += 6) {
    const count = Math.min(3, (to - i) / 2)
    const bits =
      (byteAt(digits, i) << 16) | (count > 1 ? byteAt(digits, i + 2) << 8 : 0) | (count > 2 ? byteAt(digits, i + 4) : 0)
    out[p++] = LETTERS[bits >> 18] as number
    out[p++] = LETTERS[(bits >> 12) & 63] as number
    out[p++] = count > 1 ? (LETTERS[(bits >> 6) & 63] as number) : EQUALS
    out[p++] = count > 2 ? (LETTERS[bits & 63] as number) : EQUALS
  }
  cursor.p = p
}

function byteAt(digits: Uint8Array, i: number): number {
  return ((HEX_VALUES[digits[i] as number] as number) << 4) | (HEX_VALUES[digits[i + 1] as number] as number)
}
