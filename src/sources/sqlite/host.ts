/** Where a reader lives: a thread, or a process where its work might not be stoppable. */
import { extname } from 'node:path'
import type { FromHost, ToHost } from './protocol.ts'

export interface HostListener {
  /** In the order of sending. */
  heard(message: FromHost): void
  /** The host is gone and was not asked to go; told at most once. */
  died(cause: Error): void
}

export interface Host {
  post(message: ToHost): void
  /** Stops what runs, also in the middle of a statement. What is asked afterwards is refused. */
  interrupt(): void
  /** Resolves when the host is gone, with everything it had open. */
  end(): Promise<void>
  /** Whether it alone keeps this process alive. */
  hold(): void
  release(): void
}

/** A module of this folder as it can be run: the package ships .js, a checkout runs .ts. */
export function runnable(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
}
