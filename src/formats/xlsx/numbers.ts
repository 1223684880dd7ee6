/** Which numbers a spreadsheet keeps: it holds doubles and promises fifteen digits ("Excel specifications and limits"). */

const DIGITS = 15
/** Whole numbers from this many digits on are shown as 1.23457E+11 unless their style says otherwise. */
const WIDE_DIGITS = 12
/** Beyond these a spreadsheet has no number: nothing smaller than a normal double. */
const LARGEST = 9.99999999999999e307
const SMALLEST = 2.2250738585072014e-308
/** No shorter text without an exponent leaves that range. */
const LONG = 300

/**
 * Of the JSON number from `from` to `to`: `plain`, `wide` (a whole number to be shown with all its digits), or `text`, where digits would be lost.
 * Counted are the digits from the first that is not zero on; zeros at a fraction's end say nothing.
 */
export function numberKind(src: Uint8Array, from: number, to: number): 'plain' | 'wide' | 'text' {
  let digits = 0
  let zeros = 0
  let isWhole = true
  let i = src[from] === 45 ? from + 1 : from
  for (; i < to; i++) {
    const digit = (src[i] as number) ^ 48
    if (digit < 10) {
      if (digits > 0 || digit > 0) digits++
      zeros = digit === 0 ? zeros + 1 : 0
    } else if (src[i] === 46) {
      isWhole = false
      zeros = 0
    } else break
  }
  if (!isWhole) digits -= Math.min(zeros, digits)
  if (digits > DIGITS) return 'text'
  if (i < to || to - from > LONG) return digits === 0 || isHeld(src, from, to) ? 'plain' : 'text'
  return isWhole && digits >= WIDE_DIGITS ? 'wide' : 'plain'
}

function isHeld(src: Uint8Array, from: number, to: number): boolean {
  const size = Math.abs(Number(Buffer.from(src.buffer, src.byteOffset + from, to - from).toString('latin1')))
  return size >= SMALLEST && size <= LARGEST
}
