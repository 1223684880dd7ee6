/** Which jobs, in which order, which page: what a caller's list asks of the store, whatever wire it came over. */

/** What a job can be found and ordered by. `resource` is that of its first part, `total` and `processed` are those of its progress, `metadata` is JSON text. */
export type JobField =
  | 'shortId'
  | 'status'
  | 'resource'
  | 'format'
  | 'total'
  | 'processed'
  | 'reference'
  | 'referenceOrigin'
  | 'metadata'
  | 'createdAt'
  | 'updatedAt'
  | 'startedAt'
  | 'completedAt'
  | 'interruptedAt'

/** Numbers for `total` and `processed`, instants for fields that end in `At`, text for the others. */
export type JobFieldValue = string | number | Date

/**
 * NULL satisfies no comparison other than `is_null`, and `not` leaves it out, as in SQL. `{op:'and',of:[]}` is true and
 * `{op:'or',of:[]}` false.
 */
export type Condition<Field extends string> =
  | { readonly op: 'and' | 'or'; readonly of: readonly Condition<Field>[] }
  | { readonly op: 'not'; readonly of: Condition<Field> }
  | { readonly op: 'is_null'; readonly field: Field }
  | { readonly op: 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq'; readonly field: Field; readonly value: JobFieldValue }
  | { readonly op: 'in'; readonly field: Field; readonly values: readonly JobFieldValue[] }
  /** SQL LIKE, case-insensitive (ASCII); `\` escapes `%`, `_` and itself. */
  | { readonly op: 'like'; readonly field: Field; readonly pattern: string }
  /** The document in the field contains this one, as PostgreSQL's `@>`. */
  | { readonly op: 'json_contains'; readonly field: Field; readonly json: string }

export type JobCondition = Condition<JobField>

interface JobOrder {
  readonly field: JobField
  readonly descending: boolean
}

export interface JobSearch {
  /** Only jobs whose every part is one of these. */
  readonly resources: readonly string[]
  /** Only jobs with these rights (`job/rights.ts`); null for all. */
  readonly rights: readonly string[] | null
  readonly where: JobCondition
  /** Ties, and no order at all, go newest first. NULLs come last ascending and first descending. */
  readonly order: readonly JobOrder[]
  readonly offset: number
  readonly limit: number
}
