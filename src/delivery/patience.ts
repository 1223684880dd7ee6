/** Tries again, later each time, until it succeeds, gives up or is stopped. */
import { setTimeout } from 'node:timers/promises'
import { DeliveryFault, type Patience, type Watch } from './delivery.ts'

/** `work` throws DeliveryFaults; only a passing one is tried again. Rejects with the last of them, or with the signal's reason. */
export async function insist<Result>(work: () => Promise<Result>, patience: Patience, watch: Watch): Promise<Result> {
  const { signal } = watch
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted()
    watch.alive()
    try {
      return await work()
    } catch (thrown) {
      signal.throwIfAborted()
      if (!(thrown instanceof DeliveryFault) || thrown.kind !== 'passing') throw thrown
      if (failures >= patience.attempts) throw givenUp(thrown, failures)
      await setTimeout(patience.delayMs(failures), null, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

function givenUp(fault: DeliveryFault, failures: number): DeliveryFault {
  return new DeliveryFault('given_up', `${fault.message}, each of ${failures} times`, fault.cause)
}

/**
 * Resolves as `work` does, unless it takes longer than `ms` or the signal aborts: then it rejects at once, with a DeliveryFault or the
 * signal's reason, and what `work` still does is the caller's to end.
 */
export async function within<Result>(work: Promise<Result>, ms: number, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted()
  const { promise: over, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  const timer = globalThis.setTimeout(() => {
    reject(new DeliveryFault('passing', `it gave no sign for ${seconds(ms)} s`))
  }, ms)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000))
}
