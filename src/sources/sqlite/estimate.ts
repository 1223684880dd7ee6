/** How many rows a part may have, from what the database already knows: a look-up or two, never a scan. */
import type { Database } from 'better-sqlite3'
import type { RowCount } from '../../job/row-text.ts'
import type { CheckedPart, Predicate } from '../../job/spec.ts'
import { type TableFacts, tableFacts } from './facts.ts'
import { quoteName } from './names.ts'

export function estimateRows(db: Database, part: CheckedPart): RowCount {
  const facts = tableFacts(db, part.table)
  const all = facts.kind === 'table' && part.where === null ? estimateTable(db, facts, part.scope) : null
  const rows = all !== null && part.limit !== null ? Math.min(all, part.limit) : all
  return { rows, exact: false }
}

function estimateTable(db: Database, facts: TableFacts, scope: Predicate | null): number | null {
  if (scope === null) return analyzed(db, facts.name, null) ?? keySpan(db, facts)
  return scope.op === 'eq' ? analyzed(db, facts.name, facts.column(scope.column).name) : null
}

/**
 * What ANALYZE left (https://www.sqlite.org/fileformat2.html#stat1tab): the rows of an index, then the rows per value of its
 * first column, and so on.
 */
function analyzed(db: Database, table: string, column: string | null): number | null {
  const hasStatistics = db.prepare("select 1 from main.sqlite_schema where name = 'sqlite_stat1'").get()
  if (!hasStatistics) return null
  const rows = db.prepare('select idx, stat from main.sqlite_stat1 where tbl = ?').all(table) as {
    idx: string | null
    stat: string
  }[]
  for (const { idx, stat } of rows) {
    const [all, perValue] = stat.split(' ').map(Number)
    if (column === null && Number.isFinite(all)) return all ?? null
    if (column !== null && idx !== null && firstColumn(db, idx) === column && Number.isFinite(perValue)) return perValue ?? null
  }
  return null
}

function firstColumn(db: Database, index: string): string | null {
  const columns = db.pragma(`main.index_info(${quoteName(index)})`) as { name: string | null }[]
  return columns[0]?.name ?? null
}

/** Right for rows that are numbered one by one and never deleted. Two look-ups: max and min together would scan the table. */
function keySpan(db: Database, { name, rowid }: TableFacts): number | null {
  if (rowid === null) return null
  const table = `main.${quoteName(name)} t`
  const sql = `select (select max(t.${rowid}) from ${table}) as last, (select min(t.${rowid}) from ${table}) as first`
  const { last, first } = db.prepare(sql).get() as { last: number | null; first: number | null }
  return last === null || first === null ? 0 : last - first + 1
}
