/** Deals one part's stream of rows out to several files, each ended at a row's end. */
import type { RowChunk } from '../job/row-text.ts'
import type { FormatName, Split } from '../job/spec.ts'

/** Formats that yield the bytes of a chunk before they ask for the next, so that a file's size is known while it is written. */
const WRITTEN_AT_ONCE: ReadonlySet<string> = new Set<FormatName>(['csv', 'json', 'ndjson'])

const NEWLINE = 10
const QUOTE = 34

/**
 * One file's rows after another's: `file` is read to its end, then `hasMore` says whether there is another one. A chunk is cut, not
 * copied, and the next is not asked for before the last of it has been taken.
 */
export class RowSplitter {
  readonly #split: Split
  readonly #format: FormatName
  /** Rows that the format has left out so far, over all files. */
  readonly #refused: () => number
  readonly #chunks: AsyncIterator<RowChunk>
  #chunk: RowChunk | null = null
  /** Of the rows so far, over all files; what a row of this export takes. */
  #bytes = 0
  #rows = 0
  #fileBytes = 0
  #fileRows = 0
  #refusedBefore = 0
  #hasEnded = false

  constructor(rows: AsyncIterable<RowChunk>, split: Split, format: FormatName, refused: () => number) {
    this.#chunks = rows[Symbol.asyncIterator]()
    this.#split = split
    this.#format = format
    this.#refused = refused
  }

  /** Rows given out for the file that was asked for last, without those that its format has left out. */
  get fileRows(): number {
    return this.#fileRows - (this.#refused() - this.#refusedBefore)
  }

  /** Whether the source's rows have been read to their end. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** False only after the end of the source's rows. */
  async hasMore(): Promise<boolean> {
    while (this.#chunk === null) {
      const next = await this.#chunks.next()
      if (next.done) {
        this.#hasEnded = true
        return false
      }
      if (next.value.rows > 0) this.#chunk = next.value
    }
    return true
  }

  /** The rows of the next file; none where there are none at all. */
  async *file(): AsyncIterable<RowChunk> {
    this.#fileBytes = 0
    this.#fileRows = 0
    this.#refusedBefore = this.#refused()
    for (;;) {
      const room = this.#room()
      if (room === 0 || !(await this.hasMore())) return
      yield this.#take(room)
    }
  }

  /** Passes the file's bytes on, before compression, and learns from them how long its rows are. */
  async *measured(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of bytes) {
      if (WRITTEN_AT_ONCE.has(this.#format)) this.#add(chunk.length)
      yield chunk
    }
  }

  /** Lets go of a source whose rows are not read to their end; nothing where they are. */
  close(): void {
    // Not awaited: a source that hangs would hang its own end too.
    if (!this.#hasEnded) void this.#chunks.return?.().catch(() => {})
  }

  #add(bytes: number): void {
    this.#bytes += bytes
    this.#fileBytes += bytes
  }

  /** How many rows may come before the file is looked at again; 0 when it is full. */
  #room(): number {
    if ('rows' in this.#split) return this.#split.rows - this.fileRows
    if (this.#fileRows === 0) return 1
    const left = (this.#split.bytes - this.#fileBytes) / (this.#bytes / this.#rows)
    if (left < 1) return 0
    // By halves, and not far beyond what has been seen: rows differ, and the first ones may be short.
    return Math.max(1, Math.min(Math.floor(left / 2), this.#rows * 2))
  }

  #take(rows: number): RowChunk {
    const chunk = this.#chunk ?? { form: 'json', bytes: new Uint8Array(0), rows: 0 }
    const end = rows >= chunk.rows ? chunk.bytes.length : rowsEnd(chunk, rows, this.#format)
    const taken = { form: chunk.form, bytes: chunk.bytes.subarray(0, end), rows: Math.min(rows, chunk.rows) }
    this.#chunk =
      rows >= chunk.rows ? null : { form: chunk.form, bytes: chunk.bytes.subarray(end), rows: chunk.rows - taken.rows }
    this.#rows += taken.rows
    this.#fileRows += taken.rows
    if (!WRITTEN_AT_ONCE.has(this.#format)) this.#add(taken.bytes.length)
    return taken
  }
}

/** Where the first `rows` rows of a chunk end; it has more than those. */
function rowsEnd({ form, bytes }: RowChunk, rows: number, format: FormatName): number {
  if (form === 'written' && format === 'csv') return recordsEnd(bytes, rows)
  // JSON's rows each begin with a comma and a newline: the next one's newline tells where the last ends.
  const isJson = form === 'written' && format === 'json'
  let at = -1
  for (let row = 0; row < (isJson ? rows + 1 : rows); row++) at = bytes.indexOf(NEWLINE, at + 1)
  return isJson ? at - 1 : at + 1
}

/** A newline inside quotes is part of a field (RFC 4180); a doubled quote leaves and enters them at once. */
function recordsEnd(bytes: Uint8Array, records: number): number {
  let at = 0
  let isQuoted = false
  for (let record = 0; record < records; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) isQuoted = !isQuoted
    else if (byte === NEWLINE && !isQuoted) record++
  }
  return at
}
