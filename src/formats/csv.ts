/** CSV: a header, and a record per row. */
import { FreightError } from '../job/errors.ts'
import type { RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import { Cursor, QUOTE } from './cells.ts'
import { CsvRow } from './csv-row.ts'
import { CsvText } from './csv-text.ts'
import type { Format } from './format.ts'
import { APOSTROPHE, beginsFormula } from './formula.ts'
import { encodeRows } from './rows.ts'
import { isVisible } from './slots.ts'

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

export const csvFormat: Format = {
  name: 'csv',
  extension: 'csv',
  mediaType: 'text/csv; charset=utf-8',
  layout: 'flat',
  encode,
}

async function* encode(rows: AsyncIterable<RowChunk>, shape: Shape, output: Output, tally: RowTally): AsyncIterable<Uint8Array> {
  checkOptions(output)
  if (output.bom) yield BOM
  let isFirst = true
  for await (const bytes of records(rows, shape, output, tally)) {
    yield isFirst && beginsMisleadingly(bytes, output) ? quoteFirstField(bytes, output) : bytes
    isFirst = false
  }
}

async function* records(rows: AsyncIterable<RowChunk>, shape: Shape, output: Output, tally: RowTally): AsyncIterable<Uint8Array> {
  if (output.header) yield header(shape, output)
  yield* encodeRows(rows, shape, tally, new CsvRow(shape, output))
}

/** Names are quoted, and guarded, as texts are; what is guarded here is no cell and not counted. */
function header(shape: Shape, output: Output): Uint8Array {
  const cursor = new Cursor()
  const columns = shape.filter(isVisible)
  const names = columns.map((cell) => Buffer.from(cell.name))
  cursor.out = new Uint8Array(names.reduce((sum, name) => sum + name.length * 2 + 4, output.lineEnd.length))
  const text = new CsvText(cursor, output, columns.length === 1)
  for (const [index, name] of names.entries()) {
    if (index > 0) cursor.out[cursor.p++] = output.delimiter.charCodeAt(0)
    const guarded = output.formulaGuard && beginsFormula(name, 0, name.length) ? Buffer.from([APOSTROPHE, ...name]) : name
    text.writeText(guarded, 0, guarded.length)
  }
  for (const byte of Buffer.from(output.lineEnd)) cursor.out[cursor.p++] = byte
  return cursor.out.subarray(0, cursor.p)
}

/**
 * Whether the file's first field would be taken for something else: a byte order mark of its own for the file's, and `ID` for the start of a
 * SYLK file, which Excel then refuses to open as CSV.
 */
function beginsMisleadingly(bytes: Uint8Array, output: Output): boolean {
  if (BOM.every((byte, index) => bytes[index] === byte)) return true
  return output.profile.startsWith('excel') && bytes[0] === 0x49 && bytes[1] === 0x44
}

function quoteFirstField(bytes: Uint8Array, output: Output): Uint8Array {
  const ends = [output.delimiter.charCodeAt(0), 10, 13]
  const end = bytes.findIndex((byte) => ends.includes(byte))
  return Buffer.concat([Uint8Array.of(QUOTE), bytes.subarray(0, end), Uint8Array.of(QUOTE), bytes.subarray(end)])
}

/** The catalog has refused these already; a file with them could not be read back. */
function checkOptions(output: Output): void {
  const delimiter = output.delimiter.charCodeAt(0)
  if (output.delimiter.length !== 1 || !(delimiter > 0 && delimiter < 128) || /["\r\n]/.test(output.delimiter)) {
    throw new FreightError('OPTION_INVALID', 'The delimiter of a CSV file is one ASCII character, and no quote or line break.')
  }
  if (/["\r\n]/.test(output.nullText) || output.nullText.includes(output.delimiter)) {
    throw new FreightError('OPTION_INVALID', 'The text for NULL may hold no quote, line break or delimiter.')
  }
}
