/** A compression: file bytes in, compressed bytes out, in a form that the system's own tool unpacks. */
import type { CompressionName } from '../job/spec.ts'

export interface Compression {
  readonly name: CompressionName
  /** Without the dot: follows the format's, as in `orders.csv.gz`. */
  readonly extension: string
  readonly mediaType: string
  /** The bytes of a chunk of `bytes` are good until the next is asked for. Yields chunks the caller may keep; throws what `bytes` throws and never yields an end marker after that. */
  compress(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}
