/** How wide a cell's content is shown, in the digits that widths of columns are told in. */
import { SPACE } from '../cells.ts'
import { PRESERVE } from './sheet-text.ts'

/** More than the widest column shows. */
const MOST_BYTES = 400
/** The least first byte of a character that has so many: those are mostly as wide as two letters. */
const THREE_BYTES = 0xe0

/** Of the content that begins at `from`, where its opening tag ended when it was written. */
export function shownWidth(out: Uint8Array, from: number, to: number): number {
  // A text whose white space is to be kept has moved, to make room for that in its tag.
  const begin = out[from - 1] === SPACE ? from + PRESERVE.length : from
  const end = Math.min(to, begin + MOST_BYTES)
  let width = 0
  for (let k = begin; k < end; k++) {
    const byte = out[k] as number
    if (byte >= THREE_BYTES) width += 2
    else if ((byte & 0xc0) !== 0x80) width++
  }
  return width
}
