/**
 * Reads a workbook with an unzipper and an XML parser that know nothing of Freight, and refuses what a spreadsheet would: broken XML, parts that
 * no relationship reaches or no content type describes, styles that are not there, cells out of order, strings that no cell may hold.
 */
import type { Readable } from 'node:stream'
import { SaxesParser, type SaxesTagNS } from 'saxes'
import yauzl from 'yauzl'

const SPREADSHEET = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml'

export interface WorkbookCell {
  readonly kind: 'number' | 'text' | 'boolean'
  /** A number's digits as they stand; a text's characters with its escapes undone; `true` or `false`. */
  readonly text: string
  readonly format: string
  readonly bold: boolean
}

export interface WorkbookSheet {
  readonly name: string
  /** By row, then by column; null where there is no cell. */
  readonly rows: (WorkbookCell | null)[][]
  readonly widths: number[]
  readonly frozenRows: number
  readonly filter: string | null
}

export interface Workbook {
  readonly parts: readonly string[]
  readonly sheets: readonly WorkbookSheet[]
}

export async function readWorkbook(file: Buffer): Promise<Workbook> {
  const parts = await unzip(file)
  const types = contentTypes(partOf(parts, '[Content_Types].xml'))
  for (const name of parts.keys()) if (name !== '[Content_Types].xml' && !types(name)) throw new Error(`${name} has no type`)
  const [root] = relationships(partOf(parts, '_rels/.rels')).values()
  if (root?.type !== `${OFFICE}/officeDocument`) throw new Error('the package has no document')
  if (types(root.target) !== `${TYPES}.sheet.main+xml`) throw new Error('the document is no workbook')
  const related = relationships(partOf(parts, 'xl/_rels/workbook.xml.rels'))
  const reached = new Set(['[Content_Types].xml', '_rels/.rels', root.target, 'xl/_rels/workbook.xml.rels'])
  for (const { target } of related.values()) reached.add(`xl/${target}`)
  for (const name of parts.keys()) if (!reached.has(name)) throw new Error(`nothing leads to ${name}`)
  for (const name of reached) partOf(parts, name)
  const styles = stylesOf(parts, related, types)
  const sheets: WorkbookSheet[] = []
  for (const { name, id } of sheetsOf(partOf(parts, root.target))) {
    const relation = related.get(id)
    if (relation?.type !== `${OFFICE}/worksheet`) throw new Error(`${name} is no sheet`)
    if (types(`xl/${relation.target}`) !== `${TYPES}.worksheet+xml`) throw new Error(`${relation.target} has another type`)
    sheets.push(readSheet(name, partOf(parts, `xl/${relation.target}`), styles))
  }
  return { parts: [...parts.keys()], sheets }
}

/** Checks sizes and CRCs on the way. */
export async function unzip(file: Buffer): Promise<Map<string, Buffer>> {
  const zip = await yauzl.fromBufferPromise(file, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true })
  const parts = new Map<string, Buffer>()
  for await (const entry of zip.eachEntry()) {
    if (parts.has(entry.fileName)) throw new Error(`${entry.fileName} is there twice`)
    const pieces: Buffer[] = []
    for await (const piece of (await zip.openReadStreamPromise(entry)) as Readable) pieces.push(piece as Buffer)
    parts.set(entry.fileName, Buffer.concat(pieces))
  }
  return parts
}

