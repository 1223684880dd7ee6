/** What a SQLite database says of its tables: for the catalog (`TableDescription`) and for the statements that read them. */
import type { Database } from 'better-sqlite3'
import { FreightError } from '../../job/errors.ts'
import type { CellType } from '../../job/row-text.ts'
import type { TableRef } from '../../job/spec.ts'
import type { ColumnDescription, ForeignKey, TableDescription } from '../source.ts'
import { quoteName } from './names.ts'

/** What SQLite does to a value on comparison and storage (https://www.sqlite.org/datatype3.html#type_affinity); the numeric ones in one. */
export type Affinity = 'numeric' | 'text' | 'none'

interface ColumnFacts {
  readonly name: string
  readonly affinity: Affinity
  /** Computed when it is read. */
  readonly generated: boolean
}

export interface TableFacts {
  readonly name: string
  readonly kind: 'table' | 'view'
  /** How the rowid is written, quoted where needed; null where there is none or every name for it is a column's. */
  readonly rowid: string | null
  /** The column that is the rowid. */
  readonly rowidColumn: string | null
  readonly primaryKey: readonly string[]
  /** Sets of columns that no two rows share. */
  readonly uniqueKeys: readonly (readonly string[])[]
  /** Throws SOURCE_CHANGED when there is no such column. */
  column(name: string): ColumnFacts
}

interface ListedTable {
  readonly name: string
  readonly type: 'table' | 'view' | 'virtual' | 'shadow'
  readonly wr: number
  readonly strict: number
}

interface ListedColumn {
  readonly name: string
  readonly type: string
  readonly notnull: number
  /** Place in the primary key, from 1. */
  readonly pk: number
  /** 1: hidden column of a virtual table; 2 and 3: generated when read, and when written. */
  readonly hidden: number
}

interface ListedIndex {
  readonly name: string
  readonly unique: number
  readonly origin: string
  readonly partial: number
}

export function listTables(db: Database): string[] {
  return allTables(db)
    .map(({ name }) => name)
    .sort()
}

/** Null when there is no such table or view; names are matched as SQLite does, without case. */
export function describeTable(db: Database, name: string): TableDescription | null {
  const table = findTable(db, name)
  if (!table) return null
  const columns = columnsOf(db, table.name)
  const indexes = indexesOf(db, table.name)
  const rowidColumn = rowidColumnOf(table, columns, indexes)
  return {
    schema: null,
    name: table.name,
    kind: kindOf(table),
    columns: columns.map((column): ColumnDescription => {
      const type = cellType(column.type)
      return {
        name: column.name,
        type,
        declaredType: column.type,
        nullable: column.notnull === 0 && column.name !== rowidColumn && !(table.wr === 1 && column.pk > 0),
        strict: column.name === rowidColumn || (table.strict === 1 && type !== 'any' && type !== 'bytes'),
      }
    }),
    primaryKey: primaryKeyOf(columns),
    foreignKeys: foreignKeysOf(db, table.name, [
      ...indexes.map(({ columns: names }) => names),
      ...(rowidColumn ? [[rowidColumn]] : []),
    ]),
  }
}

/** Throws SOURCE_CHANGED when there is no such table or view. */
export function tableFacts(db: Database, table: TableRef): TableFacts {
  const found = table.schema === null || table.schema === 'main' ? findTable(db, table.name) : undefined
  if (!found) {
    throw new FreightError('SOURCE_CHANGED', `The table "${table.name}" is no longer in the database; ask for the export anew.`)
  }
  const columns = columnsOf(db, found.name)
  const indexes = indexesOf(db, found.name)
  const rowidColumn = rowidColumnOf(found, columns, indexes)
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  const primaryKey = primaryKeyOf(columns)
  return {
    name: found.name,
    kind: kindOf(found),
    rowid: rowidName(found, byName, rowidColumn),
    rowidColumn,
    primaryKey,
    uniqueKeys: [
      ...(rowidColumn ? [[rowidColumn]] : []),
      ...indexes.filter(({ unique }) => unique).map(({ columns: names }) => names),
    ],
    column(name) {
      const column = byName.get(name.toLowerCase())
      if (column) return { name: column.name, affinity: affinityOf(column.type), generated: column.hidden === 2 }
      throw new FreightError(
        'SOURCE_CHANGED',
        `The table "${found.name}" no longer has the column "${name}"; ask for the export anew.`,
      )
    },
  }
}

