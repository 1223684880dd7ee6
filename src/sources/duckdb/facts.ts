/** What DuckDB says of its tables: for the catalog (`TableDescription`) and for the statements that read them. */
import type { Engine } from '../../duckdb/engine.ts'
import { FreightError } from '../../job/errors.ts'
import type { CellType } from '../../job/row-text.ts'
import type { TableRef } from '../../job/spec.ts'
import type { ColumnDescription, ForeignKey, TableDescription } from '../source.ts'

interface ColumnFacts {
  readonly name: string
  /** DuckDB's type, such as `DECIMAL(18,3)` or `STRUCT(a INTEGER)`. */
  readonly type: string
}

export interface TableFacts {
  readonly description: TableDescription
  /** Throws SOURCE_CHANGED when there is no such column. */
  column(name: string): ColumnFacts
  /** Whether its rows are numbered by the database, in the order in which they lie: neither those of views are, nor those of files. */
  readonly hasRowid: boolean
}

const DEFAULT_SCHEMA = 'main'

export async function listTables(engine: Engine): Promise<string[]> {
  const rows = await engine.rows(
    `select schema_name, table_name from duckdb_tables() where not internal and database_name = current_database()
     union all select schema_name, view_name from duckdb_views() where not internal and database_name = current_database()`,
  )
  return rows.map(([schema, name]) => (schema === DEFAULT_SCHEMA ? String(name) : `${schema}.${name}`)).sort()
}

/** Null where there is none. Names are matched as DuckDB does, without case. */
export async function tableFacts(engine: Engine, table: TableRef): Promise<TableFacts | null> {
  const schema = table.schema ?? DEFAULT_SCHEMA
  const place = [schema, table.name]
  const where = 'where database_name = current_database() and lower(schema_name) = lower($1) and lower(table_name) = lower($2)'
  const [found] = await engine.rows(
    `select schema_name, table_name, 'table' from duckdb_tables() ${where} and not internal
     union all select schema_name, view_name, 'view' from duckdb_views() ${where.replace('table_name', 'view_name')} and not internal`,
    place,
  )
  if (!found) return null
  const columns = await columnsOf(engine, where, place)
  const keys = await engine.rows(
    `select constraint_type, to_json(constraint_column_names), referenced_table, to_json(referenced_column_names)
     from duckdb_constraints() ${where} and constraint_type in ('PRIMARY KEY', 'FOREIGN KEY')`,
    place,
  )
  const indexes = await engine.rows(`select expressions from duckdb_indexes() ${where}`, place)
  const primaryKey = namesOf(keys.find(([type]) => type === 'PRIMARY KEY')?.[1])
  const description: TableDescription = {
    schema: found[0] === DEFAULT_SCHEMA ? null : String(found[0]),
    name: String(found[1]),
    kind: found[2] === 'view' ? 'view' : 'table',
    columns,
    primaryKey,
    foreignKeys: keys
      .filter(([type]) => type === 'FOREIGN KEY')
      .map((key) => foreignKey(key, [primaryKey, ...indexes.map(([expressions]) => indexedColumns(expressions ?? ''))])),
  }
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  return {
    description,
    hasRowid: description.kind === 'table' && !byName.has('rowid'),
    column(name) {
      const column = byName.get(name.toLowerCase())
      if (column) return { name: column.name, type: duckDbType(column) }
      throw new FreightError(
        'SOURCE_CHANGED',
        `The table "${description.name}" no longer has the column "${name}"; ask for the export anew.`,
      )
    },
  }
}

async function columnsOf(engine: Engine, where: string, place: readonly string[]): Promise<ColumnDescription[]> {
  const rows = await engine.rows(
    `select column_name, data_type, cast(is_nullable as varchar) from duckdb_columns() ${where} order by column_index`,
    place,
  )
  return rows.map(([name, type, nullable]) => ({
    name: String(name),
    type: cellType(String(type)),
    declaredType: declaredType(String(type)),
    nullable: nullable === 'true',
    strict: true,
  }))
}

const TYPES: readonly (readonly [RegExp, CellType])[] = [
  [/\[\d*\]$|^(STRUCT|MAP|UNION|JSON|VARIANT)/, 'json'],
  [/^BOOLEAN/, 'boolean'],
  [/^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER)$/, 'integer'],
  [/^(UBIGINT|HUGEINT|UHUGEINT|BIGNUM|DECIMAL)/, 'decimal'],
  [/^(FLOAT|DOUBLE)$/, 'float'],
  [/^TIMESTAMP/, 'timestamp'],
  [/^DATE$/, 'date'],
  [/^TIME/, 'time'],
  [/^UUID$/, 'uuid'],
  [/^BLOB$/, 'bytes'],
]

function cellType(type: string): CellType {
  return TYPES.find(([pattern]) => pattern.test(type))?.[1] ?? 'text'
}

const ZONELESS = ' WITHOUT TIME ZONE'

/** Said so that it means the same elsewhere. */
function declaredType(type: string): string {
  if (type === 'UBIGINT') return 'DECIMAL(20,0)'
  return /^TIMESTAMP(_S|_MS|_NS)?$/.test(type) ? type + ZONELESS : type
}

function duckDbType({ declaredType: declared }: ColumnDescription): string {
  return declared.endsWith(ZONELESS) ? declared.slice(0, -ZONELESS.length) : declared
}

function namesOf(json: string | null | undefined): string[] {
  return json == null ? [] : (JSON.parse(json) as string[])
}

/** `[customer_id, '"odd name"']`; the columns of an index over expressions are none. */
function indexedColumns(expressions: string): string[] {
  return expressions
    .replace(/^\[|\]$/g, '')
    .split(', ')
    .map((each) =>
      each
        .replace(/^'(.*)'$/, '$1')
        .replace(/^"(.*)"$/, '$1')
        .replaceAll('""', '"'),
    )
}

function foreignKey(key: readonly (string | null)[], indexes: readonly (readonly string[])[]): ForeignKey {
  const columns = namesOf(key[1])
  return {
    columns,
    table: String(key[2]),
    foreignColumns: namesOf(key[3]),
    indexed: indexes.some((names) => columns.every((name) => names.slice(0, columns.length).includes(name))),
  }
}
