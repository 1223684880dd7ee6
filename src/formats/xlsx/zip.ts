/**
 * A zip file as a stream, of entries whose sizes are known only behind them.
 *
 * Bytes are gathered into blocks that libuv's pool deflates side by side while the next are being written, so that all cores work and the file is
 * the same however the bytes came in pieces. Sizes of 4 GiB and more take the zip64 form in the central directory, which every reader of spreadsheets
 * starts from; smaller files have none of it, since some readers refuse zip64 that is not needed.
 */
import { constants, crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib'
import { centralHeader, dataDescriptor, endOfDirectory, FOUR_GIB, localHeader, type ZipRecord } from '../../zip/records.ts'

/** Measured on 740 MB of a sheet: 1.9 s and 115 MB at level 1, 2.3 s and 111 MB at level 2, 8.8 s and 97 MB at level 6. */
const LEVEL = 1
const BLOCK_BYTES = 256 * 1024
/** One is being filled while two work; more would wait for the rows, which take longer to write than to pack. */
const PACKERS = 3
const PACKER = { level: LEVEL, chunkSize: BLOCK_BYTES / 4, highWaterMark: BLOCK_BYTES * 2 }
/**
 * Each block ends at a whole byte and looks back at none before it, so that they can be strung together; the empty one behind them says that it
 * is the last.
 */
const LAST_BLOCK = Uint8Array.of(3, 0)
/** The earliest time that zip can say: the same rows give the same file. */
const EARLIEST = new Date(Date.UTC(1980, 0, 1))

export class ZipWriter {
  readonly #records: ZipRecord[] = []
  readonly #zip64From: number
  #offset = 0

  /** Tests lower the size from which zip64 is used. */
  constructor(zip64From = FOUR_GIB) {
    this.#zip64From = zip64From
  }

  /** One entry. A piece of `bytes` need be good only until the next is asked for. */
  async *entry(name: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const known = { name: Buffer.from(name), method: 'deflated', modifiedAt: EARLIEST, sizes: 'as_needed' } as const
    const offset = this.#offset
    yield this.#counted(localHeader(known))
    const contentAt = this.#offset
    const deflater = new Deflater()
    try {
      for await (const piece of bytes) {
        for (let from = 0; from < piece.length; ) {
          from += deflater.gather(piece, from)
          const packed = deflater.isFull ? await deflater.turn() : null
          if (packed) yield this.#counted(packed)
        }
      }
      for await (const packed of deflater.end()) yield this.#counted(packed)
    } finally {
      deflater.close()
    }
    const { crc, size } = deflater
    const record: ZipRecord = { ...known, offset, crc, packed: this.#offset - contentAt, size }
    this.#records.push(record)
    yield this.#counted(dataDescriptor(record, this.#zip64From))
  }

  /** The central directory, behind all entries. */
  end(): Uint8Array {
    const directory = Buffer.concat(this.#records.map((record) => centralHeader(record, this.#zip64From)))
    const end = { entries: this.#records.length, offset: this.#offset, bytes: directory.length }
    return Buffer.concat([directory, endOfDirectory(end, this.#zip64From)])
  }

  #counted(bytes: Uint8Array): Uint8Array {
    this.#offset += bytes.length
    return bytes
  }
}

/** Deflates blocks side by side, and gives them back in their order. */
class Deflater {
  crc = 0
  size = 0
  readonly #packers = Array.from({ length: PACKERS }, () => new BlockPacker())
  /** Blocks handed over, the oldest first. */
  readonly #packing: { packer: BlockPacker; packed: Promise<Uint8Array> }[] = []
  #filling = this.#packers.pop() ?? new BlockPacker()
  #length = 0

  /** Whether a block is full and must be handed over before more is gathered. */
  get isFull(): boolean {
    return this.#length === BLOCK_BYTES
  }

  /** Copies what there is room for and returns how much that was. */
  gather(piece: Uint8Array, from: number): number {
    const length = Math.min(piece.length - from, BLOCK_BYTES - this.#length)
    this.#filling.block.set(piece.subarray(from, from + length), this.#length)
    this.#length += length
    return length
  }

  /** Hands the block over. Waits for the oldest, and resolves with it, where every packer is at work; else resolves with null. */
  async turn(): Promise<Uint8Array | null> {
    this.#pack()
    const free = this.#packers.pop()
    if (free) {
      this.#filling = free
      return null
    }
    return this.#oldest()
  }

  async *end(): AsyncIterable<Uint8Array> {
    if (this.#length > 0) this.#pack()
    while (this.#packing.length > 0) yield await this.#oldest()
    yield LAST_BLOCK
  }

  close(): void {
    for (const { packer } of this.#packing) packer.close()
    for (const packer of [...this.#packers, this.#filling]) packer.close()
  }

  #pack(): void {
    const packer = this.#filling
    const bytes = packer.block.subarray(0, this.#length)
    this.crc = crc32(bytes, this.crc)
    this.size += bytes.length
    this.#length = 0
    const packed = packer.pack(bytes)
    // Awaited when its turn comes; a fault before that has its handler.
    packed.catch(() => {})
    this.#packing.push({ packer, packed })
  }

  async #oldest(): Promise<Uint8Array> {
    const oldest = this.#packing[0]
    if (!oldest) throw new Error('no block was handed over')
    const packed = await oldest.packed
    this.#packing.shift()
    this.#filling = oldest.packer
    return packed
  }
}

/** One compressor, kept for block after block: a fresh one each time cost 50 MB more, which the collector found late. */
class BlockPacker {
  readonly block = new Uint8Array(BLOCK_BYTES)
  readonly #stream: DeflateRaw = createDeflateRaw(PACKER)

  constructor() {
    // A fault comes out of the write that met it.
    this.#stream.on('error', () => {})
  }

  async pack(bytes: Uint8Array): Promise<Uint8Array> {
    const stream = this.#stream
    stream.reset()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const settle = (error?: Error | null): void => (error ? reject(error) : resolve())
    stream.write(bytes, (error) => error && reject(error))
    stream.flush(constants.Z_SYNC_FLUSH, settle)
    await promise
    return (stream.read() as Uint8Array | null) ?? new Uint8Array(0)
  }

  close(): void {
    this.#stream.destroy()
  }
}
