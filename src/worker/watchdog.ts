/** Ends a run that stands still or lasts too long, through the same signal that interrupts it. */
import { FreightError } from '../job/errors.ts'

export class Watchdog implements Disposable {
  readonly #controller = new AbortController()
  readonly #stalled: NodeJS.Timeout
  readonly #overdue: NodeJS.Timeout
  readonly #unlink: () => void

  /** `outer` aborts it too; its reason is then the reason. */
  constructor(outer: AbortSignal, limits: { noProgressMs: number; maxRunMs: number }) {
    const seconds = (ms: number): number => Math.round(ms / 1000)
    this.#stalled = setTimeout(() => {
      this.#abort('NO_PROGRESS', `No row was read and no byte written for ${seconds(limits.noProgressMs)} s; the run was ended.`)
    }, limits.noProgressMs)
    this.#overdue = setTimeout(() => {
      this.#abort(
        'SOURCE_FAILED',
        `The run had not finished after ${seconds(limits.maxRunMs)} s (maxRunHours); narrow the export or raise the limit.`,
      )
    }, limits.maxRunMs)
    const onAbort = (): void => this.#controller.abort(outer.reason)
    outer.addEventListener('abort', onAbort, { once: true })
    this.#unlink = () => outer.removeEventListener('abort', onAbort)
    if (outer.aborted) onAbort()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something went on. */
  alive(): void {
    this.#stalled.refresh()
  }

  /** Why the signal aborted. */
  reason(): FreightError {
    const { reason } = this.#controller.signal
    return reason instanceof FreightError ? reason : new FreightError('ABORTED', 'The run was stopped.', { cause: reason })
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#stalled)
    clearTimeout(this.#overdue)
    this.#unlink()
  }

  #abort(code: 'NO_PROGRESS' | 'SOURCE_FAILED', message: string): void {
    this.#controller.abort(new FreightError(code, message))
  }
}
