/**
 * Writes a zip archive (PKWARE's APPNOTE.TXT 6.3.10) as a stream: entry after entry, each read once, nothing held or kept aside.
 *
 * Sizes and check sums follow each entry in a data descriptor, since they are known only then. ZIP64 fields stand wherever a size, an
 * offset or a count needs them. yazl is not used here: 3.3 announces a length that is 76 bytes too long from 600 entries on.
 */

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createDeflateRaw } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  /** Of the content; another number makes the archive fail. */
  readonly bytes: number
  readonly modifiedAt: Date
  /** `deflated` where it saves something: what is compressed already is `stored`. */
  readonly method: 'stored' | 'deflated'
  /** Asked once, when its turn has come. */
  open(): Promise<AsyncIterable<Uint8Array>>
}

/** Where an entry lies in the archive and what is in it, for the central directory. */
interface Written {
  readonly entry: ZipEntry
  readonly name: Buffer
  readonly offset: number
  crc: number
  packed: number
}

const LARGEST_32 = 0xffff_ffff
const LARGEST_16 = 0xffff
const LOCAL_BYTES = 30
const LOCAL_64_BYTES = 20
const CENTRAL_BYTES = 46
const CENTRAL_64_BYTES = 28
const END_BYTES = 22
const END_64_BYTES = 56 + 20
/** Deflate never grows its input by more than this (zlib, deflateBound: 5 bytes per 16 KiB block, rounded up generously). */
const DEFLATE_GROWTH = 1.001
/** UTF-8 names (bit 11), sizes behind the content (bit 3). */
const FLAGS = 0x0808
/** Rows as text shrink to a quarter at the fastest level already; more would only keep the server busy. */
const DEFLATE = { level: 1, chunkSize: 256 * 1024 }

/** The archive's length, or null where it depends on what deflate makes of an entry. */
export function zipLength(entries: readonly ZipEntry[]): number | null {
  let content = 0
  let directory = 0
  for (const entry of entries) {
    if (entry.method === 'deflated') return null
    const name = Buffer.byteLength(entry.name)
    directory += CENTRAL_BYTES + name + (content > LARGEST_32 - 1 || isLarge(entry) ? CENTRAL_64_BYTES : 0)
    content += LOCAL_BYTES + name + entry.bytes + (isLarge(entry) ? LOCAL_64_BYTES + 24 : 16)
  }
  return content + directory + END_BYTES + (needsEnd64(entries.length, content, directory) ? END_64_BYTES : 0)
}

/** Throws, and with it breaks the download off, where an entry cannot be read or has not the length it should have. */
export async function* zip(entries: readonly ZipEntry[]): AsyncIterable<Uint8Array> {
  const written: Written[] = []
  let offset = 0
  for (const entry of entries) {
    const current: Written = { entry, name: Buffer.from(entry.name), offset, crc: 0, packed: 0 }
    const head = localHeader(current)
    yield head
    yield* packed(current)
    const tail = dataDescriptor(current)
    yield tail
    offset += head.length + current.packed + tail.length
    written.push(current)
  }
  let directory = 0
  for (const each of written) {
    const header = centralHeader(each)
    directory += header.length
    yield header
  }
  yield endOfDirectory(written.length, offset, directory)
}

async function* packed(current: Written): AsyncIterable<Uint8Array> {
  const { entry } = current
  const content = counted(current, await entry.open())
  const bytes = entry.method === 'stored' ? content : deflated(content)
  for await (const chunk of bytes) {
    current.packed += chunk.length
    yield chunk
  }
}

async function* counted(current: Written, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0
  for await (const chunk of content) {
    current.crc = crc32(chunk, current.crc)
    bytes += chunk.length
    yield chunk
  }
  if (bytes !== current.entry.bytes) throw new Error(`${current.entry.name}: ${bytes} bytes instead of ${current.entry.bytes}`)
}

async function* deflated(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const deflate = createDeflateRaw(DEFLATE)
  const feeding = pipeline(Readable.from(content, { objectMode: false }), deflate)
  // Its fault destroys the transform, and so comes out of the iteration below.
  feeding.catch(() => {})
  yield* deflate
  await feeding
}

/** Decided before the content is read, from the most it can take. */
function isLarge({ bytes, method }: ZipEntry): boolean {
  return bytes * (method === 'deflated' ? DEFLATE_GROWTH : 1) > LARGEST_32 - 1
}

