/** Runs bytes through one of Node's zlib transforms, with back-pressure and faults passed on in both directions. */
import type { Transform } from 'node:stream'
import { blocksOf } from './blocks.ts'

/** Of the packed bytes. */
export const BUFFERS = { chunkSize: 256 * 1024, highWaterMark: 4 * 1024 * 1024 }
/**
 * Blocks that may wait for the transform. zlib works in libuv's pool, beside the thread that writes the rows, and so both go on: when the rows
 * waited for the compressor, a stream of 500,000 rows took half as long again.
 */
const UNDER_WAY = 4

export async function* through(bytes: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Uint8Array> {
  const feeding = feed(bytes, transform)
  // Its fault destroys the transform, and so comes out of the iteration below.
  feeding.catch(() => {})
  yield* transform
  await feeding
}

async function feed(bytes: AsyncIterable<Uint8Array>, transform: Transform): Promise<void> {
  const free: Buffer<ArrayBuffer>[] = []
  let underWay = 0
  let wake = (): void => {}
  transform.once('close', () => wake())
  try {
    for await (const block of blocksOf(bytes, free)) {
      underWay += 1
      transform.write(block, () => {
        underWay -= 1
        free.push(Buffer.from(block.buffer))
        wake()
      })
      while (underWay === UNDER_WAY && !transform.destroyed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (transform.destroyed) throw transform.errored ?? new Error('the packed bytes have no reader')
    }
    transform.end()
  } catch (thrown) {
    transform.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)))
    throw thrown
  }
}
