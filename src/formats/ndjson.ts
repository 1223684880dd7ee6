/** NDJSON: one JSON object per line. */
import type { RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import { Cursor, leaveLine, NEWLINE } from './cells.ts'
import { RowChanges } from './changes.ts'
import { CopyObjects } from './copy-objects.ts'
import type { Format } from './format.ts'
import { ObjectWriter } from './json-objects.ts'
import { type Member, membersOf } from './members.ts'
import type { RowWriter } from './row-writer.ts'
import { encodeRows } from './rows.ts'

export const ndjsonFormat: Format = {
  name: 'ndjson',
  extension: 'ndjson',
  mediaType: 'application/x-ndjson',
  layout: 'nested',
  encode: (rows: AsyncIterable<RowChunk>, shape: Shape, output: Output, tally: RowTally) =>
    encodeRows(rows, shape, tally, new LineWriter(shape, output)),
}

class LineWriter implements RowWriter {
  readonly cursor = new Cursor()
  readonly changes = new RowChanges()
  readonly #members: readonly Member[]
  readonly #objects: ObjectWriter
  readonly #copies: CopyObjects

  constructor(shape: Shape, output: Output) {
    this.#members = membersOf(shape)
    this.#objects = new ObjectWriter(this.cursor, this.changes, output)
    this.#copies = new CopyObjects(this.cursor, this.#objects, this.#members, output)
  }

  row(): void {
    const { cursor } = this
    this.#objects.row(this.#members)
    leaveLine(cursor)
    cursor.out[cursor.p++] = NEWLINE
  }

  copyRow(): void {
    this.#copies.row()
    this.cursor.out[this.cursor.p++] = NEWLINE
  }
}
