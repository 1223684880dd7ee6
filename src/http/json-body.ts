/**
 * Reads a JSON body from its bytes, strictly (RFC 8259, I-JSON RFC 7493 for duplicate keys): one pass checks what
 * `JSON.parse` lets through, then `JSON.parse` makes the value.
 *
 * - bytes that are not UTF-8, a byte order mark, anything but exactly one document: INVALID_JSON with line and column
 * - a key given twice in one object: INVALID_JSON with its JSON Pointer, since readers disagree on which one counts
 * - nesting beyond 64 levels: INVALID_JSON; the pass is a loop, so depth costs no stack
 * - a number that a double cannot hold as written, NUL or a lone surrogate in a string: VALIDATION_FAILED with its pointer
 *
 * Keys such as `__proto__` become own properties, as `JSON.parse` makes them; whoever copies such objects uses spread, not assignment.
 */
import { FreightError } from '../job/errors.ts'

/** Deeper than any request needs (filters are flat, includes have three levels); shallow enough for every later recursion. */
const MAX_DEPTH = 64

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const CLOSE_OBJECT = 0x7d
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const QUOTE = 0x22
const BACKSLASH = 0x5c

export function readJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  new Scan(text).document()
  return JSON.parse(text)
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw invalid('The body begins with a byte order mark at byte 0. Send UTF-8 without one.')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // What decodes and encodes to itself was valid, so the first difference is the first invalid byte.
    const again = Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
    const at = bytes.findIndex((byte, index) => byte !== again[index])
    throw invalid(`The body is not valid UTF-8 at byte ${at}.`)
  }
}

function invalid(message: string, pointer?: string): FreightError {
  return new FreightError('INVALID_JSON', message, pointer === undefined ? {} : { details: { pointer } })
}

/** An open object or array. `keys` is null for an array. */
interface Level {
  readonly keys: Set<string> | null
  key: string
  index: number
}

