/**
 * The SQLite source. Every statement runs in a host, a thread or a process, never on the thread that uses the source.
 */
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { FreightError } from '../../job/errors.ts'
import type { RowCount } from '../../job/row-text.ts'
import type { CheckedPart, Join, Predicate, Selected } from '../../job/spec.ts'
import type { Query, Snapshot, Source, TableDescription } from '../source.ts'
import { Conversation } from './conversation.ts'
import { copyPathIn } from './copy.ts'
import { startProcess } from './process-host.ts'
import type { Consistency, HostOptions } from './protocol.ts'
import { openSnapshot } from './snapshot.ts'
import { startThread } from './thread-host.ts'

export interface SqliteSourceOptions {
  readonly path: string
  /**
   * What happens to a database that is not in WAL mode. `snapshot`: it is copied, and its writers go on. `locking`: it is
   * read in place, and its writers wait.
   */
  readonly consistency: Consistency
  /** For temporary tables, sorts and copies; made when it is missing. */
  readonly tempDir: string
  /** Hex; for hashed masks. Absent: a field that is to be hashed fails. */
  readonly maskKey?: string
}

export function createSqliteSource(options: SqliteSourceOptions): Source {
  const { path, tempDir, maskKey, consistency } = options
  const host = { path: resolve(path), tempDir: resolve(tempDir), ...(maskKey === undefined ? {} : { maskKey }) }
  return new SqliteSource(host, consistency)
}

/** Starting a thread takes 100 ms, so one is always ready; it is started when the one before it has ended, or is asked for. */
class SqliteSource implements Source {
  readonly masks = true
  readonly #options: HostOptions
  readonly #consistency: Consistency
  readonly #inUse = new Set<Conversation>()
  #ready: Conversation | null
  #isClosed = false

  constructor(options: HostOptions, consistency: Consistency) {
    this.#options = options
    this.#consistency = consistency
    this.#ready = this.#startThread()
  }

  tables(): Promise<string[]> {
    return this.#briefly((conversation) => conversation.ask({ ask: 'tables' }))
  }

  describe(table: string): Promise<TableDescription | null> {
    return this.#briefly((conversation) => conversation.ask({ ask: 'describe', table }))
  }

  async estimate(part: CheckedPart, signal: AbortSignal): Promise<RowCount> {
    signal.throwIfAborted()
    return await this.#briefly((conversation) => conversation.ask({ ask: 'estimate', part }))
  }

  async open(query: Query, signal: AbortSignal): Promise<Snapshot> {
    this.#assertOpen()
    const views = touchesView(query)
    const conversation = views ? this.#startProcess() : this.#take()
    conversation.hold()
    this.#inUse.add(conversation)
    return await openSnapshot(conversation, {
      query,
      consistency: this.#consistency,
      copyPath: copyPathIn(this.#options.tempDir, randomUUID()),
      views,
      signal,
      give: (used) => this.#takeBack(used),
    })
  }

  async endSession(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true
    const all = [...this.#inUse, ...(this.#ready ? [this.#ready] : [])]
    this.#ready = null
    await Promise.all(all.map((conversation) => conversation.end()))
  }

  async #briefly<T>(ask: (conversation: Conversation) => Promise<T>): Promise<T> {
    this.#assertOpen()
    if (this.#ready?.over) this.#ready = null
    this.#ready ??= this.#startThread()
    const conversation = this.#ready
    conversation.hold()
    try {
      return await ask(conversation)
    } finally {
      conversation.release()
    }
  }

  #take(): Conversation {
    const ready = this.#ready
    this.#ready = null
    return ready && !ready.over ? ready : this.#startThread()
  }

  /** A thread that closed its database in order is as good as new. */
  async #takeBack(conversation: Conversation): Promise<void> {
    this.#inUse.delete(conversation)
    conversation.release()
    if (!this.#isClosed && !this.#ready && !conversation.over && conversation.isReusable) {
      this.#ready = conversation
      return
    }
    await conversation.end()
    if (!this.#isClosed) this.#ready ??= this.#startThread()
  }

  #startThread(): Conversation {
    return new Conversation((listener) => startThread(this.#options, listener), { isReusable: true })
  }

  #startProcess(): Conversation {
    return new Conversation((listener) => startProcess(this.#options, listener), { isReusable: false })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FreightError('SOURCE_UNAVAILABLE', 'The source is closed.')
  }
}

/** Any view that is read, joined, filtered or sorted by. */
function touchesView({ parts }: Query): boolean {
  return parts.some(
    (part) =>
      part.kind === 'view' ||
      selectTouches(part.select) ||
      [part.where, part.scope].some(predicateTouches) ||
      part.sort.some(({ path }) => path.some(joinTouches)),
  )
}

function selectTouches(select: readonly Selected[]): boolean {
  return select.some((node) => node.kind !== 'field' && (joinTouches(node.join) || selectTouches(node.select)))
}

function joinTouches(join: Join): boolean {
  return join.kind === 'view' || predicateTouches(join.scope)
}

function predicateTouches(predicate: Predicate | null): boolean {
  switch (predicate?.op) {
    case 'and':
    case 'or':
      return predicate.of.some(predicateTouches)
    case 'not':
      return predicateTouches(predicate.of)
    case 'related':
      return joinTouches(predicate.join) || predicateTouches(predicate.where)
    default:
      return false
  }
}
