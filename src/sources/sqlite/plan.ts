/**
 * The statements that read one part.
 *
 * - `keyset`: whole ordinary tables, in the order of their rowid, batch after batch from the last key on.
 * - `keys`: filtered, scoped or sorted ordinary tables. Their rowids go into a temporary table first, in the right order: the
 *   planner may use any index, a sort handles keys only, the exact count falls out (1,000,000 keys: 0.2 s), and a batch is a
 *   range of it. Unsorted keys are still asked for by rowid, so that the first 20 rows are always the same 20.
 * - `copy`: views, virtual and WITHOUT ROWID tables. The columns that are needed go into a temporary table.
 */
import type { Layout } from '../../job/row-text.ts'
import type { CheckedPart, SortKey } from '../../job/spec.ts'
import { rowConditions } from '../compile.ts'
import { columnAt, copiedColumns, copiedSelect, joinOne, type RowPlace, type Workbench } from './relations.ts'
import { columnsRead, rowSql } from './row.ts'

export interface PartPlan {
  /** To be run before the first batch; the last one makes the temporary table `keys`, where there is one. */
  readonly setup: readonly string[]
  /** The temporary table that a batch is a range of; null where a whole table is read by its rowid. */
  readonly keys: string | null
  /** `:from` is the first key, `:rows` the number of rows: gives the text, the number of rows and the last key. */
  readonly batch: string
  /** Counts without reading, for when nobody reads; honours the limit. */
  readonly count: string
  /** The first and the last key, and the number of rows from the key `:from` to `:to`. Null where `keys` tells it. */
  readonly slice: { readonly ends: string; readonly count: string } | null
  /** The primary key of the row at or after `:from`, as text. */
  readonly keyAt: string
}

/** Text of more than this is weighed row by row: 2,000 rows below it stay within 16 MiB. */
const SMALL_ROW_BYTES = 8 * 1024

export function planPart(bench: Workbench, part: CheckedPart, layout: Layout, isUtf8: boolean): PartPlan {
  const facts = bench.facts(part.table)
  const table: RowPlace = { table: part.table, alias: bench.binder.alias(), copied: null }
  const count = countSql(bench, part, table)
  if (facts.kind === 'table' && facts.rowid !== null) {
    if (isKeyset(part, facts.rowidColumn)) return keysetPlan(bench, part, layout, isUtf8, table, count)
    const keys = bench.temporary('keys')
    const made = `create temp table ${keys} as ${keysSql(bench, part, table, facts.rowid)}`
    const row = rowSql(bench, part.select, layout, table)
    const from = `temp.${keys} k cross join ${bench.dialect.table(part.table)} ${table.alias} on ${table.alias}.${facts.rowid} = k.r`
    return {
      setup: [...bench.setup, made],
      keys,
      batch: batchSql(`${from} ${row.joins}`, 'k.rowid', row.array, isUtf8),
      count,
      slice: null,
      keyAt: keyAtSql(bench, part, table, from, 'k.rowid'),
    }
  }
  const keys = bench.temporary('rows')
  const copied = copiedColumns(columnsRead(part.select).concat(part.primaryKey))
  const made = `create temp table ${keys} as ${copySql(bench, part, table, copied)}`
  const place: RowPlace = { table: part.table, alias: bench.binder.alias(), copied }
  const row = rowSql(bench, part.select, layout, place)
  const from = `temp.${keys} ${place.alias}`
  return {
    setup: [...bench.setup, made],
    keys,
    batch: batchSql(`${from} ${row.joins}`, `${place.alias}.rowid`, row.array, isUtf8),
    count,
    slice: null,
    keyAt: keyAtSql(bench, part, place, from, `${place.alias}.rowid`),
  }
}

function keysetPlan(
  bench: Workbench,
  part: CheckedPart,
  layout: Layout,
  isUtf8: boolean,
  table: RowPlace,
  count: string,
): PartPlan {
  const row = rowSql(bench, part.select, layout, table)
  const from = `${bench.dialect.table(part.table)} ${table.alias}`
  const key = `${table.alias}.${bench.facts(part.table).rowid}`
  return {
    setup: bench.setup,
    keys: null,
    batch: batchSql(`${from} ${row.joins}`, key, row.array, isUtf8),
    count,
    slice: {
      ends: `select (select min(${key}) from ${from}), (select max(${key}) from ${from})`,
      count: `select count(*) from ${from} where ${key} >= :from and ${key} <= :to and ((${key} & 1023) or freight_tick())`,
    },
    keyAt: keyAtSql(bench, part, table, from, key),
  }
}