/** By the declared type, since SQLite itself looks at nothing else. */
export function cellType(declared: string): CellType {
  const type = declared.toUpperCase()
  const rules: readonly [RegExp, CellType][] = [
    [/BOOL/, 'boolean'],
    [/TIMESTAMP|DATETIME/, 'timestamp'],
    [/^DATE/, 'date'],
    [/^TIME/, 'time'],
    [/JSON/, 'json'],
    [/UUID|GUID|UNIQUEIDENTIFIER/, 'uuid'],
    [/BLOB|BYTEA|BINARY/, 'bytes'],
    [/\b(BIG|SMALL|TINY|MEDIUM)?INT(EGER|\d)?\b|SERIAL/, 'integer'],
    [/^DEC|NUMERIC|NUMBER|MONEY|CURRENCY/, 'decimal'],
    [/REAL|FLOA|DOUB/, 'float'],
    [/CHAR|CLOB|TEXT|STRING/, 'text'],
  ]
  return rules.find(([pattern]) => pattern.test(type))?.[1] ?? 'any'
}

/** The rules of https://www.sqlite.org/datatype3.html#determination_of_column_affinity, in their order. */
function affinityOf(declared: string): Affinity {
  const type = declared.toUpperCase()
  if (type.includes('INT')) return 'numeric'
  if (/CHAR|CLOB|TEXT/.test(type)) return 'text'
  if (type === '' || type.includes('BLOB')) return 'none'
  return 'numeric'
}

function allTables(db: Database): ListedTable[] {
  const tables = db.pragma('main.table_list') as (ListedTable & { schema: string })[]
  return tables.filter(({ schema, name, type }) => schema === 'main' && type !== 'shadow' && !/^sqlite_/i.test(name))
}

function findTable(db: Database, name: string): ListedTable | undefined {
  const wanted = name.toLowerCase()
  return allTables(db).find((table) => table.name.toLowerCase() === wanted)
}

/** A virtual table is read as a view is: what it does inside cannot be stopped, and it need not have rowids. */
function kindOf(table: ListedTable): 'table' | 'view' {
  return table.type === 'table' ? 'table' : 'view'
}

function columnsOf(db: Database, table: string): ListedColumn[] {
  const columns = db.pragma(`main.table_xinfo(${quoteName(table)})`) as ListedColumn[]
  return columns.filter(({ hidden }) => hidden !== 1)
}

function primaryKeyOf(columns: readonly ListedColumn[]): string[] {
  return columns
    .filter(({ pk }) => pk > 0)
    .sort((a, b) => a.pk - b.pk)
    .map(({ name }) => name)
}

/** Indexes over plain columns and every row. */
function indexesOf(db: Database, table: string): { columns: string[]; unique: boolean; origin: string }[] {
  const indexes = db.pragma(`main.index_list(${quoteName(table)})`) as ListedIndex[]
  return indexes.flatMap(({ name, unique, origin, partial }) => {
    const columns = db.pragma(`main.index_info(${quoteName(name)})`) as { name: string | null }[]
    const names = columns.map((column) => column.name).filter((column) => column !== null)
    return partial === 0 && names.length === columns.length ? [{ columns: names, unique: unique === 1, origin }] : []
  })
}

/** `INTEGER PRIMARY KEY` is the rowid itself, and so has no index; a key declared in any other way has one. */
function rowidColumnOf(
  table: ListedTable,
  columns: readonly ListedColumn[],
  indexes: readonly { origin: string }[],
): string | null {
  const [key, ...more] = primaryKeyOf(columns)
  if (table.type !== 'table' || table.wr === 1 || key === undefined || more.length > 0) return null
  return indexes.some(({ origin }) => origin === 'pk') ? null : key
}

function rowidName(table: ListedTable, columns: ReadonlyMap<string, unknown>, rowidColumn: string | null): string | null {
  if (table.type !== 'table' || table.wr === 1) return null
  if (rowidColumn !== null) return quoteName(rowidColumn)
  return ['rowid', '_rowid_', 'oid'].find((name) => !columns.has(name)) ?? null
}

interface ListedForeignKey {
  readonly id: number
  readonly table: string
  readonly from: string
  /** Null: the primary key. */
  readonly to: string | null
}

function foreignKeysOf(db: Database, table: string, indexes: readonly (readonly string[])[]): ForeignKey[] {
  const rows = db.pragma(`main.foreign_key_list(${quoteName(table)})`) as ListedForeignKey[]
  const keys: ForeignKey[] = []
  for (const parts of Map.groupBy(rows, ({ id }) => id).values()) {
    const target = findTable(db, parts[0]?.table ?? '')
    if (!target) continue
    const targetKey = primaryKeyOf(columnsOf(db, target.name))
    const columns = parts.map(({ from }) => from)
    const foreignColumns = parts.map(({ to }, index) => to ?? targetKey[index] ?? '')
    if (foreignColumns.includes('')) continue
    keys.push({ columns, table: target.name, foreignColumns, indexed: indexes.some((index) => startsWith(index, columns)) })
  }
  // SQLite lists them from the last declared to the first.
  return keys.reverse()
}

function startsWith(index: readonly string[], columns: readonly string[]): boolean {
  const first = index.slice(0, columns.length)
  return first.length === columns.length && columns.every((column) => first.includes(column))
}
