/** One run as the rooms around it see it: what it is given, where its bytes and news go, and what it ends with. */

import type { Destination } from '../job/destination.ts'
import type { Manifest, ManifestDelivery, ManifestFile } from '../job/manifest.ts'
import type { CheckedSpec } from '../job/spec.ts'
import type { LogEntry, Results } from '../job/tally.ts'

export interface RunInput {
  readonly exportId: string
  readonly run: number
  readonly spec: CheckedSpec
  /** When the export was asked for; names the files. */
  readonly createdAt: Date
  readonly noProgressMs: number
  readonly maxRunMs: number
}

export interface RunProgress {
  readonly processed: number
  /** Null until the source has said something. */
  readonly total: number | null
  readonly totalIsEstimate: boolean
}

/** A run's signal, and what tells it that its delivery goes on. */
export interface DeliveryWatch {
  readonly signal: AbortSignal
  alive(): void
}

/** Where a run's bytes and news go. */
export interface RunSink {
  /** Stores one file, whole or not at all; resolves with its size. */
  put(name: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>
  /** Called after every chunk; must be cheap. */
  progress(progress: RunProgress): void
  /** What `Source.endSession` takes; awaited before the first row is read. */
  session(session: string): Promise<void>
  /** A file of a split part is whole. Called in the files' order. */
  fileWritten(file: WrittenFile): void
  /** Copies the written files to the caller's destination. Absent where exports have none, as on the command line. */
  deliver?(destination: Destination, files: readonly WrittenFile[], watch: DeliveryWatch): Promise<ManifestDelivery>
}

export interface WrittenFile extends ManifestFile {
  readonly mediaType: string
}

export interface RunOutcome {
  readonly results: Results
  readonly errorsLog: readonly LogEntry[]
  readonly files: readonly WrittenFile[]
  readonly manifest: Manifest
  readonly progress: RunProgress
}
