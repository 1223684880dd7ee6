/**
 * A source: where rows come from. A back end in a folder beside this file keeps this contract; `test/contracts/source.ts`
 * is its proof.
 */
import type { CellType, Layout, RowChunk, RowCount, Shape } from '../job/row-text.ts'
import type { CheckedPart, OnRowError, WrittenForm } from '../job/spec.ts'

/** What a source knows of one of its tables or views. Names are the database's own. */
export interface TableDescription {
  readonly schema: string | null
  readonly name: string
  readonly kind: 'table' | 'view'
  readonly columns: readonly ColumnDescription[]
  /** Empty where there is none. */
  readonly primaryKey: readonly string[]
  readonly foreignKeys: readonly ForeignKey[]
  /** Of a resource in code: it cannot be sorted, and filtered only by these keys, which it carries out itself. */
  readonly code?: { readonly filters: readonly string[] }
}

export interface ColumnDescription {
  readonly name: string
  /** As far as the declared type tells; `any` where it tells nothing. */
  readonly type: CellType
  /** The database's own name of the type; of a domain that of the type below it. */
  readonly declaredType: string
  readonly nullable: boolean
  /** The database itself rules out values of another type here. */
  readonly strict: boolean
}

/** Columns of this table that refer to another one's. */
export interface ForeignKey {
  readonly columns: readonly string[]
  readonly table: string
  /** The other table's; absent or null: the default one. */
  readonly schema?: string | null
  readonly foreignColumns: readonly string[]
  /** Whether an index of this table starts with `columns`. */
  readonly indexed: boolean
}

/** Parts are read in one snapshot, one after the other. */
export interface Query {
  readonly parts: readonly CheckedPart[]
  readonly layout: Layout
  /** The export's id, for those who watch the database. */
  readonly job?: string
  /** The longest the whole reading may take. */
  readonly maxMs?: number
  /** As in `CheckedSpec`; for sources whose rows can be wrong. */
  readonly onRowError?: OnRowError
  /** As in `CheckedSpec`. */
  readonly sessionVariables?: Readonly<Record<string, string>>
}

export interface Source {
  /** Whether it puts masks in the place of values; a source that does not is never asked for a masked field. */
  readonly masks?: boolean
  /** Every table and view by name, system tables left out; `schema.table` outside of the default schema. */
  tables(): Promise<string[]>
  /** By a name as `tables` gives it. Null when there is no such table or view; a source of files, which come and go, rejects with SOURCE_UNAVAILABLE. */
  describe(table: string): Promise<TableDescription | null>
  /** The rows a part will have, from statistics; never scans. */
  estimate(part: CheckedPart, signal: AbortSignal): Promise<RowCount>
  /**
   * Begins ONE read transaction in which all parts are read. Rejects with SOURCE_UNAVAILABLE when the database cannot be
   * reached, SOURCE_CHANGED when a table or column of the query is gone (naming it). Abort ends what runs in it, also in
   * the middle of a statement, and makes it reject with ABORTED.
   */
  open(query: Query, signal: AbortSignal): Promise<Snapshot>
  /** Ends what a dead run left behind; safe to repeat. A source in the same process has nothing to end. */
  endSession(session: string): Promise<void>
  /** Ends threads and connections. Snapshots must be closed before. */
  close(): Promise<void>
}

export interface Snapshot {
  /** Null where the source cannot tell. */
  readonly takenAt: Date | null
  /** What `endSession` takes; the run stores it before the first row. Null where nothing can be left behind. */
  readonly session: string | null
  /** How the cells of part `part` lie in its row text. */
  shape(part: number): Shape
  /**
   * Rows of the part in this same snapshot, at most its `limit`. Runs beside `rows` and never holds a row back; gives up
   * after `limit.ms` with `rows: null` (or an estimate). May be called before, during and after `rows`.
   */
  count(part: number, limit: { ms: number }): Promise<RowCount>
  /**
   * The part's rows. Returns normally only after the source's own end marker (the last keyset page under the same
   * transaction); every other end throws. Chunks are about 4 MiB; the next is read ahead while one is consumed, no more.
   * The bytes of a chunk are good until the next is asked for: their memory may then be given back. With `wanted`, chunks may come
   * written in that form, each chunk by itself: a source that cannot write some rows so sends them as row text in between.
   */
  rows(part: number, wanted?: WrittenForm): AsyncIterable<RowChunk>
  /** Ends the transaction; safe to repeat, also while `rows` is being read. */
  close(): Promise<void>
}
