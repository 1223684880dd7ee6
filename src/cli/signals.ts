/** Ctrl-C and SIGTERM: the first asks to stop in order, the second ends the process at once. */

/**
 * npm and npx pass on the SIGINT that a terminal has already sent to their child: one Ctrl-C arrives twice within
 * milliseconds. Nobody presses it twice that fast.
 */
const SAME_KEY_PRESS_MS = 500

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

export interface StopSignal {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** Back to Node's own handling. */
  dispose(): void
}

export function onStopSignal(): StopSignal {
  const controller = new AbortController()
  let firstAt = 0
  const handle = (name: keyof typeof EXIT_CODES): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now()
      controller.abort()
    } else if (name === 'SIGTERM' || performance.now() - firstAt > SAME_KEY_PRESS_MS) {
      process.exit(EXIT_CODES[name])
    }
  }
  const handlers = { SIGINT: () => handle('SIGINT'), SIGTERM: () => handle('SIGTERM') }
  process.on('SIGINT', handlers.SIGINT)
  process.on('SIGTERM', handlers.SIGTERM)
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', handlers.SIGINT)
      process.off('SIGTERM', handlers.SIGTERM)
    },
  }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
