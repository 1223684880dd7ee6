/** The queue of one process: it lives in memory and is filled from the store at start. */
import type { Claim, Queue, QueuedJob } from './queue.ts'
import { type WaitingEntry, WaitingJobs } from './waiting-jobs.ts'

/** Node's timers take 31 bits of milliseconds; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface LocalQueueOptions {
  /** Claims that may be held at once. */
  readonly slots: number
  /** Milliseconds, on the clock of `availableAt`. */
  readonly now: () => number
  /** How many jobs of a tenant may run at once; null, or absent: as many as there are slots. */
  running?(tenant: string): number | null
}

export function createLocalQueue(options: LocalQueueOptions): Queue {
  return new LocalQueue(options)
}

/** A job that waits: among those that could run now, or (`later`) for its time or for the end of its own earlier claim. */
interface Entry extends WaitingEntry {
  readonly availableAt: number
}

interface Taker {
  give(claim: Claim): void
}

class LocalQueue implements Queue {
  #options: LocalQueueOptions
  #order = 0
  #entries = new Map<string, Entry>()
  #ready = new WaitingJobs()
  #later = new Set<Entry>()
  #running = new Map<string, AbortController>()
  /** How many of each tenant run; never 0. */
  #runningOf = new Map<string, number>()
  /** In the order in which they came. */
  #takers = new Set<Taker>()
  #timer: NodeJS.Timeout | null = null

  constructor(options: LocalQueueOptions) {
    this.#options = options
  }

  add(job: QueuedJob): void {
    const known = this.#entries.get(job.id)
    if (known) this.#forget(known)
    this.#order += 1
    const entry: Entry = {
      id: job.id,
      tenant: job.tenant,
      order: known?.order ?? this.#order,
      availableAt: job.availableAt?.getTime() ?? Number.NEGATIVE_INFINITY,
    }
    this.#entries.set(job.id, entry)
    this.#later.add(entry)
    this.#serve()
  }

  drop(jobId: string): void {
    const entry = this.#entries.get(jobId)
    if (entry) this.#forget(entry)
    this.#running.get(jobId)?.abort()
    this.#serve()
  }

  take(signal: AbortSignal): Promise<Claim | null> {
    if (signal.aborted) return Promise.resolve(null)
    return new Promise((resolve) => {
      const taker: Taker = {
        give: (claim) => {
          signal.removeEventListener('abort', leave)
          resolve(claim)
        },
      }
      const leave = (): void => {
        this.#takers.delete(taker)
        this.#serve()
        resolve(null)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#takers.add(taker)
      this.#serve()
    })
  }

  position(jobId: string): number | null {
    const entry = this.#entries.get(jobId)
    if (!entry) return null
    this.#promote()
    if (!this.#later.has(entry)) return this.#ready.turnsBefore(entry)
    const earlier = [...this.#later].filter((other) => comesFirst(other, entry))
    return this.#ready.size + earlier.length
  }

  /** Gives out what can be given, and sets the timer for what cannot yet. */
  #serve(): void {
    this.#promote()
    for (const taker of this.#takers) {
      if (this.#running.size >= this.#options.slots) break
      const entry = this.#ready.next((tenant) => this.#isFull(tenant))
      if (!entry) break
      this.#entries.delete(entry.id)
      this.#takers.delete(taker)
      taker.give(this.#claim(entry))
    }
    this.#setTimer()
  }

  #isFull(tenant: string): boolean {
    const most = this.#options.running?.(tenant) ?? null
    return most !== null && (this.#runningOf.get(tenant) ?? 0) >= most
  }

  #count(tenant: string, more: 1 | -1): void {
    const running = (this.#runningOf.get(tenant) ?? 0) + more
    if (running === 0) this.#runningOf.delete(tenant)
    else this.#runningOf.set(tenant, running)
  }

  #claim({ id: jobId, tenant }: WaitingEntry): Claim {
    const stop = new AbortController()
    this.#running.set(jobId, stop)
    this.#count(tenant, 1)
    return {
      jobId,
      signal: stop.signal,
      release: () => {
        // A second release must not free the slot of a later claim of the same job.
        if (this.#running.get(jobId) !== stop) return
        this.#running.delete(jobId)
        this.#count(tenant, -1)
        this.#serve()
      },
    }
  }

  #promote(): void {
    const now = this.#options.now()
    for (const entry of this.#later) {
      // A job added again while its last run still ends (a retry) waits for that end: never two runs of one job at once.
      if (entry.availableAt > now || this.#running.has(entry.id)) continue
      this.#later.delete(entry)
      this.#ready.add(entry)
    }
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.id)
    if (!this.#later.delete(entry)) this.#ready.remove(entry)
  }

  /** Only while someone waits for it, so that an idle queue keeps no process alive. */
  #setTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#takers.size === 0 || this.#running.size >= this.#options.slots) return
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.#later) {
      if (!this.#running.has(entry.id)) next = Math.min(next, entry.availableAt)
    }
    if (next === Number.POSITIVE_INFINITY) return
    const waitMs = Math.min(LONGEST_TIMER_MS, Math.max(1, next - this.#options.now()))
    this.#timer = setTimeout(() => this.#serve(), waitMs)
  }
}

function comesFirst(a: Entry, b: Entry): boolean {
  return a.availableAt === b.availableAt ? a.order < b.order : a.availableAt < b.availableAt
}
