/**
 * For a promise about seconds of a clock: other programs may have the cores just then, and a second is not always a second. Such a test is
 * tried again; a promise that is broken is broken each time.
 */
export const TIMED = { retry: 2 } as const
