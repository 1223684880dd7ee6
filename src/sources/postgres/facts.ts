/** What PostgreSQL's catalog says of tables: their columns, keys and indexes, and what this role may read of them. */
import type pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { TableRef } from '../../job/spec.ts'
import type { ColumnDescription, ForeignKey, TableDescription } from '../source.ts'
import { cellType } from './column-types.ts'
import { quoteName } from './literals.ts'

export interface ColumnFacts extends ColumnDescription {
  /** Name of the type below any domains, where it is one of PostgreSQL's own (or `citext`); else ''. */
  readonly base: string
  /** `c` composite, `e` enum and so on: `pg_type.typtype` of the same. */
  readonly sort: string
  /** Text to Freight of which `to_json` makes more than a string: an array, a composite, or of a type with a cast to `json`. */
  readonly isStructured: boolean
  /** Equality means equal bytes. */
  readonly deterministic: boolean
  readonly readable: boolean
}

export interface TableFacts {
  readonly oid: string
  /** Null where the search path finds the name, as `TableRef` has it. */
  readonly schema: string | null
  /** The schema it is in, whatever the search path says. */
  readonly namespace: string
  readonly name: string
  /** `pg_class.relkind`. */
  readonly relkind: string
  /** The role may read every column. */
  readonly readable: boolean
  readonly columns: ReadonlyMap<string, ColumnFacts>
  readonly primaryKey: readonly string[]
  /** Columns of indexes that allow each combination once. */
  readonly uniqueKeys: readonly (readonly string[])[]
  readonly foreignKeys: readonly ForeignKey[]
  /**
   * How well the rows of a table lie in the order of its primary key, from -1 to 1. Null where ANALYZE has not said, where a policy picks rows
   * (`pg_stats` shows none), and where rows lie elsewhere: in partitions, in tables that inherit from it, in storage that is not PostgreSQL's own.
   */
  readonly correlation: number | null
  /** From statistics; null where there are none. */
  readonly rows: number | null
}

const KINDS = `('r', 'p', 'v', 'm', 'f')`
const OURS = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'`

/** Partitions are parts of their table, not tables to offer. */
export const TABLES_SQL = `
  select case when pg_catalog.pg_table_is_visible(c.oid) then c.relname::text else n.nspname || '.' || c.relname end collate pg_catalog."C" as name
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ${KINDS} and not c.relispartition and ${OURS}
  order by 1`

/** $1 schemas (null: wherever the search path finds the name), $2 names. */
const FACTS_SQL = `
  select asked.at, c.oid::text, n.nspname as namespace, c.relname as name, c.relkind::text,
    pg_catalog.pg_table_is_visible(c.oid) as visible,
    pg_catalog.has_table_privilege(c.oid, 'select') as readable, c.reltuples::text as rows,
    coalesce((select pg_catalog.json_agg(pg_catalog.json_build_array(
        a.attname, base.declared, not a.attnotnull, base.name, base.typtype, base.structured,
        coalesce(l.collisdeterministic, true), pg_catalog.has_column_privilege(c.oid, a.attnum, 'select')) order by a.attnum)
      from pg_catalog.pg_attribute a
      left join pg_catalog.pg_collation l on l.oid = a.attcollation
      cross join lateral (
        with recursive below as (
          select t.*, a.atttypmod as modifier from pg_catalog.pg_type t where t.oid = a.atttypid
          union all select t.*, below.typtypmod from below join pg_catalog.pg_type t on t.oid = below.typbasetype where below.typtype = 'd')
        select below.typtype, below.typcategory = 'A' or below.typtype = 'c' or exists (select from pg_catalog.pg_cast k
            where k.castsource = below.oid and k.casttarget = 'pg_catalog.json'::pg_catalog.regtype) as structured, case when below.typname = 'citext' or below.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
          then below.typname else '' end as name,
          case when below.typnamespace = 'pg_catalog'::pg_catalog.regnamespace then pg_catalog.format_type(below.oid, below.modifier)
          else pg_catalog.format_type(a.atttypid, a.atttypmod) end as declared
        from below where below.typtype <> 'd') base
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
    coalesce((select pg_catalog.json_agg(pg_catalog.json_build_array(i.indisprimary, i.indisunique and i.indpred is null and i.indimmediate, (
        select pg_catalog.json_agg(a.attname order by k.at)
        from pg_catalog.unnest(i.indkey::int2[]) with ordinality k(attnum, at)
        left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum and k.attnum > 0
        where k.at <= i.indnkeyatts), i.indpred is null))
      from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisvalid), '[]') as indexes,
    coalesce((select pg_catalog.json_agg(pg_catalog.json_build_array(
        case when pg_catalog.pg_table_is_visible(f.oid) then null else m.nspname end, f.relname,
        (select pg_catalog.json_agg(a.attname order by k.at) from pg_catalog.unnest(o.conkey) with ordinality k(attnum, at)
          join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.attnum),
        (select pg_catalog.json_agg(a.attname order by k.at) from pg_catalog.unnest(o.confkey) with ordinality k(attnum, at)
          join pg_catalog.pg_attribute a on a.attrelid = o.confrelid and a.attnum = k.attnum)) order by o.conname)
      from pg_catalog.pg_constraint o join pg_catalog.pg_class f on f.oid = o.confrelid
      join pg_catalog.pg_namespace m on m.oid = f.relnamespace
      where o.conrelid = c.oid and o.contype = 'f' and not f.relispartition), '[]') as foreign_keys,
    (select s.correlation::text from pg_catalog.pg_stats s
      join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname and not s.inherited and not c.relhassubclass
        and c.relam = (select m.oid from pg_catalog.pg_am m where m.amname = 'heap')) as correlation
  from unnest($1::text[], $2::text[]) with ordinality asked(schema, name, at)
  join pg_catalog.pg_class c on c.relname = asked.name
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ${KINDS} and ${OURS}
    and case when asked.schema is null then pg_catalog.pg_table_is_visible(c.oid) else n.nspname = asked.schema end
  order by asked.at`