/** Sorted by the rowid alone is the order it is read in anyway. */
function isKeyset(part: CheckedPart, rowidColumn: string | null): boolean {
  if (part.where || part.scope) return false
  const [first] = part.sort
  return !first || (first.path.length === 0 && !first.descending && first.column === rowidColumn)
}

/**
 * One batch is one value: the lines joined and cast to bytes, so that no row becomes a JavaScript value (1,000,000 rows
 * of 13 columns in 1.3 s, where row by row takes 2.5 s). In a UTF-16 database the cast would give UTF-16, so there it stays text.
 */
function batchSql(from: string, key: string, array: string, isUtf8: boolean): string {
  const rows = `select ${key} k, ${array} l from ${from} where ${key} >= :from order by ${key} limit :rows`
  // Weighed where it is joined, not in a WHERE clause, which would copy each line once more.
  const line = `case when octet_length(l) < ${SMALL_ROW_BYTES} or freight_room(octet_length(l)) then l end`
  const text = `group_concat(${line}, char(10)) || char(10)`
  return `select ${isUtf8 ? `cast(${text} as blob)` : text}, count(*), max(k) from (${rows})`
}

function keyAtSql(bench: Workbench, part: CheckedPart, place: RowPlace, from: string, key: string): string {
  // Named in an answer: only what the caller gets to see anyway.
  const shown = part.select.flatMap((node) => (node.kind === 'field' && !node.mask ? [node.column] : []))
  const columns = part.primaryKey
    .filter((name) => shown.includes(name))
    .map((name) => `substr(${columnAt(bench, place, name)}, 1, 200)`)
  const text = columns.length > 0 ? columns.join(` || ', ' || `) : `''`
  return `select ${text} from ${from} where ${key} >= :from order by ${key} limit 1`
}

/** The tick stands outside the sort as well: putting millions of sorted keys away takes seconds on its own. */
function keysSql(bench: Workbench, part: CheckedPart, place: RowPlace, rowid: string): string {
  const key = `${place.alias}.${rowid}`
  return `select r from (select ${key} r ${orderedRows(bench, part, place, key)}) where ((r & 1023) or freight_tick())`
}

function copySql(bench: Workbench, part: CheckedPart, place: RowPlace, copied: ReadonlyMap<string, string>): string {
  const columns = copiedSelect(bench, place, copied).join(', ') || '1'
  const select = `select ${columns} ${orderedRows(bench, part, place, null)}`
  return part.sort.length === 0 ? select : `select * from (${select}) where freight_tick()`
}

function orderedRows(bench: Workbench, part: CheckedPart, place: RowPlace, rowid: string | null): string {
  const joins: string[] = []
  const terms = part.sort.map((key) => sortTerm(bench, key, place, joins))
  const own = part.primaryKey.map((name) => columnAt(bench, place, name))
  const order = [...terms, ...(part.sort.length > 0 || rowid === null ? own : []), ...(rowid === null ? [] : [rowid])]
  const where = rowConditions(place, [part.scope, part.where], bench.dialect, bench.binder)
  const by = order.length > 0 ? `order by ${order.join(', ')}` : ''
  const limit = bench.binder.bind(part.limit === null ? -1n : BigInt(part.limit))
  return `from ${bench.dialect.table(part.table)} ${place.alias} ${joins.join(' ')} where ${where} ${by} limit ${limit}`
}

function sortTerm(bench: Workbench, key: SortKey, main: RowPlace, joins: string[]): string {
  let place = main
  for (const [index, join] of key.path.entries()) {
    const next = key.path[index + 1]
    const step = joinOne(bench, join, place, next ? next.localColumns : [key.column])
    joins.push(step.clause)
    place = step.place
  }
  return `${columnAt(bench, place, key.column)} collate binary ${key.descending ? 'desc nulls first' : 'asc nulls last'}`
}

function countSql(bench: Workbench, part: CheckedPart, place: RowPlace): string {
  const from = `from ${bench.dialect.table(part.table)} ${place.alias}`
  const where = rowConditions(place, [part.scope, part.where], bench.dialect, bench.binder)
  if (part.limit === null) return `select count(*) ${from} where ${where}`
  return `select count(*) from (select 1 ${from} where ${where} limit ${bench.binder.bind(BigInt(part.limit))})`
}
