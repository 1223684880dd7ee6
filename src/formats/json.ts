/** JSON: one array, each row an object on a line of its own; `[]` for no rows. */
import type { RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import { COMMA, Cursor, leaveLine, NEWLINE, OPEN_BRACKET } from './cells.ts'
import { RowChanges } from './changes.ts'
import { CopyObjects } from './copy-objects.ts'
import type { Format } from './format.ts'
import { ObjectWriter } from './json-objects.ts'
import { type Member, membersOf } from './members.ts'
import type { RowWriter } from './row-writer.ts'
import { encodeRows } from './rows.ts'

export const jsonFormat: Format = {
  name: 'json',
  extension: 'json',
  mediaType: 'application/json',
  layout: 'nested',
  encode,
}

async function* encode(rows: AsyncIterable<RowChunk>, shape: Shape, output: Output, tally: RowTally): AsyncIterable<Uint8Array> {
  let began = false
  for await (const bytes of encodeRows(rows, shape, tally, new ElementWriter(shape, output))) {
    // Every element brings the comma before it; the first one's becomes the opening bracket.
    if (!began) bytes[0] = OPEN_BRACKET
    began = true
    yield bytes
  }
  yield Buffer.from(began ? '\n]\n' : '[]\n')
}

class ElementWriter implements RowWriter {
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
    cursor.out[cursor.p++] = COMMA
    cursor.out[cursor.p++] = NEWLINE
    this.#objects.row(this.#members)
    leaveLine(cursor)
  }

  copyRow(): void {
    const { cursor } = this
    cursor.out[cursor.p++] = COMMA
    cursor.out[cursor.p++] = NEWLINE
    this.#copies.row()
  }
}
