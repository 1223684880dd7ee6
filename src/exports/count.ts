/** How many rows an export will have, and how many it may have. */
import { asFreightError } from '../job/errors.ts'
import type { RowCount } from '../job/row-text.ts'
import type { CheckedSpec } from '../job/spec.ts'
import type { ExportsContext } from './context.ts'

/** A source that does not answer in time leaves the rows unknown: the run counts again, under its own snapshot. */
export async function countRows(context: ExportsContext, spec: CheckedSpec, ms: number): Promise<RowCount> {
  try {
    return await context.probe.count(spec, { ms })
  } catch (thrown) {
    const error = asFreightError(thrown)
    if (error.code === 'SOURCE_UNAVAILABLE') return { rows: null, exact: false }
    throw error
  }
}

/** Rows that the resources allow in one export; null when one of them has no bound. */
export function rowBound(spec: CheckedSpec): number | null {
  let bound = 0
  for (const { maxRows } of spec.parts) {
    if (maxRows === null) return null
    bound += maxRows
  }
  return bound
}
