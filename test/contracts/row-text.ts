/** Builds row text by hand, in both forms, from cells as a person writes them down. */
import type { CellType, RowChunk, RowForm, Shape, ShapeCell } from '../../src/job/row-text.ts'
import type { Output } from '../../src/job/spec.ts'

/** Text, NULL, a number by its digits, bytes, text by its very bytes (not UTF-8, perhaps), or the rows of a to-many relation. */
export type Cell =
  | string
  | null
  | { readonly number: string }
  | { readonly bytes: Uint8Array }
  | { readonly raw: Uint8Array }
  | { readonly many: readonly (readonly Cell[])[] }

export function column(name: string, type: CellType = 'text', more: { key?: boolean; hidden?: boolean } = {}): ShapeCell {
  return { kind: 'cell', name, type, key: more.key ?? false, hidden: more.hidden ?? false }
}

export const MACHINE: Output = {
  profile: 'machine',
  delimiter: ',',
  header: true,
  quoting: 'minimal',
  nullText: '',
  bom: false,
  lineEnd: '\n',
  times: 'database',
  timeZone: 'UTC',
  formulaGuard: false,
  omitBlank: false,
}

export const EXCEL: Output = { ...MACHINE, profile: 'excel', bom: true, lineEnd: '\r\n', times: 'rfc3339', formulaGuard: true }

function jsonCell(cell: Cell): Buffer {
  if (cell === null) return Buffer.from('null')
  if (typeof cell === 'string') return Buffer.from(JSON.stringify(cell))
  if ('number' in cell) return Buffer.from(cell.number.replace('Infinity', '9.0e+999'))
  if ('bytes' in cell) return Buffer.from(`{"b":"${Buffer.from(cell.bytes).toString('hex').toUpperCase()}"}`)
  if ('raw' in cell) return Buffer.concat([Buffer.from('"'), cell.raw, Buffer.from('"')])
  return Buffer.from(JSON.stringify(`[${cell.many.map((row) => jsonRow(row).toString()).join(',')}]`))
}

function jsonRow(row: readonly Cell[]): Buffer {
  const cells = row.flatMap((cell, index) => (index === 0 ? [jsonCell(cell)] : [Buffer.from(','), jsonCell(cell)]))
  return Buffer.concat([Buffer.from('['), ...cells, Buffer.from(']')])
}

const COPY_LETTERS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
}

function copyText(text: string): string {
  return text.replace(/[\\\b\t\n\v\f\r]/g, (letter) => COPY_LETTERS[letter] ?? letter)
}

function copyCell(cell: Cell): Buffer {
  if (cell === null) return Buffer.from('\\N')
  if (typeof cell === 'string') return Buffer.from(copyText(cell))
  if ('number' in cell) return Buffer.from(cell.number)
  if ('bytes' in cell) return Buffer.from(`\\\\x${Buffer.from(cell.bytes).toString('hex')}`)
  if ('raw' in cell) return Buffer.from(cell.raw)
  return Buffer.from(copyText(`[${cell.many.map((row) => jsonRow(row).toString()).join(',')}]`))
}

function rowText(form: RowForm, row: readonly Cell[]): Buffer {
  const newline = Buffer.from('\n')
  if (form === 'json') return Buffer.concat([jsonRow(row), newline])
  const cells = row.flatMap((cell, index) => (index === 0 ? [copyCell(cell)] : [Buffer.from('\t'), copyCell(cell)]))
  return Buffer.concat([...cells, newline])
}

export function chunkOf(form: RowForm, rows: readonly (readonly Cell[])[]): RowChunk {
  return { form, bytes: Buffer.concat(rows.map((row) => rowText(form, row))), rows: rows.length }
}

/** Chunks of at most `size` rows. */
export async function* chunks(form: RowForm, rows: readonly (readonly Cell[])[], size = 1000): AsyncIterable<RowChunk> {
  for (let from = 0; from < rows.length; from += size) yield chunkOf(form, rows.slice(from, from + size))
}

export async function* oneChunk(chunk: RowChunk): AsyncIterable<RowChunk> {
  yield chunk
}

/** Pieces of `bytes` that all lie in the same memory, one after the other: each is good until the next is asked for. */
export async function* inOnePlace(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  const place = new Uint8Array(size)
  for (let from = 0; from < bytes.length; from += size) {
    const piece = bytes.subarray(from, from + size)
    place.fill(0)
    place.set(piece)
    yield place.subarray(0, piece.length)
    place.fill(0)
  }
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

/** Ten columns of text, say, for tables whose names do not matter. */
export function columns(types: readonly CellType[]): Shape {
  return types.map((type, index) => column(`c${index}`, type))
}
