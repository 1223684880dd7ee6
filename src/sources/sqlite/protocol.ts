/**
 * What is said between a source and the host that reads for it, a thread or a process: questions with one answer each, and
 * readings, whose batches the host sends as far as it has been given credit.
 */
import type { PlainError } from '../../job/errors.ts'
import type { RowCount } from '../../job/row-text.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Query, TableDescription } from '../source.ts'

export type Consistency = 'snapshot' | 'locking'

export interface HostOptions {
  readonly path: string
  readonly tempDir: string
  /** For hashed masks; absent where nothing is hashed. */
  readonly maskKey?: string
}

export type Question =
  | { readonly ask: 'tables' }
  | { readonly ask: 'describe'; readonly table: string }
  | { readonly ask: 'estimate'; readonly part: CheckedPart }
  /** `copyPath`: where a private copy goes, should one be needed. `views`: whether the host may read views. */
  | {
      readonly ask: 'open'
      readonly query: Query
      readonly consistency: Consistency
      readonly copyPath: string
      readonly views: boolean
    }
  | { readonly ask: 'count'; readonly part: number; readonly ms: number }
  | { readonly ask: 'close' }

export interface Answers {
  readonly tables: string[]
  readonly describe: TableDescription | null
  readonly estimate: RowCount
  /** When the transaction, or the copy, began; milliseconds since 1970. */
  readonly open: { readonly takenAt: number }
  readonly count: RowCount
  readonly close: null
}

export type Answer<Q extends Question> = Answers[Q['ask']]

/** `detail` is for the log only. */
export interface HostError extends PlainError {
  readonly detail: string
}

export type ToHost =
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** Begins a reading with credit for so many batches, and ends the one before. */
  | { readonly kind: 'read'; readonly reading: number; readonly part: number; readonly batches: number }
  | { readonly kind: 'credit'; readonly reading: number; readonly batches: number }

export type FromHost =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: HostError }
  | { readonly kind: 'batch'; readonly reading: number; readonly rows: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The last page was read, `rows` in all. */
  | { readonly kind: 'end'; readonly reading: number; readonly rows: number }
  | { readonly kind: 'fault'; readonly reading: number; readonly error: HostError }

/**
 * Shared memory through which a running statement hears of the outside: `[0]` is 1 once it must stop, `[1]` grows with each
 * reading that was asked for.
 */
export const STOP = 0
export const READINGS = 1
