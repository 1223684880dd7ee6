/** What differs between the databases that can hold the records. Everything else in this room is the same for all. */
import type { ColumnBuilderCallback, ColumnDataType } from 'kysely'

export interface Engine {
  /** A column whose number grows with every row and is never given twice, as primary key. */
  readonly sequence: { readonly type: ColumnDataType; readonly column: ColumnBuilderCallback }
  /** `busy`: someone else holds the database, trying again helps. `full`: there is no space left. Null for everything else. */
  fault(error: unknown): 'busy' | 'full' | null
}
