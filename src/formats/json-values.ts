/** Single cells as JSON values. */
import type { Output } from '../job/spec.ts'
import { putBase64 } from './base64.ts'
import {
  BACKSLASH,
  type Cursor,
  copyNumber,
  enterBytes,
  infinityAt,
  LOWER_N,
  MalformedRow,
  OPEN_BRACE,
  put,
  QUOTE,
  SPACE,
  STRING_STOPS,
  skipWord,
} from './cells.ts'
import type { RowChanges } from './changes.ts'
import { JsonChecker, unbreak } from './json-text.ts'
import type { Member } from './members.ts'
import { copyPlainDocument } from './plain-document.ts'
import { RunCopier } from './plain-runs.ts'
import { decodeEscape, decodeString, putEscape } from './strings.ts'
import { TimeWriter } from './times.ts'

const NULL = bytesOf('null')
const TRUE = bytesOf('true')
const FALSE = bytesOf('false')
const INFINITY = bytesOf('"Infinity"')
const NEGATIVE_INFINITY = bytesOf('"-Infinity"')
const FLAGS: readonly [Uint8Array, Uint8Array][] = [
  [bytesOf('t"'), TRUE],
  [bytesOf('f"'), FALSE],
  [bytesOf('1"'), TRUE],
  [bytesOf('0"'), FALSE],
  [bytesOf('true"'), TRUE],
  [bytesOf('false"'), FALSE],
]
const NO_JSON_NUMBERS = [bytesOf('NaN"'), bytesOf('Infinity"'), bytesOf('-Infinity"')]

export class ValueWriter {
  readonly #cursor: Cursor
  readonly #changes: RowChanges
  readonly #times: TimeWriter | null
  readonly #checker = new JsonChecker()
  readonly #runs = new RunCopier()

  constructor(cursor: Cursor, changes: RowChanges, output: Output) {
    this.#cursor = cursor
    this.#changes = changes
    this.#times = output.times === 'rfc3339' ? new TimeWriter(output.timeZone) : null
  }

  /** The cell at the cursor, whose first byte is `first`. */
  write(member: Member, first: number): void {
    const cursor = this.#cursor
    if (first === QUOTE) {
      cursor.i++
      if (member.isPlain) this.#string(member)
      else this.#text(member)
    } else if (first === 45 || (first ^ 48) < 10) this.#number(member)
    else if (first === LOWER_N) {
      skipWord(cursor, 'null')
      put(cursor, NULL)
    } else if (first === OPEN_BRACE) this.#bytes(member)
    else {
      skipWord(cursor, first === 116 ? 'true' : 'false')
      put(cursor, first === 116 ? TRUE : FALSE)
    }
  }

  /** Text in a column of documents, times, flags or, by default, numbers. */
  #text(member: Member): void {
    switch (member.type) {
      case 'json':
        this.#document(member)
        break
      case 'timestamp':
        this.#time(member)
        break
      case 'boolean':
        this.#flag(member)
        break
      default:
        for (const text of NO_JSON_NUMBERS) {
          if (startsWith(this.#cursor.src, this.#cursor.i, text)) this.#changes.add(member.name, 'number_as_text')
        }
        this.#string(member)
    }
  }

  #number(member: Member): void {
    const cursor = this.#cursor
    const { src, i, p } = cursor
    const infinity = infinityAt(src, i)
    copyNumber(cursor)
    if (infinity !== 0) {
      cursor.p = p
      put(cursor, infinity < 0 ? NEGATIVE_INFINITY : INFINITY)
      this.#changes.add(member.name, 'number_as_text')
    } else if (member.type === 'boolean' && cursor.i === i + 1 && (src[i] === 48 || src[i] === 49)) {
      cursor.p = p
      put(cursor, src[i] === 49 ? TRUE : FALSE)
    } else if (member.type === 'timestamp' && this.#times !== null) this.#changes.add(member.name, 'time_kept')
  }

  /** A string goes over as it stands, but for escapes that nobody has to write. */
  #string(member: Member): void {
    const cursor = this.#cursor
    const { src, out } = cursor
    let { i, p } = cursor
    out[p++] = QUOTE
    for (;;) {
      cursor.i = i
      cursor.p = p
      this.#runs.copy(cursor)
      i = cursor.i
      p = cursor.p
      let c = src[i++] as number
      while (STRING_STOPS[c] === 0) {
        out[p++] = c
        c = src[i++] as number
      }
      if (c === QUOTE) break
      if (c !== BACKSLASH) throw new MalformedRow('a text is cut')
      c = src[i] as number
      if (c === QUOTE || c === BACKSLASH || c === LOWER_N) {
        out[p++] = BACKSLASH
        out[p++] = c
        i++
      } else {
        cursor.i = i
        cursor.p = p
        this.#escape()
        i = cursor.i
        p = cursor.p
      }
    }
    out[p++] = QUOTE
    cursor.i = i
    cursor.p = p
    if (cursor.replaced) {
      cursor.replaced = false
      this.#changes.add(member.name, 'invalid_utf8')
    }
  }

  /** From behind a backslash: the same character always comes out spelled the same way. */
  #escape(): void {
    const cursor = this.#cursor
    const { out, p } = cursor
    decodeEscape(cursor)
    const c = out[p] as number
    if (c < SPACE || c === QUOTE || c === BACKSLASH) cursor.p = putEscape(out, p, c)
  }

  #document(member: Member): void {
    const cursor = this.#cursor
    if (copyPlainDocument(cursor)) return
    const { i, p, out } = cursor
    cursor.replaced = false
    decodeString(cursor)
    const end = cursor.p
    if (end >= out.length) {
      // No room even for the mark below: the row is written again.
      cursor.p = out.length + 1
      return
    }
    out[end] = 0
    if (!this.#checker.isValid(out, p, end)) {
      this.#changes.add(member.name, 'json_invalid')
      cursor.i = i
      cursor.p = p
      cursor.replaced = false
      this.#string(member)
      return
    }
    if (this.#checker.broken) cursor.p = unbreak(out, p, end)
    if (cursor.replaced) {
      cursor.replaced = false
      this.#changes.add(member.name, 'invalid_utf8')
    }
  }

  #time(member: Member): void {
    const cursor = this.#cursor
    const { i, out, p } = cursor
    // What is not written stands behind the cursor, and the string writes over it.
    out[p] = QUOTE
    const end = this.#times === null ? -1 : this.#times.write(cursor.src, i, out, p + 1)
    if (this.#times === null || end < 0) {
      if (this.#times !== null) this.#changes.add(member.name, 'time_kept')
      this.#string(member)
      return
    }
    out[end] = QUOTE
    cursor.p = end + 1
    cursor.i = this.#times.end + 1
  }

  #flag(member: Member): void {
    const cursor = this.#cursor
    const flag = FLAGS.find(([text]) => startsWith(cursor.src, cursor.i, text))
    if (flag === undefined) this.#string(member)
    else {
      cursor.i += flag[0].length
      put(cursor, flag[1])
    }
  }

  /** Bytes in a column of documents are no document. */
  #bytes(member: Member): void {
    const cursor = this.#cursor
    const { src, out } = cursor
    const { from, to } = enterBytes(cursor)
    out[cursor.p++] = QUOTE
    putBase64(cursor, src, from, to)
    out[cursor.p++] = QUOTE
    if (member.type === 'json') this.#changes.add(member.name, 'json_invalid')
  }
}

function startsWith(src: Uint8Array, i: number, text: Uint8Array): boolean {
  for (let k = 0; k < text.length; k++) if (src[i + k] !== text[k]) return false
  return true
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
