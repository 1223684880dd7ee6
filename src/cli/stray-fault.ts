/**
 * What a team's own code throws where nobody waits for it (a timer, a promise left alone) would end the process on the spot, with Node's
 * stack and half a file left behind. The command gives up in order instead.
 */
export interface StrayFault {
  /** Aborts at the first, with what was thrown as its reason. */
  readonly signal: AbortSignal
  /** Back to Node's own handling. */
  dispose(): void
}

export function onStrayFault(): StrayFault {
  const controller = new AbortController()
  const handle = (thrown: unknown): void => controller.abort(thrown)
  process.on('uncaughtException', handle)
  return { signal: controller.signal, dispose: () => void process.off('uncaughtException', handle) }
}
