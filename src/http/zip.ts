/**
 * Writes a zip archive as a stream: entry after entry, each read once, nothing held or kept aside. ZIP64 fields stand wherever a size, an
 * offset or a count needs them. yazl is not used here: 3.3 announces a length that is 76 bytes too long from 600 entries on.
 */

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createDeflateRaw } from 'node:zlib'
import {
  centralHeader,
  dataDescriptor,
  endOfDirectory,
  FOUR_GIB,
  localHeader,
  type ZipRecord,
  type ZipSizes,
} from '../zip/records.ts'

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

/** Deflate never grows its input by more than this (zlib, deflateBound: 5 bytes per 16 KiB block, rounded up generously). */
const DEFLATE_GROWTH = 1.001
/** Rows as text shrink to a quarter at the fastest level already; more would only keep the server busy. */
const DEFLATE = { level: 1, chunkSize: 256 * 1024 }

/** The archive's length, or null where it depends on what deflate makes of an entry. */
export function zipLength(entries: readonly ZipEntry[]): number | null {
  let offset = 0
  let directory = 0
  for (const entry of entries) {
    if (entry.method === 'deflated') return null
    const record: ZipRecord = { ...begin(entry), offset, crc: 0, packed: entry.bytes, size: entry.bytes }
    offset += localHeader(record).length + entry.bytes + dataDescriptor(record).length
    directory += centralHeader(record).length
  }
  return offset + directory + endOfDirectory({ entries: entries.length, offset, bytes: directory }).length
}

/** Throws, and with it breaks the download off, where an entry cannot be read or has not the length it should have. */
export async function* zip(entries: readonly ZipEntry[]): AsyncIterable<Uint8Array> {
  const records: ZipRecord[] = []
  let offset = 0
  for (const entry of entries) {
    const known = begin(entry)
    const head = localHeader(known)
    yield head
    const content = new Content(entry)
    yield* content.packed()
    const record = { ...known, offset, crc: content.crc, packed: content.packedBytes, size: entry.bytes }
    const tail = dataDescriptor(record)
    yield tail
    offset += head.length + record.packed + tail.length
    records.push(record)
  }
  let directory = 0
  for (const record of records) {
    const header = centralHeader(record)
    directory += header.length
    yield header
  }
  yield endOfDirectory({ entries: records.length, offset, bytes: directory })
}

/** What is known of an entry before its content is read. */
function begin(entry: ZipEntry): Pick<ZipRecord, 'name' | 'method' | 'modifiedAt' | 'sizes'> {
  return { name: Buffer.from(entry.name), method: entry.method, modifiedAt: entry.modifiedAt, sizes: sizesOf(entry) }
}

/** From the most that the content can take. */
function sizesOf({ bytes, method }: ZipEntry): ZipSizes {
  return bytes * (method === 'deflated' ? DEFLATE_GROWTH : 1) >= FOUR_GIB ? 'zip64' : 'as_needed'
}

/** An entry's content on its way into the archive, counted on both sides of the compression. */
class Content {
  crc = 0
  packedBytes = 0
  readonly #entry: ZipEntry

  constructor(entry: ZipEntry) {
    this.#entry = entry
  }

  async *packed(): AsyncIterable<Uint8Array> {
    const content = this.#counted(await this.#entry.open())
    for await (const chunk of this.#entry.method === 'stored' ? content : deflated(content)) {
      this.packedBytes += chunk.length
      yield chunk
    }
  }

  async *#counted(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const { name, bytes } = this.#entry
    let read = 0
    for await (const chunk of content) {
      this.crc = crc32(chunk, this.crc)
      read += chunk.length
      yield chunk
    }
    if (read !== bytes) throw new Error(`${name}: ${read} bytes instead of ${bytes}`)
  }
}

async function* deflated(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const deflate = createDeflateRaw(DEFLATE)
  const feeding = pipeline(Readable.from(content, { objectMode: false }), deflate)
  // Its fault destroys the transform, and so comes out of the iteration below.
  feeding.catch(() => {})
  yield* deflate
  await feeding
}
