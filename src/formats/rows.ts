/**
 * The way that every format goes: chunks of row text in, chunks of the file out, what was changed told to the tally before the
 * bytes are yielded.
 */
import { isUtf8 } from 'node:buffer'
import { FreightError } from '../job/errors.ts'
import type { LeftOutRow, RowChunk, Shape } from '../job/row-text.ts'
import type { RowTally } from '../job/tally.ts'
import { atRow, MalformedRow, NEWLINE, RefusedRow } from './cells.ts'
import { CopyRow } from './copy-text.ts'
import type { RowWriter } from './row-writer.ts'
import { keyOfRow, type Slot, slotsOf } from './slots.ts'
import { validText } from './utf8.ts'

export async function* encodeRows(
  rows: AsyncIterable<RowChunk>,
  shape: Shape,
  tally: RowTally,
  writer: RowWriter,
): AsyncIterable<Uint8Array> {
  const encoder = new ChunkEncoder(shape, tally, writer)
  for await (const chunk of rows) {
    const bytes = encoder.encode(chunk)
    // None where every row of the chunk was left out.
    if (bytes.length > 0) yield bytes
  }
}

/** For formats that do more with a chunk than pass its bytes on. */
export class ChunkEncoder {
  readonly #slots: readonly Slot[]
  readonly #tally: RowTally
  readonly #writer: RowWriter
  readonly #copyRow: CopyRow
  readonly #copies: RowWriter | null
  readonly #jsonForm = new ReusedBuffer()
  readonly #output = new ReusedBuffer()
  /** Rows read before this chunk: over all files of a split export, and those left out too, so that a row has one number. */
  #rowsBefore = 0

  constructor(shape: Shape, tally: RowTally, writer: RowWriter) {
    this.#slots = slotsOf(shape)
    this.#tally = tally
    this.#writer = writer
    this.#copyRow = new CopyRow(this.#slots)
    const copyRow = writer.copyRow?.bind(writer)
    this.#copies = copyRow ? { cursor: writer.cursor, changes: writer.changes, row: copyRow } : null
  }

  /** The chunk's rows as the file holds them; good until the next call. */
  encode(chunk: RowChunk): Uint8Array {
    const tally = this.#tally
    const { errors } = tally
    this.#rowsBefore = tally.rows + errors
    try {
      const bytes = chunk.form === 'written' ? chunk.bytes : this.#write(chunk)
      tally.written(chunk.rows - (tally.errors - errors))
      return bytes
    } catch (thrown) {
      throw thrown instanceof MalformedRow ? this.#malformed(thrown) : thrown
    }
  }

  #write(chunk: RowChunk): Uint8Array {
    const slots = this.#slots
    const { changes } = this.#writer
    let bytes = plainView(chunk.bytes)
    if (chunk.form === 'copy' && this.#copies && isUtf8(bytes)) return this.#writeCopied(this.#copies, bytes, chunk.rows)
    if (chunk.form === 'copy') {
      const length = writeRows(this.#copyRow, this.#jsonForm, bytes, chunk.rows)
      bytes = this.#jsonForm.bytes.subarray(0, length)
    }
    const text = validText(bytes, chunk.rows, slots)
    const source = plainView(text.bytes)
    const written = (row: number, start: number): void => {
      for (const index of text.replaced.get(row) ?? []) {
        const slot = slots[index]
        if (slot && !slot.hidden && !changes.has(slot.name, 'invalid_utf8')) changes.add(slot.name, 'invalid_utf8')
      }
      if (changes.count > 0) changes.report(this.#tally, this.#rowsBefore + row + 1, () => keyOfRow(source, start, slots))
    }
    const length = writeRows(this.#writer, this.#output, source, chunk.rows, {
      written,
      refused: (refused) => this.#refuse(refused, () => keyOfRow(source, refused.start, slots)),
    })
    return this.#output.bytes.subarray(0, length)
  }

  #writeCopied(writer: RowWriter, source: Uint8Array, rows: number): Uint8Array {
    const { changes } = writer
    const written = (row: number, start: number): void => {
      if (changes.count > 0) changes.report(this.#tally, this.#rowsBefore + row + 1, () => this.#keyOfCopied(source, start))
    }
    const length = writeRows(writer, this.#output, source, rows, {
      written,
      refused: (refused) => this.#refuse(refused, () => this.#keyOfCopied(source, refused.start)),
    })
    return this.#output.bytes.subarray(0, length)
  }

