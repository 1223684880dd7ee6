/**
 * The probe: quick questions to a source, each with a time limit, answered away from the thread that serves HTTP.
 * Implemented in `worker/`, joined to the callers by `service.ts`.
 */

import type { CellChange } from '../job/manifest.ts'
import type { CellType, RowCount } from '../job/row-text.ts'
import type { CheckedSpec } from '../job/spec.ts'
import type { TableDescription } from '../sources/source.ts'

export interface Preview {
  /** The first bytes of the file as it will be written, before compression, of the first part. */
  readonly bytes: Uint8Array
  readonly rows: number
  readonly fields: readonly { name: string; type: CellType }[]
  readonly changes: readonly CellChange[]
}

/** Each call rejects with SOURCE_UNAVAILABLE when its time is over, unless it says otherwise, and leaves nothing running. */
export interface Probe {
  tables(source: string, limit: { ms: number }): Promise<readonly string[]>
  describe(source: string, tables: readonly string[], limit: { ms: number }): Promise<readonly (TableDescription | null)[]>
  /** Of all parts together. Exact within the time; else the estimate, marked as one (or null rows). */
  count(spec: CheckedSpec, limit: { ms: number }): Promise<RowCount>
  /** The first `rows` rows of the first part. */
  preview(spec: CheckedSpec, rows: number, limit: { ms: number }): Promise<Preview>
  close(): Promise<void>
}
