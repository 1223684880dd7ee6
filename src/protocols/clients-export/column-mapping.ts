/** One column of a file as a mapping has it: a name of the team's choice for a field of the protocol. */
import type { TargetField } from './target-fields.ts'

export interface ColumnMapping {
  /** The column's name in the file. */
  readonly csvHeader: string
  readonly targetField: TargetField
}
