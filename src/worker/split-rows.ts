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
  #fileBytes = 0
  /** What was given out last, and how long the file was then. */
  #last: Cut = { rows: 0, end: 0 }
  #lastAt = 0
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
    while (!this.#isFull() && (await this.hasMore())) {
      const taken = this.#take()
      if (taken === null) return
      yield taken
    }
  }

  /** Passes the file's bytes on, before compression, and learns from them how long its rows are when written. */
  async *measured(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of bytes) {
      if (WRITTEN_AT_ONCE.has(this.#format)) this.#fileBytes += chunk.length
      yield chunk
    }
  }

  /** Lets go of a source whose rows are not read to their end; nothing where they are. */
  close(): void {
    // Not awaited: a source that hangs would hang its own end too.
    if (!this.#hasEnded) void this.#chunks.return?.().catch(() => {})
  }

  #isFull(): boolean {
    if ('rows' in this.#split) return this.fileRows >= this.#split.rows
    return this.#fileRows > 0 && this.#fileBytes >= this.#split.bytes
  }

  /** As many of the chunk's rows as may come before the file is looked at again; null where not even one may. */
  #take(): RowChunk | null {
    const chunk = this.#chunk ?? { form: 'json', bytes: new Uint8Array(0), rows: 0 }
    const cut = this.#cut(chunk)
    const { rows, end } = cut
    if (rows === 0) return null
    const taken = { form: chunk.form, bytes: chunk.bytes.subarray(0, end), rows }
    this.#chunk = rows === chunk.rows ? null : { form: chunk.form, bytes: chunk.bytes.subarray(end), rows: chunk.rows - rows }
    this.#last = cut
    this.#lastAt = this.#fileBytes
    this.#fileRows += rows
    if (!WRITTEN_AT_ONCE.has(this.#format)) this.#fileBytes += end
    return taken
  }

  #cut(chunk: RowChunk): Cut {
    const { length } = chunk.bytes
    if ('rows' in this.#split) return cutAt(chunk, this.#format, this.#split.rows - this.fileRows, length, 0)
    if (this.#fileRows === 0) return cutAt(chunk, this.#format, 1, length, 0)
    // Each row says its own length. What the format adds to it, such as the names of members, is taken from the rows before.
    const added = Math.max(0, this.#fileBytes - this.#lastAt - this.#last.end) / this.#last.rows
    const left = this.#split.bytes - this.#fileBytes
    // That is no more than an expectation: by halves, and not far beyond what has been seen.
    const half = cutAt(chunk, this.#format, this.#fileRows * 2, left / 2, added)
    return half.rows > 0 ? half : cutAt(chunk, this.#format, 1, left, added)
  }
}

/** How many rows of a chunk are taken, and where the last of them ends. */
interface Cut {
  readonly rows: number
  readonly end: number
}

/** At most `rows` of the chunk's first rows, as many as take no more than `bytes` when each is `added` longer than it is. */
function cutAt(chunk: RowChunk, format: FormatName, rows: number, bytes: number, added: number): Cut {
  const { length } = chunk.bytes
  if (rows >= chunk.rows && bytes >= length + chunk.rows * added) return { rows: chunk.rows, end: length }
  const cut = { rows: 0, end: 0 }
  while (cut.rows < Math.min(rows, chunk.rows)) {
    const end = cut.rows + 1 === chunk.rows ? length : rowEnd(chunk, cut.end, format)
    if (end + (cut.rows + 1) * added > bytes) break
    cut.rows++
    cut.end = end
  }
  return cut
}

/** Where the row that begins at `from` ends; another one follows. */
function rowEnd({ form, bytes }: RowChunk, from: number, format: FormatName): number {
  if (form === 'written' && format === 'csv') return recordEnd(bytes, from)
  const newline = bytes.indexOf(NEWLINE, from)
  // JSON's rows each begin with a comma and a newline: the next one's newline tells where this one ends.
  return form === 'written' && format === 'json' ? bytes.indexOf(NEWLINE, newline + 1) - 1 : newline + 1
}

/** A newline inside quotes is part of a field (RFC 4180); a doubled quote leaves and enters them at once. */
function recordEnd(bytes: Uint8Array, from: number): number {
  let at = from
  for (let isQuoted = false; at < bytes.length && (isQuoted || bytes[at] !== NEWLINE); at++)
    if (bytes[at] === QUOTE) isQuoted = !isQuoted
  return at + 1
}
