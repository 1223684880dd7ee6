/** The statements that read one part. */
import type { WrittenForm } from '../../job/spec.ts'
import type { BinaryPlan } from './binary/plan.ts'
import type { RangePlan } from './ranges.ts'

export interface PartPlan {
  /** COPY as text. */
  readonly rows: string
  /** COPY as CSV, the very bytes the file is to hold; null where they would differ. */
  written(form: WrittenForm): string | null
  /** COPY as binary, of which this side makes the file's bytes; null where it cannot. */
  binary(form: WrittenForm): BinaryCopy | null
  /** The same of the rows in a range; null where the part cannot be cut. */
  readonly byRange: RangePlan | null
  /** Gives one row with the number of rows. */
  readonly count: string
  /** As many rows, with nothing in them, for the planner's estimate. */
  readonly bare: string
}

interface BinaryCopy {
  readonly copy: string
  readonly plan: BinaryPlan
}