interface FactsRow {
  readonly oid: string
  readonly namespace: string
  readonly name: string
  readonly relkind: string
  readonly visible: string
  readonly readable: string
  readonly rows: string
  readonly columns: string
  readonly indexes: string
  readonly foreign_keys: string
  readonly correlation: string | null
}

/** Those that are there, in the order they were asked for. */
export async function loadFacts(client: pg.ClientBase | pg.Pool, tables: readonly TableRef[]): Promise<TableFacts[]> {
  const asked = tables.filter(({ schema, name }) => !`${schema}${name}`.includes('\0'))
  const values = [asked.map(({ schema }) => schema), asked.map(({ name }) => name)]
  const { rows } = await client.query<FactsRow>(FACTS_SQL, values)
  return rows.map(readFacts)
}

/** A name may itself have dots in it, so that of the default schema comes first. */
export function readingsOf(table: string): TableRef[] {
  const readings: TableRef[] = [{ schema: null, name: table }]
  for (let at = table.indexOf('.'); at > 0; at = table.indexOf('.', at + 1)) {
    readings.push({ schema: table.slice(0, at), name: table.slice(at + 1) })
  }
  return readings
}

export function describeTable(facts: TableFacts): TableDescription {
  return {
    schema: facts.schema,
    name: facts.name,
    kind: facts.relkind === 'v' || facts.relkind === 'm' ? 'view' : 'table',
    columns: [...facts.columns.values()].map(({ name, type, declaredType, nullable, strict }) => {
      return { name, type, declaredType, nullable, strict }
    }),
    primaryKey: facts.primaryKey,
    foreignKeys: facts.foreignKeys,
  }
}

type ColumnRow = [
  name: string,
  declared: string,
  nullable: boolean,
  base: string,
  sort: string,
  hasParts: boolean,
  deterministic: boolean,
  readable: boolean,
]
type IndexRow = [primary: boolean, unique: boolean, columns: (string | null)[], whole: boolean]
type ForeignKeyRow = [schema: string | null, table: string, columns: string[], foreignColumns: string[]]

function readFacts(row: FactsRow): TableFacts {
  const columns = (JSON.parse(row.columns) as ColumnRow[]).map(
    ([name, declaredType, nullable, base, sort, hasParts, deterministic, readable]): [string, ColumnFacts] => {
      const type = cellType(base)
      const isStructured = hasParts && type === 'text'
      return [name, { name, type, declaredType, nullable, strict: true, base, sort, isStructured, deterministic, readable }]
    },
  )
  const indexes = JSON.parse(row.indexes) as IndexRow[]
  const foreignKeys = (JSON.parse(row.foreign_keys) as ForeignKeyRow[]).map(
    ([schema, table, own, foreignColumns]): ForeignKey => {
      const indexed = indexes.some(([, , key, whole]) => whole && startsWith(key, own))
      return { columns: own, table, ...(schema === null ? {} : { schema }), foreignColumns, indexed }
    },
  )
  const named = (key: readonly (string | null)[]): readonly string[] => key.filter((name) => name !== null)
  return {
    oid: row.oid,
    schema: row.visible === 't' ? null : row.namespace,
    namespace: row.namespace,
    name: row.name,
    relkind: row.relkind,
    readable: row.readable === 't',
    columns: new Map(columns),
    primaryKey: named(indexes.find(([primary]) => primary)?.[2] ?? []),
    uniqueKeys: indexes.flatMap(([, unique, key]) => (unique && !key.includes(null) ? [named(key)] : [])),
    foreignKeys,
    correlation: row.correlation === null ? null : Number(row.correlation),
    rows: Number(row.rows) < 0 ? null : Number(row.rows),
  }
}

function startsWith(key: readonly (string | null)[], columns: readonly string[]): boolean {
  return key.length >= columns.length && columns.every((name) => key.slice(0, columns.length).includes(name))
}

/** The facts of every table that a query touches, by its reference; what is gone is named when it is asked for. */
export class KnownTables {
  readonly #tables: ReadonlyMap<string, TableFacts>

  constructor(tables: readonly TableFacts[]) {
    this.#tables = new Map(tables.map((facts) => [keyOf(facts), facts]))
  }

  table(table: TableRef): TableFacts {
    const facts = this.#tables.get(keyOf(table))
    if (facts) return facts
    throw new FreightError(
      'SOURCE_CHANGED',
      `The table or view ${nameOf(table)} is no longer in the database, or the source's role does not see it; ask anew when it is back.`,
    )
  }

  all(): TableFacts[] {
    return [...this.#tables.values()]
  }

  /** Throws for one that is gone, or that the role may not read. */
  column(table: TableRef, name: string): ColumnFacts {
    const column = this.table(table).columns.get(name)
    if (!column) {
      throw new FreightError(
        'SOURCE_CHANGED',
        `${nameOf(table)} no longer has the column "${name}"; ask for the export without it.`,
      )
    }
    if (column.readable) return column
    throw new FreightError(
      'SOURCE_FAILED',
      `The database role of the source may not read the column "${name}" of ${nameOf(table)}; grant it SELECT on it, or hide the column.`,
    )
  }
}

export function nameOf({ schema, name }: TableRef): string {
  return schema === null ? `"${name}"` : `"${schema}.${name}"`
}

/** Quoted, for SQL. */
export function qualified({ namespace, name }: TableFacts): string {
  return `${quoteName(namespace)}.${quoteName(name)}`
}

function keyOf({ schema, name }: TableRef): string {
  return JSON.stringify([schema, name])
}
