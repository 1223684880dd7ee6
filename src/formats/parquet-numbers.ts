/** Whether the text of a number is the same number in a column of a fixed size; nothing is ever rounded to fit. */

const MINUS = 45
const DOT = 46
const ZERO = 48
const LARGEST = Buffer.from('9223372036854775807')
const SMALLEST = Buffer.from('9223372036854775808')
/** A double keeps any 15 significant digits, and 17 are enough to name any double (IEEE 754). */
const EXACT_DIGITS = 15
const DOUBLE_DIGITS = 17

/** Whether it is a whole number of 64 bits, spelt as one. */
export function isInteger64(bytes: Uint8Array, from: number, end: number): boolean {
  let start = bytes[from] === MINUS ? from + 1 : from
  const limit = start > from ? SMALLEST : LARGEST
  if (start === end) return false
  for (let i = start; i < end; i++) if (((bytes[i] as number) ^ ZERO) > 9) return false
  while (start < end - 1 && bytes[start] === ZERO) start++
  if (end - start !== limit.length) return end - start < limit.length
  for (let k = 0; k < limit.length; k++) {
    const difference = (bytes[start + k] as number) - (limit[k] as number)
    if (difference !== 0) return difference < 0
  }
  return true
}

/** Whether a number without exponent has no more digits than DECIMAL(precision, scale) holds. */
export function isDecimal(bytes: Uint8Array, from: number, end: number, precision: number, scale: number): boolean {
  let start = bytes[from] === MINUS ? from + 1 : from
  while (start < end && bytes[start] === ZERO) start++
  let point = start
  while (point < end && bytes[point] !== DOT) if (((bytes[point++] as number) ^ ZERO) > 9) return false
  let last = end
  if (point < end) {
    while (last > point + 1 && bytes[last - 1] === ZERO) last--
    for (let i = point + 1; i < last; i++) if (((bytes[i] as number) ^ ZERO) > 9) return false
  }
  return point - start <= precision - scale && Math.max(0, last - point - 1) <= scale
}

/** The same number without exponent; null where that takes more than 100 digits or it is no number. */
export function withoutExponent(text: string): string | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text) ?? []
  const shift = Number(exponent)
  if (whole === '' || Math.abs(shift) > 100) return null
  const digits = whole + fraction
  const point = whole.length + shift
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point) || '0'}`
}

/** Whether a double holds the number: all its digits, or enough of them to name the double they came from. */
export function isDouble(bytes: Uint8Array, from: number, end: number): boolean {
  if (end - from <= EXACT_DIGITS) {
    let isPlain = true
    for (let i = from; i < end && isPlain; i++) isPlain = ((bytes[i] as number) | 32) !== 101
    if (isPlain) return true
  }
  const text = Buffer.from(bytes.subarray(from, end)).toString('latin1')
  const value = Number(text)
  const digits = text.replace(/e.*$/i, '').replace(/\D/g, '').replace(/^0+/, '')
  if (!Number.isFinite(value) || (value === 0 && digits !== '')) return false
  // A whole number says all its digits; no double stands for two of them.
  if (/^-?\d+$/.test(text)) return digits.length <= EXACT_DIGITS || BigInt(value) === BigInt(text)
  return digits.replace(/0+$/, '').length <= DOUBLE_DIGITS
}
