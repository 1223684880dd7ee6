/** What differs between the databases that can hold the records. Everything else in this room is the same for all. */
import type { ColumnBuilderCallback, ColumnDataType, Expression, SqlBool } from 'kysely'

export interface Engine {
  /** A column whose number grows with every row and is never given twice, as primary key. */
  readonly sequence: { readonly type: ColumnDataType; readonly column: ColumnBuilderCallback }
  /** Whether the JSON text in a column contains this JSON document, as PostgreSQL's `@>`. */
  jsonContains(column: string, json: string): Expression<SqlBool>
  /** `busy`: someone else holds the database, trying again helps. `full`: there is no space left. Null for everything else. */
  fault(error: unknown): 'busy' | 'full' | null
}
