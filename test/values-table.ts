/**
 * Reads the tables of `docs/values.md`. The first two columns are a column's type and a value, in SQL; each further one says what is written: a
 * code span, `nothing`, or `same` for what the column `machine` has, and the causes under which it is counted. Pictures stand for control characters.
 */
export interface DocumentedRow {
  readonly type: string
  readonly value: string
  /** By the table's column. */
  readonly written: ReadonlyMap<string, string>
  readonly counted: ReadonlyMap<string, readonly string[]>
}

const PICTURES: Readonly<Record<string, string>> = { '␀': '\0', '␁': '\x01', '␉': '\t', '␊': '\n', '␍': '\r', '␠': ' ' }

export function readValueTables(markdown: string): DocumentedRow[][] {
  const tables: DocumentedRow[][] = []
  let names: string[] | null = null
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) names = null
    else if (names === null) {
      names = cellsOf(line)
      if (names[1] === 'value') tables.push([])
    } else if (names[1] === 'value' && !/^\|[-|]*$/.test(line)) tables.at(-1)?.push(readRow(names.slice(2), cellsOf(line)))
  }
  return tables
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function readRow(names: readonly string[], [type = '', value = '', ...cells]: readonly string[]): DocumentedRow {
  if (cells.length !== names.length) throw new Error(`a row of the table has ${cells.length} cells: ${value}`)
  const written = new Map<string, string>()
  const counted = new Map<string, readonly string[]>()
  for (const [index, name] of names.entries()) {
    const cell = cells[index] ?? ''
    const [, span, causes = ''] = /^(?:`([^`]*)`|same|nothing)?((?: [a-z0-9_]+)*)$/.exec(cell) ?? []
    const isSame = cell === 'same'
    written.set(name, isSame ? (written.get('machine') ?? '') : plain(span ?? ''))
    counted.set(name, isSame ? (counted.get('machine') ?? []) : causes.split(' ').filter((cause) => cause !== ''))
  }
  return { type: type === 'none' ? '' : code(type), value: value === 'nothing' ? '' : code(value), written, counted }
}

function code(cell: string): string {
  return plain(cell.slice(1, -1))
}

function plain(span: string): string {
  return span.replace(/[␀␁␉␊␍␠]/g, (picture) => PICTURES[picture] ?? '')
}
