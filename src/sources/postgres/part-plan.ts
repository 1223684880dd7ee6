/** The statements that read one part, and in which of its forms it is read. */
import type { RowForm } from '../../job/row-text.ts'
import type { WrittenForm } from '../../job/spec.ts'
import type { BinaryPlan } from './binary/plan.ts'
import type { CutBy, KeyRange } from './ranges.ts'

/** A COPY of the rows in a range; null: of all. */
export type CopyText = (range: KeyRange | null) => string

export interface PartPlan {
  /** As text. */
  readonly rows: CopyText
  /** As CSV, the very bytes the file is to hold; null where they would differ. */
  written(form: WrittenForm): CopyText | null
  /** As binary, of which this side makes the file's bytes; null where it cannot. */
  binary(form: WrittenForm): { readonly copy: CopyText; readonly plan: BinaryPlan } | null
  /** Null where the part has no ranges. */
  readonly cut: CutBy | null
  /** Gives one row with the number of rows. */
  readonly count: string
  /** As many rows, with nothing in them, for the planner's estimate. */
  readonly bare: string
}

export interface Reading {
  readonly copy: CopyText
  /** What its chunks are, or are made into. */
  readonly form: RowForm
  /** Where COPY is binary. */
  readonly binary: BinaryPlan | null
}

/** `csv` says who makes CSV where COPY could: COPY itself, or this side, of its binary form. */
export function readingOf(plan: PartPlan, wanted: WrittenForm | undefined, csv: 'server' | 'binary'): Reading {
  const isBinary = wanted?.format !== 'csv' || csv === 'binary'
  const binary = wanted && isBinary ? plan.binary(wanted) : null
  if (binary) return { copy: binary.copy, form: 'written', binary: binary.plan }
  const written = wanted && csv === 'server' ? plan.written(wanted) : null
  return { copy: written ?? plan.rows, form: written ? 'written' : 'copy', binary: null }
}
