/**
 * Asks again, while an export is read and sent away, whether it may still be: what has arrived at a destination can be refused to nobody.
 *
 * An export that stays here needs no such watch: it belongs to its tenant, whoever asked for it, and each download is held against the rules
 * of its own moment.
 */
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'

/** As soon as a revoked key is refused everywhere else. */
const EVERY_MS = 1_000

export class RefusalWatch {
  readonly #ask: () => Promise<FreightError | null>
  readonly #refused = new AbortController()
  #timer: NodeJS.Timeout | null = null

  constructor(job: Job, refusal: (job: Job) => Promise<FreightError | null>) {
    this.#ask = () => refusal(job)
    if (job.spec.destination) this.#wait()
  }

  /** Aborts with the refusal, a FreightError, as its reason. */
  get signal(): AbortSignal {
    return this.#refused.signal
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#look(), EVERY_MS)
  }

  async #look(): Promise<void> {
    // A store that is held for the moment is asked again a second later.
    const refused = await this.#ask().catch(() => null)
    if (this.#timer === null) return
    if (refused) this.#refused.abort(refused)
    else this.#wait()
  }
}

/** Why a run was stopped, where it was for a refusal; a caller's interrupt and a drain say nothing of the kind. */
export function refusalBehind(stopped: AbortSignal): FreightError | null {
  return stopped.reason instanceof FreightError ? stopped.reason : null
}
