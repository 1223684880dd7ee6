/** XLSX: a workbook with a bold, frozen header and a row per row; a further sheet where one is full. */
import { FreightError } from '../job/errors.ts'
import type { RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import type { Format } from './format.ts'
import { ChunkEncoder } from './rows.ts'
import { RowFeed } from './xlsx/row-feed.ts'
import { MEASURED_ROWS, SheetRow } from './xlsx/sheet-row.ts'
import { type SheetColumn, sheetColumns, sheetHead, sheetTail } from './xlsx/sheet-xml.ts'
import { STYLES_XML } from './xlsx/styles.ts'
import {
  contentTypes,
  PACKAGE_RELATIONSHIPS,
  type Sheet,
  sheetName,
  sheetPath,
  workbookRelationships,
  workbookXml,
} from './xlsx/workbook.ts'
import { ZipWriter } from './xlsx/zip.ts'

/** What a sheet holds ("Excel specifications and limits"). */
const SHEET_ROWS = 1_048_576
const SHEET_COLUMNS = 16_384
/** What is held back until the widths are known: so many rows, or bytes, if those are many. */
const HELD_BYTES = 8 * 1024 * 1024

export const xlsxFormat: Format = createXlsxFormat(SHEET_ROWS)

/** `sheetRows`: how many rows a sheet takes, the header among them. */
export function createXlsxFormat(sheetRows: number): Format {
  return {
    name: 'xlsx',
    extension: 'xlsx',
    mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    layout: 'flat',
    encode: (rows, shape, output, tally) => encode(rows, shape, output, tally, sheetRows - 1),
  }
}

async function* encode(
  rows: AsyncIterable<RowChunk>,
  shape: Shape,
  output: Output,
  tally: RowTally,
  rowsPerSheet: number,
): AsyncIterable<Uint8Array> {
  const columns = sheetColumns(shape)
  checkColumns(columns.length, tally.resource)
  const zip = new ZipWriter()
  const feed = new RowFeed(rows)
  const writer = new SheetRow(shape, output)
  const encoder = new ChunkEncoder(shape, tally, writer)
  const sheets: Sheet[] = []
  try {
    yield* zip.entry('_rels/.rels', text(PACKAGE_RELATIONSHIPS))
    yield* zip.entry('xl/styles.xml', text(STYLES_XML))
    do {
      const index = sheets.length
      writer.beginSheet()
      yield* zip.entry(`xl/${sheetPath(index)}`, sheetXml(feed, rowsPerSheet, encoder, writer, columns))
      sheets.push({ name: sheetName(tally.resource, index), rows: writer.rows, columns: columns.length })
    } while (!(await feed.isAtEnd()))
    yield* zip.entry('xl/workbook.xml', text(workbookXml(sheets)))
    yield* zip.entry('xl/_rels/workbook.xml.rels', text(workbookRelationships(sheets)))
    yield* zip.entry('[Content_Types].xml', text(contentTypes(sheets)))
    yield zip.end()
  } finally {
    await feed.close()
  }
}

/** One sheet of at most `limit` rows. The widths stand before the rows, so the first of these are held back until they have been measured. */
async function* sheetXml(
  feed: RowFeed,
  limit: number,
  encoder: ChunkEncoder,
  writer: SheetRow,
  columns: readonly SheetColumn[],
): AsyncIterable<Uint8Array> {
  const first: Uint8Array[] = []
  let bytes = 0
  let rows = 0
  for await (const chunk of feed.upTo(Math.min(limit, MEASURED_ROWS))) {
    const written = Uint8Array.from(encoder.encode(chunk))
    first.push(written)
    bytes += written.length
    rows += chunk.rows
    if (bytes > HELD_BYTES) break
  }
  yield sheetHead(columns, writer.widths)
  yield* first
  for await (const chunk of feed.upTo(limit - rows)) yield encoder.encode(chunk)
  yield sheetTail(columns.length, writer.rows)
}

function checkColumns(columns: number, resource: string): void {
  if (columns <= SHEET_COLUMNS) return
  throw new FreightError(
    'TOO_MANY_COLUMNS',
    `"${resource}" has ${columns} columns, and a sheet of a workbook holds ${SHEET_COLUMNS} at most. Choose fewer fields, or another format.`,
  )
}

function text(content: string): Uint8Array[] {
  return [Buffer.from(content)]
}
