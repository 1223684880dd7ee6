/** Bytes in blocks of one size, in memory of their own that is used again and again. */

const BLOCK_BYTES = 1024 * 1024

/**
 * Copies, since the bytes of a chunk are good only until the next is asked for; the last block may be shorter. A block is its reader's: whoever
 * is done with one puts its memory into `free`.
 */
export async function* blocksOf(
  bytes: AsyncIterable<Uint8Array>,
  free: Buffer<ArrayBuffer>[],
): AsyncIterable<Buffer<ArrayBuffer>> {
  const fresh = (): Buffer<ArrayBuffer> => free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
  let block = fresh()
  let filled = 0
  for await (const chunk of bytes) {
    for (let from = 0; from < chunk.length; ) {
      const taken = chunk.subarray(from, from + BLOCK_BYTES - filled)
      block.set(taken, filled)
      from += taken.length
      filled += taken.length
      if (filled < BLOCK_BYTES) continue
      yield block
      block = fresh()
      filled = 0
    }
  }
  if (filled > 0) yield block.subarray(0, filled)
}
