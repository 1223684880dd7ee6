/**
 * A zip file as a stream, of entries whose sizes are known only behind them.
 *
 * Sizes of 4 GiB and more take the zip64 form in the central directory, which every reader of spreadsheets starts from; smaller files have none of
 * it, since some readers refuse zip64 that is not needed.
 */
import { Deflater } from '../../zip/deflater.ts'
import { centralHeader, dataDescriptor, endOfDirectory, FOUR_GIB, localHeader, type ZipRecord } from '../../zip/records.ts'

/** One is being filled while two work; more would wait for the rows, which take longer to write than to pack. */
const BLOCKS = { blockBytes: 256 * 1024, packers: 3 }
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
    const deflater = new Deflater(BLOCKS)
    for await (const packed of deflater.deflate(bytes)) yield this.#counted(packed)
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
