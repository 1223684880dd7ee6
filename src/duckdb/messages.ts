/** What is said to a DuckDB process and what it answers: one JSON text per line. */

/** The first line. */
export interface Opening {
  /** A database file, opened read-only; null for none. */
  readonly database: string | null
  readonly threads: number
  readonly memoryMb: number
  /** Whether rows come in the order in which they lie; else row groups may be bounded by their bytes. */
  readonly keepsOrder: boolean
  /** For what does not fit into memory. */
  readonly workFolder: string
  /** The only files that it may open, beside the database. */
  readonly files: readonly string[]
}

/** Parameters are text; SQL casts them. `rows` gives every cell as text or null. */
export type Request =
  | { readonly id: number; readonly ask: 'run' | 'rows'; readonly sql: string; readonly values: readonly string[] }
  | { readonly id: number; readonly ask: 'stop'; readonly target: number }
  /** `inputOpened` is answered when a statement has begun to read; after `closeOutput` the reader of the output sees its end. */
  | { readonly id: number; readonly ask: 'inputOpened' | 'closeOutput' }

export interface Answer {
  readonly id: number
  readonly rows: readonly (readonly (string | null)[])[]
  /** What COPY wrote. */
  readonly count: number
}

export interface Refusal {
  readonly id: number
  /** `missing`: the package is not installed. */
  readonly error: { readonly kind: 'missing' | 'failed'; readonly message: string }
}

/** Readers of lines (Node's readline) also end one at U+2028 and U+2029, which JSON leaves as they are. */
export function lineOf(message: Opening | Request | Answer | Refusal): string {
  return `${JSON.stringify(message).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`
}

/** The id of the answer to the opening. */
export const OPENING_ID = 0

export const ANSWERS_FD = 3
export const INPUT_FD = 4
export const OUTPUT_FD = 5
/** What SQL reads the bytes from that are written to `input`. */
export const INPUT_PATH = `/dev/fd/${INPUT_FD}`
/** What SQL writes to so that it comes out of `output`. */
export const OUTPUT_PATH = `/dev/fd/${OUTPUT_FD}`

/** To the thread that writes into INPUT_FD's other end, and back when it is done with the bytes, which are shared memory. */
export interface Filled {
  readonly bytes: Uint8Array
  readonly length: number
}

export interface Written {
  readonly bytes: Uint8Array
  readonly fault: string | null
}
