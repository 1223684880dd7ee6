/** The bytes that cells are made of, and the texts that are no texts in columns of flags or numbers. */
import { STYLES } from './styles.ts'

export const ROW = bytesOf('<row r="')
export const TAG_END = bytesOf('">')
export const ROW_END = bytesOf('</row>\n')
/** Behind `<c r="A1`: what kind of cell it is, up to its content. */
export const TEXT = bytesOf('" t="inlineStr"><is><t>')
export const TEXT_END = bytesOf('</t></is></c>')
export const NUMBER = bytesOf('"><v>')
export const WHOLE = bytesOf(`" s="${STYLES.whole}"><v>`)
export const DATE = bytesOf(`" s="${STYLES.date}"><v>`)
export const TIME = bytesOf(`" s="${STYLES.time}"><v>`)
export const FINE_TIME = bytesOf(`" s="${STYLES.fineTime}"><v>`)
export const VALUE_END = bytesOf('</v></c>')
export const TRUE = bytesOf('" t="b"><v>1</v></c>')
export const FALSE = bytesOf('" t="b"><v>0</v></c>')
export const INFINITY = bytesOf('Infinity')
export const NEGATIVE_INFINITY = bytesOf('-Infinity')
export const FLAGS: readonly [Uint8Array, Uint8Array][] = [
  [bytesOf('t"'), TRUE],
  [bytesOf('f"'), FALSE],
  [bytesOf('1"'), TRUE],
  [bytesOf('0"'), FALSE],
  [bytesOf('true"'), TRUE],
  [bytesOf('false"'), FALSE],
]
export const NO_NUMBERS = [bytesOf('NaN"'), bytesOf('Infinity"'), bytesOf('-Infinity"')]

export function startsWith(bytes: Uint8Array, i: number, text: Uint8Array): boolean {
  for (let k = 0; k < text.length; k++) if (bytes[i + k] !== text[k]) return false
  return true
}

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
