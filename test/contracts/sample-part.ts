/** Checked parts for the tests of a source, said briefly. */
import type { CellType, Layout } from '../../src/job/row-text.ts'
import type { BoundValue, CheckedPart, Join, Predicate, Selected } from '../../src/job/spec.ts'
import type { Snapshot, Source } from '../../src/sources/source.ts'

type Field = Extract<Selected, { kind: 'field' }>

export function field(column: string, options: Partial<Field> = {}): Field {
  return { kind: 'field', name: column, column, type: 'any', key: false, hidden: false, strict: false, position: 0, ...options }
}

export function one(name: string, join: Join, select: readonly Selected[]): Selected {
  return { kind: 'one', name, join, select }
}

export function many(name: string, join: Join, select: readonly Selected[]): Selected {
  return { kind: 'many', name, join, select, position: 0 }
}

export function join(table: string, local: string, foreign: string, options: Partial<Join> = {}): Join {
  return {
    table: { schema: null, name: table },
    kind: 'table',
    localColumns: [local],
    foreignColumns: [foreign],
    indexed: true,
    orderBy: ['id'],
    scope: null,
    ...options,
  }
}

/** `id` is the key; leaves stand in the order of `select`. */
export function part(table: string, select: readonly (string | Selected)[], options: Partial<CheckedPart> = {}): CheckedPart {
  const ordered = select.map((each, position) => {
    const node = typeof each === 'string' ? field(each) : each
    return node.kind === 'one' ? node : { ...node, position }
  })
  return {
    resource: table,
    table: { schema: null, name: table },
    kind: 'table',
    primaryKey: ['id'],
    select: ordered,
    where: null,
    scope: null,
    sort: [],
    limit: null,
    maxRows: null,
    ...options,
  }
}

export function value(type: CellType, text: string): BoundValue {
  return { type, text }
}

export function compare(op: 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq', column: string, type: CellType, text: string): Predicate {
  return { op, column, type, value: value(type, text) }
}

export type Row = readonly unknown[]

/** Numbers beyond 2^53 as text, so that a test sees their digits. */
function exact(_key: string, cell: unknown, context?: { source?: string }): unknown {
  return typeof cell === 'number' && !Number.isSafeInteger(cell) && /^-?\d+$/.test(context?.source ?? '') ? context?.source : cell
}

/** Every row of a part of an open snapshot, parsed; fails where a chunk is not whole rows. */
export async function rowsOf(snapshot: Snapshot, index = 0): Promise<Row[]> {
  const rows: Row[] = []
  for await (const { form, bytes, rows: announced } of snapshot.rows(index)) {
    if (form === 'written') throw new Error('nobody asked for written rows')
    const text = Buffer.from(bytes).toString()
    const lines = text.split('\n')
    if (lines.pop() !== '' || lines.length !== announced || announced === 0) throw new Error('a chunk must be whole rows')
    rows.push(...lines.map((line) => (form === 'copy' ? copyRow(line) : (JSON.parse(line, exact) as Row))))
  }
  return rows
}

const COPY_LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Cells of COPY text say nothing of their type; what looks like a number is taken for one, as the suite's tables have them. */
function copyRow(line: string): Row {
  return line.split('\t').map((cell) => {
    if (cell === '\\N') return null
    const text = cell.replace(/\\(.)/gs, (_, letter: string) => COPY_LETTERS[letter] ?? letter)
    return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? exact('', Number(text), { source: text }) : text
  })
}

/** Opens, reads everything and closes. */
export async function readRows(source: Source, asked: CheckedPart, layout: Layout = 'nested'): Promise<Row[]> {
  const snapshot = await source.open({ parts: [asked], layout }, new AbortController().signal)
  try {
    return await rowsOf(snapshot)
  } finally {
    await snapshot.close()
  }
}

/** The first cell of each row. */
export async function readColumn(source: Source, asked: CheckedPart): Promise<unknown[]> {
  return (await readRows(source, asked)).map(([first]) => first)
}
