/** What the probe thread and its caller say to each other; plain data only. */
import type { Config } from '../config/resolved.ts'
import type { PlainError } from '../job/errors.ts'
import type { CheckedSpec } from '../job/spec.ts'
import type { CloseThread, ThreadClosing } from './retire.ts'

export interface ProbeThreadData {
  readonly config: Pick<Config, 'sources' | 'dataDir'>
}

export type ProbeQuestion =
  | { readonly ask: 'tables'; readonly source: string }
  | { readonly ask: 'describe'; readonly source: string; readonly tables: readonly string[] }
  | { readonly ask: 'count'; readonly spec: CheckedSpec }
  | { readonly ask: 'preview'; readonly spec: CheckedSpec; readonly rows: number }

export type ToProbeThread = Asked | CloseThread

interface Asked {
  readonly type: 'ask'
  readonly id: number
  readonly ms: number
  readonly question: ProbeQuestion
}

export type FromProbeThread =
  | ThreadClosing
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: PlainError; readonly detail: string | null }
