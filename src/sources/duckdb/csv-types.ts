/** What the columns of a CSV file may be said to hold. */
import type { Engine } from '../../duckdb/engine.ts'
import type { CellType } from '../../job/row-text.ts'
import type { ColumnDescription } from '../source.ts'
import { quoteName } from './names.ts'

/** As many lines as DuckDB's own guess looks at. */
const SAMPLE_ROWS = 20_480

const DATE = String.raw`\d{4}-\d\d-\d\d`
/** In the order in which they are tried. A number with zeros in front is a name of something. */
const SPELLINGS: readonly (readonly [CellType, string])[] = [
  ['integer', String.raw`-?(0|[1-9]\d{0,17})`],
  ['float', String.raw`-?(0|[1-9]\d{0,15})(\.\d{1,16})?([eE][+-]?\d{1,2})?`],
  ['boolean', 'true|false'],
  ['date', DATE],
  ['timestamp', String.raw`${DATE}[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?(Z|[+-]\d\d(:?\d\d)?)?)?`],
  ['uuid', '[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}'],
]

/**
 * A column has a type other than text where each of the first lines is spelt as that type is. The text is written as it stands whatever comes
 * behind them.
 */
export async function csvColumns(
  engine: Engine,
  table: string,
  columns: readonly ColumnDescription[],
): Promise<ColumnDescription[]> {
  const tests = SPELLINGS.map(([, pattern]) => `bool_and(regexp_full_match(cell, '${pattern}'))`)
  // One row per cell: a test per column would be thousands of expressions, each of which takes half a millisecond to prepare.
  const cells = `unpivot (select * from ${quoteName(table)} limit ${SAMPLE_ROWS}) on columns(*) into name "column" value cell`
  const answers = new Map<string | null, readonly (string | null)[]>()
  for (const [column = null, ...fits] of await engine.rows(`select "column", ${tests.join(', ')} from (${cells}) group by all`)) {
    answers.set(column, fits)
  }
  return columns.map((column): ColumnDescription => {
    const type = SPELLINGS[answers.get(column.name)?.indexOf('true') ?? -1]?.[0] ?? 'text'
    return { ...column, type, declaredType: '', strict: false }
  })
}