  #keyOfCopied(source: Uint8Array, start: number): string | null {
    const row = source.subarray(start, source.indexOf(NEWLINE, start) + 1)
    writeRows(this.#copyRow, this.#jsonForm, row, 1)
    return keyOfRow(this.#jsonForm.bytes, 0, this.#slots)
  }

  /** The row is left out, or ends the run as the only entry of its errors log. */
  #refuse(refused: RefusedRow, keyOf: () => string | null): void {
    const tally = this.#tally
    const { resource } = tally
    const { column, message: what } = refused
    const entry = (): LeftOutRow => ({
      row: this.#rowsBefore + refused.row + 1,
      key: keyOf()?.slice(0, 200) ?? null,
      column,
      what,
    })
    if (tally.onRowError === 'skip') {
      tally.rowRefused(entry)
      return
    }
    const { row, key } = entry()
    const named = `Row ${row}${key === null ? '' : ` (key ${key})`} of "${resource}"${column === null ? '' : `, column "${column}"`}`
    const details = { entry: { resource, row, key, column, what } }
    throw new FreightError(refused.code, `${named}: ${what}`, { cause: refused, details })
  }

  #malformed(broken: MalformedRow): FreightError {
    return new FreightError(
      'SOURCE_FAILED',
      `Row ${this.#rowsBefore + broken.row + 1} of "${this.#tally.resource}" came from the source in a broken form (${broken.message}). Start the export again; when it fails at the same row, the source needs a look.`,
      { cause: broken },
    )
  }
}

interface RowEvents {
  /** After each row that stands; `start` is where it begins in the source. */
  written(row: number, start: number): void
  /** Returns where the row is to be left out; the next one follows. */
  refused(refused: RefusedRow): void
}

/** Writes all rows of a chunk and returns how many bytes they took. */
function writeRows(writer: RowWriter, output: ReusedBuffer, source: Uint8Array, rows: number, events?: RowEvents): number {
  const { cursor } = writer
  if (source[source.length - 1] !== NEWLINE) throw new MalformedRow('its last row is cut')
  cursor.src = source
  cursor.out = output.atLeast(source.length + source.length / 4 + 4096)
  cursor.i = 0
  cursor.p = 0
  let row = 0
  let start = 0
  try {
    while (row < rows) {
      const { i, p } = cursor
      start = i
      if (i >= source.length) throw new MalformedRow('rows are missing')
      if (!stands(writer, events, row, start)) {
        cursor.i = source.indexOf(NEWLINE, start) + 1
        cursor.p = p
        writer.changes.cutTo(0)
        row++
        continue
      }
      if (cursor.p > cursor.out.length) {
        cursor.out = output.grow(p, cursor.p)
        cursor.i = i
        cursor.p = p
        writer.changes.cutTo(0)
        continue
      }
      events?.written(row, i)
      row++
    }
  } catch (thrown) {
    throw atRow(thrown, row)
  }
  if (cursor.i !== source.length) throw new MalformedRow('more rows came than were announced')
  return cursor.p
}

/** Writes one row; false where it was refused and is to be left out. */
function stands(writer: RowWriter, events: RowEvents | undefined, row: number, start: number): boolean {
  try {
    writer.row()
    return true
  } catch (thrown) {
    if (!(thrown instanceof RefusedRow) || !events) throw thrown
    thrown.row = row
    thrown.start = start
    events.refused(thrown)
    return false
  }
}

/** One buffer for chunk after chunk: a fresh large one each time would be paid for page by page, and twice in memory. */
class ReusedBuffer {
  bytes = new Uint8Array(0)

  atLeast(length: number): Uint8Array {
    // What one giant row made large is not kept.
    const isWrong = this.bytes.length < length || (this.bytes.length > KEPT_BYTES && length <= KEPT_BYTES)
    // Rounded up: each chunk that is a little longer than all before it would ask for another buffer.
    if (isWrong) this.bytes = uninitialised(Math.ceil(length / ROOM_STEP) * ROOM_STEP)
    return this.bytes
  }

  /** A larger one for a row that needed `needed`, with the first `kept` bytes of this one. */
  grow(kept: number, needed: number): Uint8Array {
    const larger = uninitialised(Math.max(needed, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, kept))
    this.bytes = larger
    return larger
  }
}

const KEPT_BYTES = 16 * 1024 * 1024
const ROOM_STEP = 512 * 1024

function uninitialised(length: number): Uint8Array<ArrayBuffer> {
  return plainView(Buffer.allocUnsafeSlow(length)) as Uint8Array<ArrayBuffer>
}

/** The same bytes as a plain Uint8Array: inner loops that meet Buffers as well run on two object shapes and slower. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
