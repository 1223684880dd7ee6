/**
 * What a caller asks for (`ExportRequest`) and what the catalog makes of it (`CheckedSpec`): the only thing that is
 * stored with a job and the only thing a source compiles. Both are plain data and survive JSON unchanged.
 */
import type { Destination } from './destination.ts'
import type { CellType } from './row-text.ts'

export type FormatName = 'csv' | 'json' | 'ndjson' | 'parquet' | 'xlsx'
/** What becomes of the export when a row is wrong: it fails, or the row is left out, counted and listed. */
export type OnRowError = 'fail' | 'skip'
export type CompressionName = 'gzip' | 'zstd'
/**
 * Of CSV, but for `machine`. What a profile writes that no option says: `bigquery` base64 for bytes, `excel-eu` a decimal comma, `postgres` and
 * `bigquery` U+FFFD for NUL. So a source may write `machine` and, where its texts hold no NUL, `postgres` itself, and no other.
 */
export type ProfileName = 'machine' | 'excel' | 'excel-eu' | 'postgres' | 'bigquery'
/** `native`: as the format's own type for times, where it has one (XLSX: serials in the chosen time zone). */
export type TimesOption = 'database' | 'rfc3339' | 'native'

/**
 * A part's rows in several files, each whole and readable by itself. `rows`: exactly so many in each but the last. `bytes`: ended at
 * the row's end next to this size, which is that before compression; for formats that know their own size only at the end, that of
 * the rows as text.
 */
export type Split = { readonly rows: number } | { readonly bytes: number }

/** One resource in an export, as asked for. Empty lists mean "not given". */
export interface PartRequest {
  readonly resource: string
  readonly fields: readonly string[]
  /**
   * What a flat file (CSV) calls each of `fields`, one for each; with them a field may come twice. Absent: by its own name. Fields
   * with titles are named one by one, without `*`.
   */
  readonly titles?: readonly string[]
  readonly includes: readonly string[]
  /** Flat, ANDed: `{ "status_eq": "paid", "customer.email_cont": "@acme" }`. */
  readonly filters: Readonly<Record<string, unknown>>
  /** `['-created_at', 'id']`: a leading minus sorts descending. */
  readonly sort: readonly string[]
  /** Rows at most; null for all. */
  readonly limit: number | null
  /** Null, or absent in what was stored before there was any: one file. */
  readonly split?: Split | null
}

/** How the bytes are to look; null or absent: the profile's own value. */
export interface OutputRequest {
  readonly profile?: string | null
  readonly delimiter?: string | null
  readonly header?: boolean | null
  readonly quoting?: string | null
  readonly null_text?: string | null
  readonly bom?: boolean | null
  readonly line_end?: string | null
  readonly times?: string | null
  /** IANA name; only where times are RFC 3339 or native. */
  readonly time_zone?: string | null
  /** Parquet: how large a cell may be, in megabytes. */
  readonly max_cell_mb?: number | null
}

export interface ExportRequest {
  readonly parts: readonly PartRequest[]
  readonly format: string
  readonly compression: string | null
  readonly options: OutputRequest
  readonly dryData: boolean
  /** Absent: `fail`. */
  readonly onRowError?: OnRowError
}

/** Every choice about the bytes, made. */
export interface Output {
  readonly profile: ProfileName
  /** CSV: one character (UTF-8, one byte). */
  readonly delimiter: string
  readonly header: boolean
  readonly quoting: 'minimal' | 'all'
  /** CSV: what stands for NULL, unquoted. Where it is not empty, a text equal to it is quoted. */
  readonly nullText: string
  readonly bom: boolean
  readonly lineEnd: '\n' | '\r\n'
  readonly times: TimesOption
  /** IANA name. 'UTC' writes `Z`. Used where `times` is `rfc3339` or `native`. */
  readonly timeZone: string
  /** CSV: text cells that a spreadsheet would take for a formula get a leading apostrophe, and are counted. */
  readonly formulaGuard: boolean
  /** dry_data: in JSON and NDJSON members that are null or the empty string are left out, row by row, at every depth. */
  readonly omitBlank: boolean
  /** Parquet: a larger cell fails the run; absent: the format's own bound. */
  readonly maxCellMb?: number
}

/**
 * What a source may write itself where it can do so to the byte: every choice of `output` counts, and rows that would need a
 * warning are not written so. `csv`: each record with its line end, no header. `ndjson`: each object with its newline. `json`: each
 * object with a comma and a newline before it.
 */
export interface WrittenForm {
  readonly format: FormatName
  readonly output: Output
}

/** A table or view by its name in the database. `schema` is null for the default one. */
export interface TableRef {
  readonly schema: string | null
  readonly name: string
}

/** From a row of one table to the related rows of another: equal columns, pairwise. */
export interface Join {
  readonly table: TableRef
  readonly kind: 'table' | 'view'
  readonly localColumns: readonly string[]
  readonly foreignColumns: readonly string[]
  /** Whether an index of the related table starts with `foreignColumns`; decides between a look-up per row and one pass. */
  readonly indexed: boolean
  /** Columns of the related table that order a to-many relation's elements: its primary key, or none. */
  readonly orderBy: readonly string[]
  /** Whose rows: ANDed inside the relation, so nothing of another tenant is reached through it. */
  readonly scope: Predicate | null
}

/**
 * What stands for a value that the caller may not see. NULL stays NULL.
 * - `null`: nothing.
 * - `hash`: HMAC-SHA-256 of the value's text (of bytes: of the bytes) under Freight's mask key, the first 32 hex digits: equal values have equal
 *   hashes, in every export and from every source.
 * - `partial`: of a text with `@` behind its first character: that character, `***`, and all from the first `@` on; of another with at least 8
 *   characters: `***` and the last 4; else `***`. Of bytes `***`.
 */
