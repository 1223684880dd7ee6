/** Halves of surrogate pairs that stand alone in JSON text. JSON allows them as escapes, but stricter readers refuse the document. */
import { BACKSLASH, HEX_VALUES, LOWER_U } from './cells.ts'

const REPLACEMENT = new Uint8Array(Buffer.from('\\ufffd'))

/** In place, in the first `end` bytes: `\ud800` alone becomes `\ufffd`. Whether there was one. */
export function replaceLoneSurrogates(bytes: Uint8Array, end: number): boolean {
  // Not in what lies behind: the buffer may be much larger than the document.
  const text = bytes.subarray(0, end)
  let isReplaced = false
  for (let i = text.indexOf(BACKSLASH); i >= 0; i = text.indexOf(BACKSLASH, i + 2)) {
    const unit = surrogateAt(text, i)
    if (unit === 0) continue
    if (unit < 0xdc00 && surrogateAt(text, i + 6) >= 0xdc00) {
      i += 6
      continue
    }
    text.set(REPLACEMENT, i)
    isReplaced = true
  }
  return isReplaced
}

/** The half of a surrogate pair whose escape stands at `i`; 0 where none does. */
function surrogateAt(bytes: Uint8Array, i: number): number {
  if (bytes[i] !== BACKSLASH || bytes[i + 1] !== LOWER_U) return 0
  let unit = 0
  for (let k = i + 2; k < i + 6; k++) unit = unit * 16 + (HEX_VALUES[bytes[k] as number] as number)
  return unit >= 0xd800 && unit <= 0xdfff ? unit : 0
}
