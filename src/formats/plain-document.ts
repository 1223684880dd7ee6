/** JSON documents that stand in a JSON string with nothing escaped but their quotes: nearly every document there is. */
import {
  BACKSLASH,
  byteTable,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  type Cursor,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  STRING_STOPS,
} from './cells.ts'
import { scalarEnd } from './json-text.ts'

const IS_LETTER_ESCAPE = byteTable((byte) => '/bfnrt'.includes(String.fromCharCode(byte)))
/** Deeper documents, whose brackets do not fit into the bits of a number, go the long way. */
const DEEPEST = 2 ** 29

/**
 * Writes the document of the string at the cursor, from behind its opening quote, and checks it on the way, in one pass; the cursor then
 * stands behind the closing quote. Returns false, with the cursor where it was, for every other text: whether that is a document
 * is not said.
 */
export function copyPlainDocument(cursor: Cursor): boolean {
  const { i, p } = cursor
  if (copyDocument(cursor)) return true
  cursor.i = i
  cursor.p = p
  return false
}

/** The same, but that the cursor stands somewhere after a false. */
function copyDocument(cursor: Cursor): boolean {
  const { src, out } = cursor
  let { i, p } = cursor
  // A 1, then a bit for each open bracket, the innermost last: 1 for an object.
  let open = 1
  let isName = false
  for (;;) {
    let c = src[i] as number
    while (c === SPACE) {
      out[p++] = c
      c = src[++i] as number
    }
    if (c === BACKSLASH) {
      cursor.i = i + 1
      cursor.p = p
      if (!copyText(cursor)) return false
      i = cursor.i
      p = cursor.p
    } else if (isName || c === QUOTE) return false
    else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      if (open > DEEPEST) return false
      open = open * 2 + (c === OPEN_BRACE ? 1 : 0)
      out[p++] = c
      i++
      // The closing brackets stand two behind the opening ones in ASCII; `[ ]` goes the long way.
      if (src[i] !== c + 2) {
        isName = c === OPEN_BRACE
        continue
      }
    } else {
      const end = scalarEnd(src, i)
      if (end < 0) return false
      while (i < end) out[p++] = src[i++] as number
    }
    for (;;) {
      c = src[i++] as number
      if (open === 1 && c !== SPACE) return c === QUOTE && moved(cursor, i, p)
      out[p++] = c
      if (c === SPACE) continue
      if (c === (isName ? COLON : COMMA)) {
        isName = !isName && (open & 1) === 1
        break
      }
      if (isName || c !== ((open & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) return false
      open >>= 1
    }
  }
}

/** A text of the document, from its opening quote to behind its closing one. */
function copyText(cursor: Cursor): boolean {
  const { src, out } = cursor
  let { i, p } = cursor
  if (src[i++] !== QUOTE) return false
  out[p++] = QUOTE
  for (;;) {
    let c = src[i++] as number
    while (STRING_STOPS[c] === 0) {
      out[p++] = c
      c = src[i++] as number
    }
    if (c !== BACKSLASH) return false
    c = src[i++] as number
    if (c === QUOTE) break
    // A backslash of the document's own: with what follows it stands for one character.
    if (c !== BACKSLASH) return false
    c = src[i++] as number
    if (c === BACKSLASH) {
      c = src[i++] as number
      if (c !== QUOTE && c !== BACKSLASH) return false
    } else if (IS_LETTER_ESCAPE[c] !== 1) return false
    out[p++] = BACKSLASH
    out[p++] = c
  }
  out[p++] = QUOTE
  return moved(cursor, i, p)
}

function moved(cursor: Cursor, i: number, p: number): true {
  cursor.i = i
  cursor.p = p
  return true
}
