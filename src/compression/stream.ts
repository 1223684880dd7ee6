/** Runs bytes through one of Node's zlib transforms, with back-pressure and faults passed on in both directions. */
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * zlib works in libuv's pool, beside the thread that writes the rows. Deep buffers let both go on: with Node's own 16 KiB the
 * rows waited for the compressor, and a stream of 500,000 rows took half as long again.
 */
export const BUFFERS = { chunkSize: 256 * 1024, highWaterMark: 8 * 1024 * 1024 }

export async function* through(bytes: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Uint8Array> {
  const feeding = pipeline(Readable.from(kept(bytes), { objectMode: true, highWaterMark: 1 }), transform)
  // Its fault destroys the transform, and so comes out of the iteration below.
  feeding.catch(() => {})
  yield* transform
  await feeding
}

/** The transform reads ahead, while the bytes of a chunk are good only until the next is asked for. */
async function* kept(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of bytes) yield Uint8Array.from(chunk)
}
