/** Asks a database again that someone else holds for the moment, and names the faults a caller can do something about. */
import { setTimeout } from 'node:timers/promises'
import { FreightError } from '../job/errors.ts'
import type { Engine } from './engine.ts'

/** As long as an HTTP caller may be kept: an operator's command beside the server holds the database for milliseconds. */
const BUDGET_MS = 2_000
/** Between two tries; spread, so that several waiting calls do not meet at the same instant again. */
const PAUSE_MS = { least: 20, spread: 60 }

/** `attempt` must change nothing when it rejects. Rejects with STORE_BUSY or STORAGE_FULL, or with what `attempt` threw. */
export async function patiently<T>(engine: Engine, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + BUDGET_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const fault = engine.fault(error)
      if (fault === null) throw error
      if (fault === 'full') throw storeFull(error)
      if (performance.now() >= deadline) throw storeBusy(error)
      await setTimeout(PAUSE_MS.least + Math.random() * PAUSE_MS.spread)
    }
  }
}

function storeFull(cause: unknown): FreightError {
  return new FreightError(
    'STORAGE_FULL',
    "There is no space left for Freight's records. Nothing was changed; free some and try again.",
    {
      cause,
    },
  )
}

function storeBusy(cause: unknown): FreightError {
  return new FreightError(
    'STORE_BUSY',
    "Freight's records are held by another process. Nothing was changed; try again in a moment.",
    {
      details: { retryAfterSeconds: 2 },
      cause,
    },
  )
}
