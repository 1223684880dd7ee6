/**
 * PostgreSQL's COPY text (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format") rewritten to the `json` form: what a cell
 * is follows from its column's type, since COPY text says only NULL or not.
 */
import type { CellType } from '../job/row-text.ts'
import {
  BACKSLASH,
  CLOSE_BRACKET,
  COMMA,
  Cursor,
  HEX_VALUES,
  MalformedRow,
  NEWLINE,
  OPEN_BRACKET,
  put,
  QUOTE,
  SPACE,
} from './cells.ts'
import { RowChanges } from './changes.ts'
import { numberEnd } from './json-text.ts'
import type { RowWriter } from './row-writer.ts'
import type { Slot } from './slots.ts'
import { putEscape } from './strings.ts'

const TAB = 9
const UPPER_N = 78
const NULL = Buffer.from('null')
const BYTES_OPEN = Buffer.from('{"b":"')
const BYTES_CLOSE = Buffer.from('"}')
const INFINITY = Buffer.from('Infinity')
const POSITIVE_INFINITY = Buffer.from('9.0e+999')
const NEGATIVE_INFINITY = Buffer.from('-9.0e+999')
/** What a letter after a backslash stands for in COPY text; every other byte stands for itself. */
export const COPY_ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const at = 'bfnrtv'.indexOf(String.fromCharCode(byte))
  return at < 0 ? byte : '\b\f\n\r\t\v'.charCodeAt(at)
})
const NUMERIC: ReadonlySet<CellType> = new Set(['integer', 'decimal', 'float'])

/** What a cell's text may be read as; a relation's is text. */
export type CopyKind = 'number' | 'bytes' | 'text'

export function copyKind({ kind, type }: Pick<Slot, 'kind' | 'type'>): CopyKind {
  if (kind !== 'cell') return 'text'
  if (NUMERIC.has(type)) return 'number'
  return type === 'bytes' ? 'bytes' : 'text'
}

export class CopyRow implements RowWriter {
  readonly cursor = new Cursor()
  readonly changes = new RowChanges()
  readonly #kinds: readonly CopyKind[]

  constructor(slots: readonly Slot[]) {
    this.#kinds = slots.map(copyKind)
  }

  row(): void {
    const { cursor } = this
    const { length } = this.#kinds
    cursor.out[cursor.p++] = OPEN_BRACKET
    for (let k = 0; k < length; k++) {
      if (k > 0) {
        if (cursor.src[cursor.i++] !== TAB) throw new MalformedRow('a cell is missing')
        cursor.out[cursor.p++] = COMMA
      }
      writeCell(cursor, this.#kinds[k] as CopyKind)
    }
    if (cursor.src[cursor.i++] !== NEWLINE) throw new MalformedRow('a row has more cells than its shape')
    cursor.out[cursor.p++] = CLOSE_BRACKET
    cursor.out[cursor.p++] = NEWLINE
  }
}

/** The cell at the cursor, in the `json` form. */
export function writeCell(cursor: Cursor, kind: CopyKind): void {
  const { src, i } = cursor
  if (src[i] === BACKSLASH && src[i + 1] === UPPER_N) {
    cursor.i += 2
    put(cursor, NULL)
  } else if (!(kind === 'number' && writeNumber(cursor)) && !(kind === 'bytes' && writeBytes(cursor))) writeText(cursor)
}

function endsCell(byte: number | undefined): boolean {
  return byte === TAB || byte === NEWLINE
}

function writeText(cursor: Cursor): void {
  const { src, out } = cursor
  let { i, p } = cursor
  out[p++] = QUOTE
  for (;;) {
    let c = src[i] as number
    if (c === TAB || c === NEWLINE) break
    i++
    if (c === BACKSLASH) {
      if (src[i] === NEWLINE) throw new MalformedRow('a text is cut')
      c = COPY_ESCAPES[src[i++] as number] as number
    }
    if (c < SPACE || c === QUOTE || c === BACKSLASH) p = putEscape(out, p, c)
    else out[p++] = c
  }
  out[p++] = QUOTE
  cursor.i = i
  cursor.p = p
}

/** False, with nothing written, where the text is not a number as JSON spells it. */
function writeNumber(cursor: Cursor): boolean {
  const end = numberEnd(cursor.src, cursor.i)
  if (end > 0 && endsCell(cursor.src[end])) {
    put(cursor, cursor.src.subarray(cursor.i, end))
    cursor.i = end
    return true
  }
  const negative = cursor.src[cursor.i] === 45
  const start = negative ? cursor.i + 1 : cursor.i
  for (let k = 0; k < INFINITY.length; k++) if (cursor.src[start + k] !== INFINITY[k]) return false
  if (!endsCell(cursor.src[start + INFINITY.length])) return false
  put(cursor, negative ? NEGATIVE_INFINITY : POSITIVE_INFINITY)
  cursor.i = start + INFINITY.length
  return true
}

/** `\\x` and hexadecimal digits, as `bytea_output = hex` gives; false where something else stands there. */
function writeBytes(cursor: Cursor): boolean {
  const { src, i } = cursor
  if (src[i] !== BACKSLASH || src[i + 1] !== BACKSLASH || src[i + 2] !== 120) return false
  let end = i + 3
  while (HEX_VALUES[src[end] as number] !== 255) end++
  if (!endsCell(src[end])) return false
  put(cursor, BYTES_OPEN)
  put(cursor, src.subarray(i + 3, end))
  put(cursor, BYTES_CLOSE)
  cursor.i = end
  return true
}
