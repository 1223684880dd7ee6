/** Who is calling, once that is known. */
import type { Mode } from '../job/job.ts'

export interface Principal {
  /** The API key's id. */
  readonly id: string
  readonly tenant: string
  readonly mode: Mode
}
