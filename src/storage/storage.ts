/**
 * Storage keeps bytes under keys. A back end beside this file keeps this contract; `test/contracts/storage.ts` is its proof.
 *
 * A key is `segment/segment/...`: each segment 1 to 200 characters of `A-Za-z0-9._-`, not starting with a dot. Any other key is a
 * programming error and throws.
 */
export interface StoredObject {
  readonly key: string
  readonly bytes: number
  readonly modifiedAt: Date
}

export interface Storage {
  /**
   * Readers see the whole object or none of it, also when `body` throws, the process dies or the disk is full; after it
   * resolves the object outlives a power loss. Resolves with the number of bytes. Rejects with STORAGE_FULL (out of
   * space or quota), STORAGE_UNAVAILABLE, or what `body` threw; then nothing is left behind. The bytes of a chunk of `body` are
   * good until the next is asked for.
   */
  put(key: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>
  /** Null when there is none. */
  stat(key: string): Promise<StoredObject | null>
  /** Bytes `start` to `end`, both inclusive; the whole object without a range. Rejects with NOT_FOUND. */
  read(key: string, range?: { start: number; end: number }): Promise<AsyncIterable<Uint8Array>>
  /** Removes the object, or everything below `prefix/`; also unfinished writes there. Nothing there is no error. */
  remove(keyOrPrefix: string): Promise<void>
  /** Every object, whole or unfinished (so that orphans can be found), in no order. */
  list(): AsyncIterable<StoredObject & { readonly whole: boolean }>
  /** Where a person on this machine finds the object: a file's path, else null. For the command line only, never for an answer. */
  locate(key: string): string | null
  /** Rejects with STORAGE_UNAVAILABLE when nothing can be written now. */
  check(): Promise<void>
}
