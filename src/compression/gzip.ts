/** gzip (RFC 1952) at level 1: blocks are packed side by side and put together as one member, as pigz does it. */
import { Deflater } from '../zip/deflater.ts'
import type { Compression } from './compression.ts'

/** What begins anew with each, such as the window (16 KiB), costs nothing in blocks of this size that can be measured. */
const BLOCKS = { blockBytes: 1024 * 1024, packers: 5 }
/** Deflate, no name, no time, packed fast, on an unknown system. */
const HEADER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]

export const gzipCompression: Compression = {
  name: 'gzip',
  extension: 'gz',
  mediaType: 'application/gzip',
  compress,
}

async function* compress(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const deflater = new Deflater(BLOCKS)
  let isBegun = false
  // Not before the rows are begun: whoever leaves after the first bytes ends them.
  for await (const packed of deflater.deflate(bytes)) {
    if (!isBegun) yield Uint8Array.from(HEADER)
    isBegun = true
    yield packed
  }
  const end = Buffer.alloc(8)
  end.writeUInt32LE(deflater.crc, 0)
  end.writeUInt32LE(deflater.size % 2 ** 32, 4)
  yield end
}