function needsEnd64(entries: number, content: number, directory: number): boolean {
  return entries >= LARGEST_16 || content >= LARGEST_32 || directory >= LARGEST_32
}

function localHeader({ entry, name }: Written): Buffer {
  const isZip64 = isLarge(entry)
  const header = Buffer.alloc(LOCAL_BYTES)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(isZip64 ? 45 : 20, 4)
  header.writeUInt16LE(FLAGS, 6)
  header.writeUInt16LE(entry.method === 'deflated' ? 8 : 0, 8)
  writeDosTime(header, 10, entry.modifiedAt)
  if (isZip64) header.fill(0xff, 18, 26)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(isZip64 ? LOCAL_64_BYTES : 0, 28)
  return Buffer.concat(isZip64 ? [header, name, zip64Field([0, 0])] : [header, name])
}

function dataDescriptor({ entry, crc, packed: size }: Written): Buffer {
  const isZip64 = isLarge(entry)
  const descriptor = Buffer.alloc(isZip64 ? 24 : 16)
  descriptor.writeUInt32LE(0x08074b50, 0)
  descriptor.writeUInt32LE(crc, 4)
  if (isZip64) {
    descriptor.writeBigUInt64LE(BigInt(size), 8)
    descriptor.writeBigUInt64LE(BigInt(entry.bytes), 16)
  } else {
    descriptor.writeUInt32LE(size, 8)
    descriptor.writeUInt32LE(entry.bytes, 12)
  }
  return descriptor
}

function centralHeader({ entry, name, offset, crc, packed: size }: Written): Buffer {
  const isZip64 = isLarge(entry) || offset > LARGEST_32 - 1
  const header = Buffer.alloc(CENTRAL_BYTES)
  header.writeUInt32LE(0x02014b50, 0)
  // Made on Unix, so that the mode below counts.
  header.writeUInt16LE((3 << 8) | 45, 4)
  header.writeUInt16LE(isZip64 ? 45 : 20, 6)
  header.writeUInt16LE(FLAGS, 8)
  header.writeUInt16LE(entry.method === 'deflated' ? 8 : 0, 10)
  writeDosTime(header, 12, entry.modifiedAt)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(isZip64 ? LARGEST_32 : size, 20)
  header.writeUInt32LE(isZip64 ? LARGEST_32 : entry.bytes, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(isZip64 ? CENTRAL_64_BYTES : 0, 30)
  // An ordinary file, rw-r--r--.
  header.writeUInt32LE((0o100644 << 16) >>> 0, 38)
  header.writeUInt32LE(isZip64 ? LARGEST_32 : offset, 42)
  return Buffer.concat(isZip64 ? [header, name, zip64Field([entry.bytes, size, offset])] : [header, name])
}

function zip64Field(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + numbers.length * 8)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(numbers.length * 8, 2)
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + index * 8)
  return field
}

function endOfDirectory(entries: number, offset: number, bytes: number): Buffer {
  const isZip64 = needsEnd64(entries, offset, bytes)
  const end = Buffer.alloc(END_BYTES)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(entries, LARGEST_16), 8)
  end.writeUInt16LE(Math.min(entries, LARGEST_16), 10)
  end.writeUInt32LE(Math.min(bytes, LARGEST_32), 12)
  end.writeUInt32LE(Math.min(offset, LARGEST_32), 16)
  if (!isZip64) return end
  const large = Buffer.alloc(END_64_BYTES)
  large.writeUInt32LE(0x06064b50, 0)
  large.writeBigUInt64LE(BigInt(56 - 12), 4)
  large.writeUInt16LE((3 << 8) | 45, 12)
  large.writeUInt16LE(45, 14)
  large.writeBigUInt64LE(BigInt(entries), 24)
  large.writeBigUInt64LE(BigInt(entries), 32)
  large.writeBigUInt64LE(BigInt(bytes), 40)
  large.writeBigUInt64LE(BigInt(offset), 48)
  // Where the record above begins.
  large.writeUInt32LE(0x07064b50, 56)
  large.writeBigUInt64LE(BigInt(offset + bytes), 64)
  large.writeUInt32LE(1, 72)
  return Buffer.concat([large, end])
}

/** MS-DOS time, which has no zone: UTC here. It begins in 1980 and counts pairs of seconds. */
function writeDosTime(header: Buffer, at: number, time: Date): void {
  const year = Math.min(127, Math.max(0, time.getUTCFullYear() - 1980))
  header.writeUInt16LE((time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1), at)
  header.writeUInt16LE((year << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate(), at + 2)
}
