/** Single cells of COPY text, for writers that take them as they come. */
import { BACKSLASH, Cursor, MalformedRow, NEWLINE, QUOTE } from './cells.ts'
import { COPY_ESCAPES, type CopyKind, writeCell } from './copy-text.ts'
import type { TimeWriter } from './times.ts'

export const TAB = 9
const UPPER_N = 78

/** Steps over the tab before a cell; the first of a row has none. */
export function enterCopyCell(cursor: Cursor): void {
  if (cursor.src[cursor.i++] !== TAB) throw new MalformedRow('a cell is missing')
}

export function leaveCopyRow(cursor: Cursor): void {
  if (cursor.src[cursor.i++] !== NEWLINE) throw new MalformedRow('a row has more cells than its shape')
}

/** Steps over `\N` where it stands. */
export function skipCopyNull(cursor: Cursor): boolean {
  const { src, i } = cursor
  if (src[i] !== BACKSLASH || src[i + 1] !== UPPER_N) return false
  cursor.i = i + 2
  return true
}

/** Where the cell that goes on at `i` ends: no byte of it is a tab or a newline. */
export function copyCellEnd(src: Uint8Array, i: number): number {
  let end = i
  while (src[end] !== TAB && src[end] !== NEWLINE) end++
  return end
}

/** The byte that the escape behind a backslash stands for. */
export function unescaped(byte: number): number {
  if (byte === NEWLINE) throw new MalformedRow('a text is cut')
  return COPY_ESCAPES[byte] as number
}

/** The time at the cursor as `times` writes it; false, with nothing written, where it is none. */
export function writeCopiedTime(cursor: Cursor, times: TimeWriter): boolean {
  const { src, i } = cursor
  const end = copyCellEnd(src, i)
  const next = src[end] as number
  // The writer looks for the quote that ends a text in the other form.
  src[end] = QUOTE
  const p = times.write(src, i, cursor.out, cursor.p)
  src[end] = next
  if (p < 0 || times.end !== end) return false
  cursor.i = end
  cursor.p = p
  return true
}

/** One cell rewritten to the `json` form, for what is too seldom to have a way of its own. */
export class JsonCell {
  readonly #scratch = new Cursor()

  /** The cell at the cursor, as a row text of its own with a newline behind it; the cursor stands behind the cell. Good until the next. */
  rewrite(cursor: Cursor, kind: CopyKind): Uint8Array {
    const scratch = this.#scratch
    if (scratch.out.length === 0) scratch.out = new Uint8Array(4096)
    scratch.src = cursor.src
    for (;;) {
      scratch.i = cursor.i
      scratch.p = 0
      writeCell(scratch, kind)
      if (scratch.p < scratch.out.length) break
      scratch.out = new Uint8Array(scratch.p * 2)
    }
    scratch.out[scratch.p] = NEWLINE
    cursor.i = scratch.i
    return scratch.out
  }
}
