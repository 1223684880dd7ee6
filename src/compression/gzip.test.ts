import { crc32, gunzipSync, inflateRawSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { describeCompression } from '../../test/contracts/compression.ts'
import { collect } from '../../test/contracts/row-text.ts'
import { gzipCompression } from './gzip.ts'

describeCompression('gzip', { compression: gzipCompression, unpack: (packed) => gunzipSync(packed), tool: 'gzip' })

it('of several blocks is one member: readers that stop after the first have all of it', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, row) => `${row},some text\n`).join(''))
  async function* rows(): AsyncIterable<Uint8Array> {
    yield bytes
  }
  const packed = await collect(gzipCompression.compress(rows()))
  expect([...packed.subarray(0, 4)]).toEqual([0x1f, 0x8b, 8, 0])
  expect(inflateRawSync(packed.subarray(10, -8)).equals(bytes)).toBe(true)
  expect([packed.readUInt32LE(packed.length - 8), packed.readUInt32LE(packed.length - 4)]).toEqual([crc32(bytes), bytes.length])
})
