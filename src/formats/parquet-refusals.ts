/** What a Parquet file cannot hold, said to whoever asked for it. */
import { RefusedRow } from './cells.ts'
import type { ParquetColumn } from './parquet-columns.ts'

const MEGABYTE = 1_000_000

export function unfit({ name, kind, written }: ParquetColumn): RefusedRow {
  const what =
    kind === 'integer'
      ? 'a 64-bit integer'
      : kind === 'timestamp'
        ? 'a time of the years up to 9999, to the microsecond'
        : `a value of ${written}`
  return new RefusedRow(
    'CELL_UNFIT',
    name,
    `the value is not ${what}, which is the column's type in the Parquet file. Have the column written as text (types: { column: 'text' } in the resource's configuration), leave it out, or have such rows left out (on_row_error: 'skip').`,
  )
}

export function cellTooLarge({ name }: ParquetColumn, most: number): RefusedRow {
  return new RefusedRow(
    'CELL_TOO_LARGE',
    name,
    `the value is larger than the ${most / MEGABYTE} MB that a cell of a Parquet export may have; leave the field out, or raise the option max_cell_mb.`,
  )
}

export function rowTooLarge(most: number): RefusedRow {
  return new RefusedRow(
    'ROW_TOO_LARGE',
    null,
    `as text it is larger than the ${Math.floor(most / MEGABYTE)} MB that a row of a Parquet export may have; leave large fields out, or raise the option max_cell_mb.`,
  )
}
