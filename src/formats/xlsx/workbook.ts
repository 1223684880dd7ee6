/** The parts of a workbook that are not sheets, and how they hang together (ECMA-376 part 1, 18.2; part 2 for relationships and types). */
import { filledRange, XML_DECLARATION } from './sheet-xml.ts'

const SPREADSHEET = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/package/2006/relationships'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
/** A sheet's name has at most so many UTF-16 units. */
const NAME_LENGTH = 31

export interface Sheet {
  readonly name: string
  readonly rows: number
  readonly columns: number
}

export const PACKAGE_RELATIONSHIPS = `${XML_DECLARATION}<Relationships xmlns="${RELATIONSHIPS}"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>\n`

export function sheetPath(index: number): string {
  return `worksheets/sheet${index + 1}.xml`
}

/** A name that a workbook may have, made of the resource's; numbered from the second sheet on. */
export function sheetName(resource: string, index: number): string {
  const suffix = index === 0 ? '' : ` (${index + 1})`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = resource.toWellFormed().replace(/[\u0000-\u001f\ufffe\uffff[\]:*?/\\]/g, '_')
  const cut = cutTo(plain, NAME_LENGTH - suffix.length).replace(/^'|'$/g, '_')
  // A name of Excel's own.
  const name = cut === '' ? 'Sheet' : /^history$/i.test(cut) ? `${cut}_` : cut
  return name + suffix
}

function cutTo(text: string, units: number): string {
  return text.slice(0, units).replace(/[\ud800-\udbff]$/, '')
}

/** The filter is a name of the workbook's too, as Excel itself keeps it. */
export function workbookXml(sheets: readonly Sheet[]): string {
  const tags = sheets.map(({ name }, index) => `<sheet name="${attribute(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`)
  const filters = sheets.flatMap(({ name, columns, rows }, index) => {
    const range = filledRange(columns, rows, '$')
    if (range === null) return []
    const place = `'${name.replaceAll("'", "''")}'!${range}`
    return `<definedName name="_xlnm._FilterDatabase" localSheetId="${index}" hidden="1">${attribute(place)}</definedName>`
  })
  const names = filters.length > 0 ? `<definedNames>${filters.join('')}</definedNames>` : ''
  return `${XML_DECLARATION}<workbook xmlns="${SPREADSHEET}" xmlns:r="${OFFICE}"><bookViews><workbookView/></bookViews><sheets>${tags.join('')}</sheets>${names}</workbook>\n`
}

export function workbookRelationships(sheets: readonly Sheet[]): string {
  const tags = sheets.map(
    (_, index) => `<Relationship Id="rId${index + 1}" Type="${OFFICE}/worksheet" Target="${sheetPath(index)}"/>`,
  )
  const styles = `<Relationship Id="rId${sheets.length + 1}" Type="${OFFICE}/styles" Target="styles.xml"/>`
  return `${XML_DECLARATION}<Relationships xmlns="${RELATIONSHIPS}">${tags.join('')}${styles}</Relationships>\n`
}

export function contentTypes(sheets: readonly Sheet[]): string {
  const overrides = sheets.map((_, index) => override(sheetPath(index), 'worksheet'))
  return `${XML_DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${override('workbook.xml', 'sheet.main')}${override('styles.xml', 'styles')}${overrides.join('')}</Types>\n`
}

function override(path: string, type: string): string {
  return `<Override PartName="/xl/${path}" ContentType="${TYPE}.${type}+xml"/>`
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
