/**
 * The number of rows of a Parquet file by its footer (https://parquet.apache.org/docs/file-format/metadata/): a Thrift structure in the
 * compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), of which only one field is read.
 */
import type { RowCounter } from './row-counter.ts'

/** More than the footer of any file that was seen; a longer one is not counted. */
const KEPT_BYTES = 64 * 1024 * 1024
const MAGIC = Buffer.from('PAR1')
const NUM_ROWS = 3

export function parquetCounter(): RowCounter {
  let kept: Uint8Array[] = []
  let bytes = 0
  return {
    add(chunk) {
      kept.push(Uint8Array.from(chunk))
      bytes += chunk.length
      while (bytes - (kept[0]?.length ?? 0) > KEPT_BYTES) bytes -= kept.shift()?.length ?? 0
    },
    end() {
      const file = Buffer.concat(kept)
      kept = []
      return rowsOf(file)
    },
  }
}

/** -1, which no manifest says, where the footer is none. */
function rowsOf(file: Buffer): number {
  const end = file.length - 8
  if (end < 0 || !file.subarray(-4).equals(MAGIC)) return -1
  const length = file.readUInt32LE(end)
  if (length > end) return -1
  try {
    return new ThriftReader(file.subarray(end - length, end)).wholeNumberOf(NUM_ROWS)
  } catch (error) {
    if (error instanceof RangeError) return -1
    throw error
  }
}

const STOP = 0
const TYPES = { true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, map: 11, struct: 12 }

class ThriftReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** The field of the outermost structure; -1 where it is not there. */
  wholeNumberOf(wanted: number): number {
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === STOP) return -1
      id = header >> 4 === 0 ? this.#zigzag() : id + (header >> 4)
      if (id === wanted) return this.#zigzag()
      this.#skip(header & 15)
    }
  }

  #skip(type: number): void {
    switch (type) {
      case TYPES.true:
      case TYPES.false:
        return
      case TYPES.byte:
        this.#skipBytes(1)
        return
      case TYPES.double:
        this.#skipBytes(8)
        return
      case TYPES.binary:
        this.#skipBytes(this.#varint())
        return
      case TYPES.list:
      case TYPES.set:
        this.#skipList()
        return
      case TYPES.struct:
        this.#skipStruct()
        return
      case TYPES.i16:
      case TYPES.i32:
      case TYPES.i64:
        this.#varint()
        return
      default:
        throw new RangeError('a type that Parquet does not use')
    }
  }

  #skipBytes(count: number): void {
    this.#at += count
  }

  #skipStruct(): void {
    for (let header = this.#byte(); header !== STOP; header = this.#byte()) {
      if (header >> 4 === 0) this.#zigzag()
      this.#skip(header & 15)
    }
  }

  #skipList(): void {
    const header = this.#byte()
    const size = header >> 4 === 15 ? this.#varint() : header >> 4
    // In a list truth is a byte of its own.
    const type = (header & 15) === TYPES.false ? TYPES.byte : header & 15
    for (let k = 0; k < size; k++) this.#skip(type === TYPES.true ? TYPES.byte : type)
  }

  #byte(): number {
    const byte = this.#bytes.readUInt8(this.#at)
    this.#at += 1
    return byte
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  #zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
