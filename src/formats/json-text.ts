/** Checks JSON documents as they are stored, byte by byte (RFC 8259), without building them and without recursion. */
import {
  BACKSLASH,
  byteTable,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  HEX_VALUES,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  STRING_STOPS,
} from './cells.ts'

const IS_ESCAPE = byteTable((byte) => '"\\/bfnrtu'.includes(String.fromCharCode(byte)))
const WORDS = ['null', 'true', 'false'].map((word) => Buffer.from(word))

/**
 * One checker for many documents. `end` of a document must be followed by a byte below 32 that is no whitespace (a NUL): scans
 * stop there, so none asks where the document ends.
 */
export class JsonChecker {
  /** The open arrays (0) and objects (1), outermost first: as deep as the document is, at a byte each. */
  #open = new Uint8Array(64)
  /** Whether a tab, line feed or carriage return stood outside the strings of the document checked last. */
  broken = false

  /** Whether exactly one JSON value, with whitespace around it, fills `bytes` from `start` to `end`. */
  isValid(bytes: Uint8Array, start: number, end: number): boolean {
    this.broken = false
    let depth = 0
    let i = this.#space(bytes, start)
    for (;;) {
      // A value begins here.
      const c = bytes[i] as number
      if (c === OPEN_BRACE || c === OPEN_BRACKET) {
        if (depth === this.#open.length) this.#deepen()
        const isObject = c === OPEN_BRACE
        this.#open[depth++] = isObject ? 1 : 0
        i = this.#space(bytes, i + 1)
        if (bytes[i] !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
          if (!isObject) continue
          i = this.#name(bytes, i)
          if (i < 0) return false
          continue
        }
      } else {
        i = scalarEnd(bytes, i)
        if (i < 0) return false
        i = this.#space(bytes, i)
      }
      // Behind a value, or at the bracket that closes one.
      for (;;) {
        if (depth === 0) return i === end
        const isObject = this.#open[depth - 1] === 1
        const after = bytes[i]
        if (after === COMMA) {
          i = this.#space(bytes, i + 1)
          if (isObject) i = this.#name(bytes, i)
          if (i < 0) return false
          break
        }
        if (after !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return false
        depth--
        i = this.#space(bytes, i + 1)
      }
    }
  }

  /** From a member's name to the first byte of its value; -1 where there is none. */
  #name(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== QUOTE) return -1
    const end = stringEnd(bytes, from + 1)
    if (end < 0) return -1
    const i = this.#space(bytes, end)
    return bytes[i] === COLON ? this.#space(bytes, i + 1) : -1
  }

  #space(bytes: Uint8Array, from: number): number {
    let i = from
    for (;;) {
      const c = bytes[i] as number
      if (c > SPACE) return i
      if (c === 9 || c === 10 || c === 13) this.broken = true
      else if (c !== SPACE) return i
      i++
    }
  }

  #deepen(): void {
    const deeper = new Uint8Array(this.#open.length * 2)
    deeper.set(this.#open)
    this.#open = deeper
  }
}

/** Takes tabs and line breaks outside the strings out of a valid document, in place; returns where it then ends. */
export function unbreak(bytes: Uint8Array, start: number, end: number): number {
  let p = start
  let i = start
  while (i < end) {
    const c = bytes[i] as number
    if (c === QUOTE) {
      const after = stringEnd(bytes, i + 1)
      while (i < after) bytes[p++] = bytes[i++] as number
      continue
    }
    if (c >= SPACE) bytes[p++] = c
    i++
  }
  return p
}

/** Behind the closing quote of the string that goes on at `from`; -1 for a broken one. */
function stringEnd(bytes: Uint8Array, from: number): number {
  let i = from
  for (;;) {
    while (STRING_STOPS[bytes[i] as number] === 0) i++
    const c = bytes[i++]
    if (c === QUOTE) return i
    if (c !== BACKSLASH) return -1
    const escaped = bytes[i++] as number
    if (IS_ESCAPE[escaped] !== 1) return -1
    if (escaped === 117) {
      for (const last = i + 4; i < last; i++) if (HEX_VALUES[bytes[i] as number] === 255) return -1
    }
  }
}

/** Behind the string, number or word at `from`; -1 where there is none. */
export function scalarEnd(bytes: Uint8Array, from: number): number {
  const c = bytes[from] as number
  if (c === QUOTE) return stringEnd(bytes, from + 1)
  if (c === 45 || (c ^ 48) < 10) return numberEnd(bytes, from)
  for (const word of WORDS) {
    let k = 0
    while (k < word.length && bytes[from + k] === word[k]) k++
    if (k === word.length) return from + k
  }
  return -1
}

/** Behind the JSON number at `from`; -1 where there is none. */
export function numberEnd(bytes: Uint8Array, from: number): number {
  let i = bytes[from] === 45 ? from + 1 : from
  const digits = i
  i = digitsEnd(bytes, i)
  if (i === digits || (bytes[digits] === 48 && i > digits + 1)) return -1
  if (bytes[i] === 46) {
    const fraction = i + 1
    i = digitsEnd(bytes, fraction)
    if (i === fraction) return -1
  }
  if (((bytes[i] as number) | 32) === 101) {
    i++
    if (bytes[i] === 43 || bytes[i] === 45) i++
    const exponent = i
    i = digitsEnd(bytes, i)
    if (i === exponent) return -1
  }
  return i
}

function digitsEnd(bytes: Uint8Array, from: number): number {
  let i = from
  while (((bytes[i] as number) ^ 48) < 10) i++
  return i
}
