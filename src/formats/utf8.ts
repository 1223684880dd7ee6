/**
 * Makes row text valid UTF-8. Whole chunks are checked at once (`isUtf8` reads several gigabytes a second); only a chunk that fails comes
 * here, to find which cells of which rows were meant.
 */
import { isUtf8 } from 'node:buffer'
import { atRow, COMMA, Cursor, enterCell, leaveLine, leaveRow, OPEN_BRACKET, skipCell } from './cells.ts'
import type { Slot } from './slots.ts'

export interface ValidText {
  readonly bytes: Uint8Array
  /** Indexes of the slots in which something was replaced, by the index of their row in the chunk. */
  readonly replaced: ReadonlyMap<number, readonly number[]>
}

const NOTHING_REPLACED: ReadonlyMap<number, readonly number[]> = new Map()

/**
 * Each byte sequence that is not UTF-8 becomes U+FFFD, as the WHATWG Encoding Standard cuts them. No part of the row text's own structure is
 * ever lost: it is ASCII, and a replaced sequence never takes an ASCII byte with it.
 */
export function validText(bytes: Uint8Array, rows: number, slots: readonly Slot[]): ValidText {
  if (isUtf8(bytes)) return { bytes, replaced: NOTHING_REPLACED }
  const replaced = new Map<number, number[]>()
  const cursor = new Cursor()
  cursor.src = bytes
  for (let row = 0; row < rows; row++) {
    try {
      const cells = invalidCells(cursor, slots)
      if (cells.length > 0) replaced.set(row, cells)
    } catch (thrown) {
      throw atRow(thrown, row)
    }
  }
  return { bytes: replaceInvalid(bytes), replaced }
}

function invalidCells(cursor: Cursor, slots: readonly Slot[]): number[] {
  const cells: number[] = []
  for (let slot = 0; slot < slots.length; slot++) {
    enterCell(cursor, slot === 0 ? OPEN_BRACKET : COMMA)
    const from = cursor.i
    skipCell(cursor)
    if (!isUtf8(cursor.src.subarray(from, cursor.i))) cells.push(slot)
  }
  leaveRow(cursor)
  leaveLine(cursor)
  return cells
}

/** In pieces, since a JavaScript string holds half a gigabyte at most; the decoder carries a sequence cut between two over. */
function replaceInvalid(bytes: Uint8Array): Uint8Array {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const encoder = new TextEncoder()
  const pieces: Uint8Array[] = []
  for (let from = 0; from < bytes.length; from += PIECE) {
    const piece = bytes.subarray(from, from + PIECE)
    pieces.push(encoder.encode(decoder.decode(piece, { stream: from + PIECE < bytes.length })))
  }
  return Buffer.concat(pieces)
}

const PIECE = 16 * 1024 * 1024