class Scan {
  readonly #text: string
  readonly #levels: Level[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    this.#space()
    if (this.#text.length === this.#at) throw invalid('The body is empty at byte 0. Send one JSON document.')
    while (this.#value() || this.#next()) this.#space()
  }

  /** Reads one value, or the opening of one; true when a value is due right after it. */
  #value(): boolean {
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#open({ keys: new Set(), key: '', index: 0 }, CLOSE_OBJECT)
      case 0x5b:
        return this.#open({ keys: null, key: '', index: 0 }, CLOSE_ARRAY)
      case QUOTE:
        this.#string()
        return false
      case 0x74:
        return this.#word('true')
      case 0x66:
        return this.#word('false')
      case 0x6e:
        return this.#word('null')
      default:
        return this.#number()
    }
  }

  #open(level: Level, closing: number): boolean {
    if (this.#levels.length === MAX_DEPTH)
      throw invalid(`The body is nested deeper than ${MAX_DEPTH} levels at ${this.#place()}.`)
    this.#levels.push(level)
    this.#at += 1
    this.#space()
    if (this.#text.charCodeAt(this.#at) === closing) return false
    if (level.keys) this.#key(level, level.keys)
    return true
  }

  /** After a value: to the next one of the same container, out of what closes, or to the end (false). */
  #next(): boolean {
    for (;;) {
      this.#space()
      const level = this.#levels.at(-1)
      if (!level) {
        if (this.#at < this.#text.length) throw this.#unexpected('the end of the body: one document is expected')
        return false
      }
      const code = this.#text.charCodeAt(this.#at)
      if (code === COMMA) {
        this.#at += 1
        this.#space()
        if (level.keys) this.#key(level, level.keys)
        else level.index += 1
        return true
      }
      if (code !== (level.keys ? CLOSE_OBJECT : CLOSE_ARRAY)) throw this.#unexpected(level.keys ? '"," or "}"' : '"," or "]"')
      this.#at += 1
      this.#levels.pop()
    }
  }

  #key(level: Level, keys: Set<string>): void {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#unexpected('a key in double quotes')
    const start = this.#at
    level.key = ''
    const key = this.#string()
    level.key = key
    if (keys.has(key)) {
      this.#at = start
      throw invalid(`The key ${quoted(key)} is given twice at ${this.#place()}. Send it once.`, this.#pointer())
    }
    keys.add(key)
    this.#space()
    if (this.#text.charCodeAt(this.#at) !== COLON) throw this.#unexpected('":"')
    this.#at += 1
    this.#space()
  }

  #string(): string {
    const start = this.#at
    let escaped = false
    let at = start + 1
    for (let code = this.#text.charCodeAt(at); code !== QUOTE; code = this.#text.charCodeAt(at)) {
      this.#at = at
      if (!(code >= 0x20))
        throw this.#unexpected(at < this.#text.length ? 'an escape: control characters' : 'the end of a string')
      if (code === BACKSLASH) {
        escaped = true
        at += this.#escapeLength(at)
      } else {
        at += 1
      }
    }
    this.#at = at + 1
    if (!escaped) return this.#text.slice(start + 1, at)
    const value: unknown = JSON.parse(this.#text.slice(start, this.#at))
    const string = String(value)
    if (string.includes('\0') || !string.isWellFormed()) {
      throw this.#unfit(`The text at ${this.#place()} holds a NUL or half a surrogate pair, which no database text can hold.`)
    }
    return string
  }

  #escapeLength(at: number): number {
    const code = this.#text[at + 1] ?? ''
    if (code === 'u' && /^[0-9a-fA-F]{4}$/.test(this.#text.slice(at + 2, at + 6))) return 6
    if (code !== '' && '"\\/bfnrt'.includes(code)) return 2
    throw this.#unexpected('an escape of JSON (\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t, \\uXXXX)')
  }

  #word(word: string): false {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a JSON value')
    this.#at += word.length
    return false
  }

  #number(): false {
    NUMBER.lastIndex = this.#at
    const text = NUMBER.exec(this.#text)?.[0]
    if (text === undefined) throw this.#unexpected('a JSON value')
    if (!survivesDouble(text)) {
      throw this.#unfit(`The number at ${this.#place()} would be changed by reading it. Send it as a string.`)
    }
    this.#at += text.length
    return false
  }

  #space(): void {
    for (let code = this.#text.charCodeAt(this.#at); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; ) {
      this.#at += 1
      code = this.#text.charCodeAt(this.#at)
    }
  }

  #unexpected(expected: string): FreightError {
    const found = this.#text.codePointAt(this.#at)
    const what = found === undefined ? 'The body ends' : `Unexpected ${printable(found)}`
    return invalid(`${what} at ${this.#place()}, where ${expected} is due.`)
  }

  #unfit(message: string): FreightError {
    return new FreightError('VALIDATION_FAILED', message, { details: { pointer: this.#pointer() } })
  }

  #place(): string {
    const before = this.#text.slice(0, this.#at)
    const line = before.split('\n').length
    return `line ${line}, column ${this.#at - before.lastIndexOf('\n')}`
  }

  #pointer(): string {
    return this.#levels.map(({ keys, key, index }) => `/${keys ? escapePointer(key) : index}`).join('')
  }
}

/** RFC 6901, section 3. */
function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Whether the number's digits are still the same when it is written out again: 1e400 becomes Infinity, 2^53 + 1 another integer. */
function survivesDouble(text: string): boolean {
  const value = Number(text)
  // Up to 15 significant digits always survive (IEEE 754 binary64) within this range.
  if (text.length <= 15 && Math.abs(value) < 1e200 && !/[eE]/.test(text)) return true
  return Number.isFinite(value) && canonical(text) === canonical(String(value))
}

/** Significant digits and the power of ten of the first: `1.10e3` is `11e3`. */
function canonical(text: string): string {
  const [mantissa = '', exponent = '0'] = text
    .toLowerCase()
    .replace('-', '')
    .split(/e(?!$)/)
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`
  const significant = digits.replace(/^0+/, '')
  const power = BigInt(exponent) + BigInt(whole.length - (digits.length - significant.length))
  const trimmed = significant.replace(/0+$/, '')
  return trimmed === '' ? '0' : `${trimmed}e${power}`
}

function printable(code: number): string {
  return code >= 0x20 && code !== 0x7f && code < 0xd800
    ? quoted(String.fromCodePoint(code))
    : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text)
}
