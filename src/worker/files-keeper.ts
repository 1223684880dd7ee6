/** Stores which files of a running split export are whole already, so that they can be downloaded before the others are. */
import type { Logger } from 'pino'
import type { Job, StoredFile } from '../job/job.ts'
import type { RunStore } from '../store/store.ts'

/** The list is written whole each time: small files that come fast are gathered. */
const STORE_MS = 500

interface KeeperParts {
  readonly store: Pick<RunStore, 'files'>
  readonly log: Pick<Logger, 'warn'>
}

export class FilesKeeper {
  readonly #parts: KeeperParts
  readonly #job: Job
  readonly #onFenced: () => void
  readonly #files: StoredFile[] = []
  #timer: NodeJS.Timeout | null = null
  #storedAt = 0
  #writing: Promise<void> = Promise.resolve()
  #isClosed = false

  /** `onFenced`: the job is no longer this run's. */
  constructor(parts: KeeperParts, job: Job, onFenced: () => void) {
    this.#parts = parts
    this.#job = job
    this.#onFenced = onFenced
  }

  add(file: StoredFile): void {
    this.#files.push(file)
    if (this.#isClosed || this.#timer) return
    const wait = Math.max(0, this.#storedAt + STORE_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#writing = this.#writing.then(() => this.#store())
    }, wait)
  }

  /** Nothing is written any more from here on: the run's end says which files there are. Resolves when no write is under way. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer) clearTimeout(this.#timer)
    return this.#writing
  }

  async #store(): Promise<void> {
    this.#storedAt = performance.now()
    try {
      const stored = await this.#parts.store.files(this.#job.id, this.#job.run, [...this.#files])
      if (!stored) this.#onFenced()
    } catch (error) {
      // They are offered with the next write, or at the end.
      this.#parts.log.warn({ job: this.#job.id, err: error }, 'whole files could not be recorded yet')
    }
  }
}
