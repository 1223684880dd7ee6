/** Writes of the worker that a store refuses for the moment: how long they are tried again. */
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { FreightError } from '../job/errors.ts'

/** Between two tries of a write that the store refuses for the moment. */
export const STORE_PAUSE_MS = 1_000

export interface Insistence {
  /** What still runs is given back: nothing is waited for any more. */
  readonly giveUp: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}

/** A store that is busy for the moment is asked again, for a minute; then the finished run ends by a fault. */
export async function patiently<T>({ giveUp }: Insistence, write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof FreightError) || error.code !== 'STORE_BUSY' || attempt === 20 || giveUp.aborted) throw error
      await setTimeout(STORE_PAUSE_MS, null, { signal: giveUp }).catch(() => {})
    }
  }
}

/**
 * How a run ended must be recorded, or its job would stand in progress until the next start: a store that is busy or full is
 * asked again until it takes it, or the server stops.
 */
export async function insistently<T>({ giveUp, log }: Insistence, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      const isPassing = error instanceof FreightError && (error.code === 'STORE_BUSY' || error.code === 'STORAGE_FULL')
      if (!isPassing || giveUp.aborted) throw error
      log.warn({ err: error }, 'the end of a run could not be recorded yet')
      await setTimeout(STORE_PAUSE_MS, null, { signal: giveUp }).catch(() => {})
    }
  }
}
