/**
 * Delivery copies finished files to a place of the caller's. A back end beside this file keeps this contract;
 * `test/contracts/delivery.ts` is its proof.
 */

/** A finished file in storage. */
export interface OutgoingFile {
  /** One path segment. */
  readonly name: string
  readonly mediaType: string
  readonly bytes: number
  /** `start` to `end`, both inclusive; the whole file without a range. May be asked for again. */
  read(range?: { start: number; end: number }): Promise<AsyncIterable<Uint8Array>>
}

/** A file that is whole at its destination, and how that is known. */
export interface Arrival {
  readonly name: string
  readonly bytes: number
  /** `md5`: the destination's own digest of what it holds is that of what was sent. `size`: it holds as many bytes. */
  readonly verified: 'md5' | 'size'
}

/** One destination and one folder in it. Connects when the first file is put. */
export interface Delivery {
  /** As people write it, without credentials: `s3://bucket/folder`, `sftp://host:22/folder`. */
  readonly place: string
  /**
   * Copies the file under its name. Whoever reads the destination sees the whole file there or none, also when this rejects; what
   * stood there under that name is replaced. Faults of the moment are tried again, later each time. Rejects with a `DeliveryFault` when it
   * gives up, or with the reason of `signal`; then nothing half-written is left behind, as far as the destination can still be asked.
   * `alive` is called whenever bytes have arrived, and before each try: a delivery ends by its own patience, not for want of signs.
   */
  put(file: OutgoingFile, signal: AbortSignal, alive: () => void): Promise<Arrival>
  /** Ends its connections; safe to repeat. */
  close(): Promise<void>
}

/** What a run gives to what it waits for: `alive` says that something went on, be it that it was tried again. */
export interface Watch {
  readonly signal: AbortSignal
  alive(): void
}

/** How often a step is tried, and how long it is waited for. */
export interface Patience {
  /** Tries of one step that meets faults of the moment. */
  readonly attempts: number
  /** A destination that gives no sign for so long is taken to be gone. */
  readonly silenceMs: number
  /** How long to rest after the n-th failed try (from 1). */
  delayMs(failures: number): number
}

/**
 * - `passing`: of the moment; trying again may succeed.
 * - `refused`: trying again would meet the same (credentials, permissions, no space, a host that may not be reached).
 * - `given_up`: of the moment, and tried often enough.
 */
type FaultKind = 'passing' | 'refused' | 'given_up'

/** Why a file did not arrive. `message` is for the caller: our own words, never those of the other side, which may hold anything. */
export class DeliveryFault extends Error {
  readonly kind: FaultKind

  constructor(kind: FaultKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'DeliveryFault'
    this.kind = kind
  }
}