function partOf(parts: ReadonlyMap<string, Buffer>, name: string): string {
  const bytes = parts.get(name)
  if (!bytes) throw new Error(`there is no ${name}`)
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

/** Calls back for every tag and text of well-formed XML; throws for any other. */
function parse(
  xml: string,
  open: (tag: SaxesTagNS) => void,
  text?: (text: string) => void,
  close?: (tag: SaxesTagNS) => void,
): void {
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', open)
  if (text) parser.on('text', text)
  if (close) parser.on('closetag', close)
  parser.write(xml).close()
}

function attribute(tag: SaxesTagNS, name: string): string | null {
  return tag.attributes[name]?.value ?? null
}

function contentTypes(xml: string): (part: string) => string | null {
  const defaults = new Map<string, string>()
  const overrides = new Map<string, string>()
  parse(xml, (tag) => {
    if (tag.uri !== `${PACKAGE}/content-types`) throw new Error(`${tag.name} is no content type`)
    const type = attribute(tag, 'ContentType') ?? ''
    if (tag.local === 'Default') defaults.set(attribute(tag, 'Extension') ?? '', type)
    if (tag.local === 'Override') overrides.set((attribute(tag, 'PartName') ?? '').slice(1), type)
  })
  return (part) => overrides.get(part) ?? defaults.get(part.slice(part.lastIndexOf('.') + 1)) ?? null
}

function relationships(xml: string): Map<string, { type: string; target: string }> {
  const found = new Map<string, { type: string; target: string }>()
  parse(xml, (tag) => {
    if (tag.uri !== `${PACKAGE}/relationships`) throw new Error(`${tag.name} is no relationship`)
    if (tag.local !== 'Relationship') return
    const id = attribute(tag, 'Id') ?? ''
    if (found.has(id)) throw new Error(`the relationship ${id} is there twice`)
    found.set(id, { type: attribute(tag, 'Type') ?? '', target: attribute(tag, 'Target') ?? '' })
  })
  return found
}

function sheetsOf(xml: string): { name: string; id: string }[] {
  const sheets: { name: string; id: string }[] = []
  parse(xml, (tag) => {
    if (tag.uri !== SPREADSHEET) throw new Error(`${tag.name} is no part of a workbook`)
    if (tag.local !== 'sheet') return
    const name = attribute(tag, 'name') ?? ''
    if (name.length < 1 || name.length > 31 || /[[\]:*?/\\]|^'|'$/.test(name)) throw new Error(`a sheet may not be named ${name}`)
    if (sheets.some((sheet) => sheet.name.toLowerCase() === name.toLowerCase())) throw new Error(`${name} is there twice`)
    sheets.push({ name, id: attribute(tag, 'r:id') ?? '' })
  })
  if (sheets.length === 0) throw new Error('a workbook needs a sheet')
  return sheets
}

interface Style {
  readonly format: string
  readonly bold: boolean
}

const BUILT_IN_FORMATS: Readonly<Record<string, string>> = { 0: 'General', 1: '0' }

/** The cells' styles; every count must be that of what follows, and every reference lead somewhere. */
function stylesOf(
  parts: ReadonlyMap<string, Buffer>,
  related: ReadonlyMap<string, { type: string; target: string }>,
  types: (part: string) => string | null,
): Style[] {
  const relation = [...related.values()].find(({ type }) => type === `${OFFICE}/styles`)
  if (!relation || types(`xl/${relation.target}`) !== `${TYPES}.styles+xml`) throw new Error('there are no styles')
  const formats = new Map(Object.entries(BUILT_IN_FORMATS))
  const counts = new Map<string, number>()
  const announced = new Map<string, number>()
  const fonts: boolean[] = []
  const styles: Style[] = []
  const path: string[] = []
  const visit = (tag: SaxesTagNS): void => {
    const within = path.at(-1) ?? ''
    path.push(tag.local)
    counts.set(within, (counts.get(within) ?? 0) + 1)
    const count = attribute(tag, 'count')
    if (count !== null) announced.set(tag.local, Number(count))
    if (tag.local === 'numFmt') formats.set(attribute(tag, 'numFmtId') ?? '', attribute(tag, 'formatCode') ?? '')
    if (tag.local === 'font') fonts.push(false)
    if (tag.local === 'b') fonts[fonts.length - 1] = true
    if (tag.local !== 'xf' || within !== 'cellXfs') return
    const format = formats.get(attribute(tag, 'numFmtId') ?? '')
    const bold = fonts[Number(attribute(tag, 'fontId'))]
    if (format === undefined || bold === undefined) throw new Error('a style has a format or font that is not there')
    styles.push({ format, bold })
  }
  parse(partOf(parts, `xl/${relation.target}`), visit, undefined, () => path.pop())
  for (const [name, count] of announced) if (counts.get(name) !== count) throw new Error(`${name} are not ${count}`)
  return styles
}

/** In which order a sheet's parts must come (CT_Worksheet). */
const SHEET_ORDER = ['sheetViews', 'sheetFormatPr', 'cols', 'sheetData', 'autoFilter', 'pageMargins']

function readSheet(name: string, xml: string, styles: readonly Style[]): WorkbookSheet {
  const reading = new SheetReading(styles)
  parse(
    xml,
    (tag) => reading.open(tag),
    (text) => reading.text(text),
    (tag) => reading.close(tag),
  )
  return { name, rows: reading.rows, widths: reading.widths, frozenRows: reading.frozenRows, filter: reading.filter }
}

class SheetReading {
  readonly rows: (WorkbookCell | null)[][] = []
  readonly widths: number[] = []
  frozenRows = 0
  filter: string | null = null
  readonly #styles: readonly Style[]
  #place = -1
  #row: (WorkbookCell | null)[] = []
  #cell = { kind: '', style: 0, isPreserved: false, content: null as string | null }
  #isContent = false

  constructor(styles: readonly Style[]) {
    this.#styles = styles
  }

  open(tag: SaxesTagNS): void {
    if (tag.uri !== SPREADSHEET) throw new Error(`${tag.name} is no part of a sheet`)
    const place = SHEET_ORDER.indexOf(tag.local)
    if (place >= 0 && place <= this.#place) throw new Error(`${tag.local} stands too late`)
    if (place >= 0) this.#place = place
    if (tag.local === 'pane' && attribute(tag, 'state') === 'frozen') this.frozenRows = Number(attribute(tag, 'ySplit'))
    if (tag.local === 'autoFilter') this.filter = attribute(tag, 'ref')
    if (tag.local === 'col') this.#width(tag)
    if (tag.local === 'row') this.#openRow(tag)
    if (tag.local === 'c') this.#openCell(tag)
    if (tag.local === 't' || tag.local === 'v') {
      this.#isContent = true
      this.#cell.content = ''
      this.#cell.isPreserved = attribute(tag, 'xml:space') === 'preserve'
    }
  }

  text(text: string): void {
    if (this.#isContent) this.#cell.content += text
    else if (text.trim() !== '') throw new Error(`${text} stands outside a cell`)
  }

  close(tag: SaxesTagNS): void {
    this.#isContent = false
    if (tag.local === 'c') this.#row.push(this.#read())
    if (tag.local === 'row') this.rows.push(this.#row)
  }

  #width(tag: SaxesTagNS): void {
    const [min, max, width] = ['min', 'max', 'width'].map((name) => Number(attribute(tag, name)))
    if (min !== this.widths.length + 1 || max !== min || !(Number(width) > 0 && Number(width) <= 255))
      throw new Error('a width is wrong')
    this.widths.push(Number(width))
  }

  #openRow(tag: SaxesTagNS): void {
    const row = Number(attribute(tag, 'r'))
    if (row !== this.rows.length + 1 || row > 1_048_576) throw new Error(`row ${row} is out of order`)
    this.#row = []
  }

  #openCell(tag: SaxesTagNS): void {
    const [, letters = '', row = ''] = /^([A-Z]{1,3})([1-9]\d*)$/.exec(attribute(tag, 'r') ?? '') ?? []
    const at = [...letters].reduce((value, letter) => value * 26 + letter.charCodeAt(0) - 64, 0) - 1
    if (Number(row) !== this.rows.length + 1 || at < this.#row.length || at >= 16_384)
      throw new Error(`${letters}${row} is out of order`)
    while (this.#row.length < at) this.#row.push(null)
    this.#cell = { kind: attribute(tag, 't') ?? 'n', style: Number(attribute(tag, 's') ?? 0), isPreserved: false, content: null }
  }

  #read(): WorkbookCell {
    const { kind, style, isPreserved, content } = this.#cell
    const look = this.#styles[style]
    if (!look || content === null) throw new Error('a cell has no style or no content')
    if (kind === 'inlineStr') return { kind: 'text', text: unescaped(content, isPreserved), ...look }
    if (kind === 'b' && (content === '0' || content === '1')) return { kind: 'boolean', text: String(content === '1'), ...look }
    if (kind !== 'n' || !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(content)) throw new Error(`${content} is no ${kind}`)
    return { kind: 'number', text: content, ...look }
  }
}

function unescaped(content: string, isPreserved: boolean): string {
  // XML takes line ends apart from a line feed for one; white space at an end is lost unless it is asked for.
  if (!isPreserved && /^[ \t\r\n]|[ \t\r\n]$/.test(content)) throw new Error('white space at an end is lost')
  const text = content.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (text.length > 32_767) throw new Error('a cell is too long')
  return text
}
