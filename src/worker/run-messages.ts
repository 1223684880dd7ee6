/** What a run thread and the holder of its claim say to each other; plain data only. */
import type { Config } from '../config/resolved.ts'
import type { PlainError } from '../job/errors.ts'
import type { LogEntry } from '../job/tally.ts'
import type { PartsConfig } from '../parts.ts'
import type { CloseThread, ThreadClosing } from './retire.ts'
import type { RunInput, RunOutcome, RunProgress, WrittenFile } from './run.ts'

export interface RunThreadData {
  readonly config: PartsConfig & Pick<Config, 'delivery' | 'secret' | 'secretPrevious'>
}

export type ToRunThread =
  | { readonly type: 'run'; readonly input: RunInput }
  | { readonly type: 'abort' }
  | { readonly type: 'session-stored' }
  | CloseThread

export type FromRunThread =
  | { readonly type: 'ready' }
  | ThreadClosing
  | { readonly type: 'session'; readonly session: string }
  | { readonly type: 'progress'; readonly progress: RunProgress }
  | { readonly type: 'file'; readonly file: WrittenFile }
  | { readonly type: 'done'; readonly outcome: RunOutcome }
  /** `detail` is for the log only; `entry` is the row that ended the run. */
  | { readonly type: 'failed'; readonly error: PlainError; readonly detail: string | null; readonly entry: LogEntry | null }
