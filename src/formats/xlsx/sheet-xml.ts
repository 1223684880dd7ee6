/** What stands around the rows of a worksheet: the header's row, widths, the frozen pane and the filter (ECMA-376 part 1, 18.3.1). */
import type { CellType, Shape } from '../../job/row-text.ts'
import { Cursor } from '../cells.ts'
import { SheetText } from './sheet-text.ts'
import { STYLES } from './styles.ts'

const SPREADSHEET = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
/** The narrowest and the widest that a column is made, in characters. */
const NARROWEST = 8
const WIDEST = 60
/** Of a header's name: bold, and the filter's button beside it. */
const HEADER_ROOM = 4
/** Beside a cell's content: a number that has not all of its width is shown as #####. */
const CELL_ROOM = 1
/** At least: of cells that show more than they hold, and of numbers, which mostly grow below the first rows. */
const WIDTHS: Partial<Record<CellType, number>> = {
  boolean: 8,
  integer: 11,
  decimal: 11,
  float: 11,
  date: 12,
  timestamp: 24,
}

export interface SheetColumn {
  readonly name: string
  readonly type: CellType
}

export function sheetColumns(shape: Shape): SheetColumn[] {
  return shape.flatMap((cell): SheetColumn[] => {
    if (cell.kind !== 'cell') return [{ name: cell.name, type: 'json' }]
    return cell.hidden ? [] : [{ name: cell.name, type: cell.type }]
  })
}

/** `A`, `Z`, `AA`: of the column at `at`, from 0. */
export function columnName(at: number): string {
  return at < 0 ? '' : columnName(Math.floor(at / 26) - 1) + String.fromCharCode(65 + (at % 26))
}

/** The cells that the header and `rows` rows fill; null where there is no column. */
export function filledRange(columns: number, rows: number, mark = ''): string | null {
  if (columns === 0) return null
  return `${mark}A${mark}1:${mark}${columnName(columns - 1)}${mark}${rows + 1}`
}

/** `shown`: how wide the widest cell of each column is, among the first rows. */
export function sheetHead(columns: readonly SheetColumn[], shown: readonly number[]): Buffer {
  const widths = columns.map(({ name, type }, at) => {
    const content = Math.max(WIDTHS[type] ?? 0, (shown[at] ?? 0) + CELL_ROOM)
    const width = Math.min(WIDEST, Math.max(NARROWEST, content, name.length + HEADER_ROOM))
    return `<col min="${at + 1}" max="${at + 1}" width="${width}" customWidth="1"/>`
  })
  const text = [
    `${XML_DECLARATION}<worksheet xmlns="${SPREADSHEET}">`,
    `<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>`,
    '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>',
    '<sheetFormatPr defaultRowHeight="15"/>',
    widths.length > 0 ? `<cols>${widths.join('')}</cols>` : '',
    '<sheetData>\n',
  ].join('')
  return Buffer.concat([Buffer.from(text), headerRow(columns)])
}

export function sheetTail(columns: number, rows: number): Buffer {
  const range = filledRange(columns, rows)
  const filter = range === null ? '' : `<autoFilter ref="${range}"/>`
  return Buffer.from(
    `</sheetData>${filter}<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></worksheet>\n`,
  )
}

function headerRow(columns: readonly SheetColumn[]): Buffer {
  const cells = columns.map(({ name }, at) => {
    const open = Buffer.from(`<c r="${columnName(at)}1" s="${STYLES.header}" t="inlineStr"><is><t>`)
    return Buffer.concat([stringElement(open, name), Buffer.from('</t></is></c>')])
  })
  return Buffer.concat([Buffer.from('<row r="1">'), ...cells, Buffer.from('</row>\n')])
}

/** The text behind `open`, which ends with the tag it belongs to. */
function stringElement(open: Buffer, text: string): Uint8Array {
  const bytes = Buffer.from(text)
  const cursor = new Cursor()
  // An escape makes seven bytes of one.
  cursor.out = new Uint8Array(open.length + bytes.length * 7 + 64)
  cursor.out.set(open)
  cursor.p = open.length
  new SheetText(cursor).writeText(bytes, 0, bytes.length)
  return cursor.out.subarray(0, cursor.p)
}
