/** Lets the thread that serves HTTP go before the threads that export. */
import { getPriority, setPriority } from 'node:os'

/** A third of the processor where both want it, all of it where nobody else does. */
const NICE = 5
const LOWEST = 19

/**
 * For the calling thread and those it starts. Only Linux gives each thread a priority of its own (setpriority(2), "C library/kernel
 * differences"); elsewhere it would be the whole process' and is left alone.
 */
export function yieldToServing(): void {
  if (process.platform === 'linux') setPriority(Math.min(LOWEST, getPriority() + NICE))
}
