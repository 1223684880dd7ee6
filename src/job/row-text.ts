/**
 * Row text: how rows travel from a source to a format.
 *
 * Rows never become JavaScript objects on the way. They travel as chunks of whole rows in one of two text forms, so that
 * 64-bit integers, decimal scale, microseconds, infinity and NULL-versus-empty survive. `formats/cells.ts` scans both forms. Where a
 * source can write rows exactly as the file is to hold them, it may hand them over written, chunk by chunk.
 */

/**
 * - `copy`: PostgreSQL's COPY text: cells parted by a tab, rows ended by a newline, `\N` for NULL, backslash escapes
 *   (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format").
 * - `json`: one JSON array per row, each row ended by a newline. A cell is a JSON number (the database's own digits), a JSON string,
 *   `null`, or `{"b":"<hex>"}` for bytes. Infinity is `9.0e+999` or `-9.0e+999`, as SQLite writes it. The bytes of a
 *   string are the database's own and may be invalid UTF-8; a reader must check.
 * - `written`: the file's own bytes, made by the source as a `WrittenForm` asks; only for who asked for it.
 */
export type RowForm = 'copy' | 'json' | 'written'

/** A chunk always ends with a row's end. `rows` is exact. An empty chunk is never sent, unless it tells of rows left out. */
export interface RowChunk {
  readonly form: RowForm
  readonly bytes: Uint8Array
  readonly rows: number
  /** Rows that came behind these and are no rows of their resource; only where wrong rows are to be skipped. */
  readonly leftOut?: readonly LeftOutRow[]
}

/** A row that is not in the file. `row` counts every row that was read, from 1. `column` is null for the whole row. `what` never repeats a value. */
export interface LeftOutRow {
  readonly row: number
  readonly key: string | null
  readonly column: string | null
  readonly what: string
}

/** What a column holds as the catalog knows it. `any` is a column without a declared type: each value speaks for itself. */
export const CELL_TYPES = [
  'text',
  'integer',
  'decimal',
  'float',
  'boolean',
  'date',
  'time',
  'timestamp',
  'uuid',
  'json',
  'bytes',
  'any',
] as const

export type CellType = (typeof CELL_TYPES)[number]

/**
 * How the cells of one row (or of one element of a to-many relation) lie in the row text, in order.
 *
 * - `cell`: one cell. `hidden` cells are read (they are the key that the errors log names) but not written.
 * - `one`: a to-one relation in the nested layout: one cell that says whether the related row is there (`1` or `0`), then the
 *   cells of `cells`, in line (all null when it is not).
 * - `many`: a to-many relation: one text cell that holds a JSON array with one array of cells per related row (`json` form,
 *   without line breaks), or NULL for none.
 *
 * In the flat layout (CSV) a to-one relation's cells are plain `cell`s named `customer.email`, in the order that was
 * asked for, and `one` does not occur at the top level.
 */
export type Shape = readonly ShapeCell[]

export type ShapeCell =
  | {
      readonly kind: 'cell'
      readonly name: string
      readonly type: CellType
      /** The database's own name of the type, where it is known: formats with types of their own take digits and elements from it. */
      readonly declaredType?: string
      readonly key: boolean
      readonly hidden: boolean
    }
  | { readonly kind: 'one'; readonly name: string; readonly cells: Shape }
  | { readonly kind: 'many'; readonly name: string; readonly cells: Shape }

/** `flat`: one row of cells (CSV, XLSX, Parquet). `nested`: to-one relations as objects (JSON, NDJSON). */
export type Layout = 'flat' | 'nested'

/** `rows` is null when nothing cheap can tell; `exact` is false for an estimate. */
export interface RowCount {
  readonly rows: number | null
  readonly exact: boolean
}
