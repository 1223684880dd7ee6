/** What a part of the sample data is: tables, and a function that fills them. */

export type Tenant = 'acme' | 'globex'

export type Cell = string | number | bigint | null

export interface SampleTable {
  readonly name: string
  /** Column definitions and constraints, as they stand between the brackets of CREATE TABLE. */
  readonly columns: string
  readonly withoutRowid?: true
  /** Column lists; made after the rows. */
  readonly indexes?: readonly string[]
}

/** How many rows of each kind; the link tables and prices follow from them. */
export interface SampleCounts {
  readonly customers: number
  readonly skus: number
  readonly orders: number
  readonly clients: number
  readonly articles: number
  readonly messages: number
}

export type Insert = (table: string, cells: readonly Cell[]) => void

export interface SampleView {
  readonly name: string
  /** As it stands behind AS. */
  readonly select: string
}

export interface SampleSubject {
  readonly tables: readonly SampleTable[]
  readonly views?: readonly SampleView[]
  fill(counts: SampleCounts, insert: Insert): void
}

/** The last day of the data: rows are dated before it, never from the clock, so that each run makes the same ones. */
export const LAST_DAY_MS = Date.UTC(2026, 5, 30)
export const DAY_MS = 86_400_000

/** About 60 % of the rows are acme's. */
export const ACME_SHARE = 0.6