export const MASK_NAMES = ['hash', 'partial', 'null'] as const
export type MaskName = (typeof MASK_NAMES)[number]

/**
 * What to select, as a tree in the order of the nested output. `name` is the name in the file, `column` the one in the
 * database. `position` is the place among all leaves in which the caller asked for it: the order of the flat output.
 */
export type Selected =
  | {
      readonly kind: 'field'
      readonly name: string
      /** What the flat output calls it instead of its dotted name. */
      readonly title?: string
      readonly column: string
      readonly type: CellType
      /** The database's own name of the type; absent where the configuration says another type. */
      readonly declaredType?: string
      readonly key: boolean
      /** Read for the errors log, not written. */
      readonly hidden: boolean
      /** The database itself rules out bytes and foreign types in this column (SQLite: integer primary key, STRICT table). */
      readonly strict: boolean
      readonly position: number
      /** Put in the value's place before a row leaves the source; absent for none. `type` is then the type of what is put there. */
      readonly mask?: MaskName
    }
  | { readonly kind: 'one'; readonly name: string; readonly join: Join; readonly select: readonly Selected[] }
  | {
      readonly kind: 'many'
      readonly name: string
      readonly join: Join
      readonly select: readonly Selected[]
      readonly position: number
    }

/** A value on its way into SQL, as a bound parameter only. Integers and decimals stay text so that nothing is rounded. */
export interface BoundValue {
  readonly type: CellType
  readonly text: string
}

/**
 * The few comparisons every source knows; the catalog turns each public predicate into a combination of them.
 * NULL never satisfies a comparison other than `is_null`; `not` is SQL's NOT (unknown stays unknown), so a negated predicate
 * leaves NULL out unless the catalog ORs `is_null`.
 */
export type Predicate =
  | { readonly op: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly op: 'not'; readonly of: Predicate }
  /** Constant; `{op:'and',of:[]}` is true, `{op:'or',of:[]}` is false. */
  | { readonly op: 'is_null'; readonly column: string }
  | {
      readonly op: 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq'
      readonly column: string
      readonly type: CellType
      readonly value: BoundValue
    }
  | { readonly op: 'in'; readonly column: string; readonly type: CellType; readonly values: readonly BoundValue[] }
  /** SQL LIKE, case-insensitive (ASCII), `\` escapes `%`, `_` and itself. */
  | { readonly op: 'like'; readonly column: string; readonly pattern: string }
  /** The JSON document in the column contains this JSON document (as PostgreSQL's `@>`). */
  | { readonly op: 'json_contains'; readonly column: string; readonly json: string }
  /** At least one related row satisfies `where` (and the join's scope). */
  | { readonly op: 'related'; readonly join: Join; readonly where: Predicate }

export interface SortKey {
  /** Empty for a column of the main table; else the to-one joins that lead to it. */
  readonly path: readonly Join[]
  readonly column: string
  readonly descending: boolean
}

export interface CheckedPart {
  readonly resource: string
  readonly table: TableRef
  readonly kind: 'table' | 'view'
  /** Primary key columns; empty where there is none. */
  readonly primaryKey: readonly string[]
  readonly select: readonly Selected[]
  /** The caller's filters. */
  readonly where: Predicate | null
  /** Whose rows: ANDed outside the whole of `where`. Null only for shared resources. */
  readonly scope: Predicate | null
  /** Empty: the source's own key order. Otherwise ties are broken by the primary key. NULLs sort last ascending, first descending. */
  readonly sort: readonly SortKey[]
  readonly limit: number | null
  /** Beyond this many rows the run fails with TOO_MANY_ROWS; null for no bound. */
  readonly maxRows: number | null
  /** Null or absent: one file. */
  readonly split?: Split | null
  /** For a resource in code, which finds its rows itself: whose, and the caller's filters as they came. */
  readonly code?: { readonly tenant: string | null; readonly filters: Readonly<Record<string, unknown>> }
}

/** What of the caller's rights went into a spec: looked at again whenever someone asks for the export or its files. */
export interface SpecAccess {
  /** Every resource reached: main ones, and those behind relations, filters and sort keys. */
  readonly resources: readonly string[]
  /** Scopes without which a field would not be in it, or would be masked. */
  readonly scopes: readonly string[]
  /** The values of a claim that rows of a resource were narrowed to, and the column that holds them. */
  readonly rows: readonly {
    readonly resource: string
    readonly column: string
    readonly claim: string
    readonly values: readonly (string | number | boolean)[]
  }[]
  /** Of every resource reached. Absent in specs of a Freight that kept none. */
  readonly rules?: readonly ResourceRules[]
}

/** What the configuration said of a resource when an export was asked for. */
export interface ResourceRules {
  readonly resource: string
  /** The column that says whose a row is; null where all tenants share them. */
  readonly tenant: string | null
  /** Scopes that hold for every resource did not hold for it. */
  readonly own: boolean
  /** Of all that decides which rows and values callers get of it. */
  readonly digest: string
}

export interface CheckedSpec {
  /** Name of the source in the configuration. */
  readonly source: string
  readonly parts: readonly CheckedPart[]
  readonly format: FormatName
  readonly compression: CompressionName | null
  readonly output: Output
  /** Absent: `fail`. */
  readonly onRowError?: OnRowError
  /** How long a completed file is kept. */
  readonly retentionMs: number
  /** PostgreSQL: set for the transaction that reads, for row level security to ask (`current_setting('app.tenant')`). */
  readonly sessionVariables?: Readonly<Record<string, string>>
  /** Absent or null: files stay here and are downloaded. */
  readonly destination?: Destination | null
  /** Absent in specs of a Freight that knew no row scopes. */
  readonly access?: SpecAccess
}
