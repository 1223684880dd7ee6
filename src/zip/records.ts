/**
 * The records of a zip file as bytes (PKWARE's APPNOTE.TXT 6.3.10): what stands around the content of its entries, and the directory behind
 * them. Sizes and check sums follow each content in a data descriptor, since they are known only then.
 */

/** An entry as the directory lists it. */
export interface ZipRecord {
  readonly name: Buffer
  readonly method: 'stored' | 'deflated'
  /** MS-DOS time, which has no zone: UTC here. It begins in 1980 and counts pairs of seconds. */
  readonly modifiedAt: Date
  /** Where its local header begins. */
  readonly offset: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  /** `zip64`: its local header has announced 64 bits for both sizes. `as_needed`: it has not, and each that does not fit takes them. */
  readonly sizes: ZipSizes
}
export type ZipSizes = 'as_needed' | 'zip64'

/** The first number that does not fit, which there stands for "see the zip64 field". */
export const FOUR_GIB = 0xffff_ffff
const MANY_ENTRIES = 0xffff
/** UTF-8 names (bit 11), sizes behind the content (bit 3). */
const FLAGS = 0x0808
const VERSION = 20
const VERSION_ZIP64 = 45
/** Made on Unix, so that the mode below counts. */
const MADE_BY = (3 << 8) | VERSION_ZIP64
/** An ordinary file, rw-r--r--. */
const MODE = (0o100644 << 16) >>> 0

export function localHeader({
  name,
  method,
  modifiedAt,
  sizes,
}: Pick<ZipRecord, 'name' | 'method' | 'modifiedAt' | 'sizes'>): Buffer {
  const extra = sizes === 'zip64' ? zip64Field([0, 0]) : Buffer.alloc(0)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(sizes === 'zip64' ? VERSION_ZIP64 : VERSION, 4)
  header.writeUInt16LE(FLAGS, 6)
  header.writeUInt16LE(method === 'deflated' ? 8 : 0, 8)
  writeTime(header, 10, modifiedAt)
  if (sizes === 'zip64') header.fill(0xff, 18, 26)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, name, extra])
}

/** `zip64From`: tests lower it. */
export function dataDescriptor({ crc, packed, size, sizes }: ZipRecord, zip64From = FOUR_GIB): Buffer {
  const isZip64 = sizes === 'zip64' || packed >= zip64From || size >= zip64From
  const descriptor = Buffer.alloc(isZip64 ? 24 : 16)
  descriptor.writeUInt32LE(0x08074b50, 0)
  descriptor.writeUInt32LE(crc, 4)
  if (isZip64) {
    descriptor.writeBigUInt64LE(BigInt(packed), 8)
    descriptor.writeBigUInt64LE(BigInt(size), 16)
  } else {
    descriptor.writeUInt32LE(packed, 8)
    descriptor.writeUInt32LE(size, 12)
  }
  return descriptor
}

export function centralHeader(
  { name, method, modifiedAt, offset, crc, packed, size, sizes }: ZipRecord,
  zip64From = FOUR_GIB,
): Buffer {
  const isWide = (bytes: number): boolean => sizes === 'zip64' || bytes >= zip64From
  // In the order of section 4.5.3, and only those that do not stand in their own field.
  const wide = [...[size, packed].filter(isWide), ...(offset >= zip64From ? [offset] : [])]
  const extra = wide.length === 0 ? Buffer.alloc(0) : zip64Field(wide)
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(MADE_BY, 4)
  header.writeUInt16LE(wide.length === 0 ? VERSION : VERSION_ZIP64, 6)
  header.writeUInt16LE(FLAGS, 8)
  header.writeUInt16LE(method === 'deflated' ? 8 : 0, 10)
  writeTime(header, 12, modifiedAt)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(isWide(packed) ? FOUR_GIB : packed, 20)
  header.writeUInt32LE(isWide(size) ? FOUR_GIB : size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt32LE(MODE, 38)
  header.writeUInt32LE(offset >= zip64From ? FOUR_GIB : offset, 42)
  return Buffer.concat([header, name, extra])
}

/** Where the central directory lies, and how many entries it lists. */
export interface ZipDirectory {
  readonly entries: number
  readonly offset: number
  readonly bytes: number
}

export function endOfDirectory({ entries, offset, bytes }: ZipDirectory, zip64From = FOUR_GIB): Buffer {
  const isZip64 = entries >= MANY_ENTRIES || offset >= zip64From || bytes >= zip64From
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(entries, MANY_ENTRIES), 8)
  end.writeUInt16LE(Math.min(entries, MANY_ENTRIES), 10)
  end.writeUInt32LE(isZip64 ? FOUR_GIB : bytes, 12)
  end.writeUInt32LE(isZip64 ? FOUR_GIB : offset, 16)
  return isZip64 ? Buffer.concat([zip64End({ entries, offset, bytes }), end]) : end
}

/** The zip64 end of the central directory and its locator. */
function zip64End({ entries, offset, bytes }: ZipDirectory): Buffer {
  const end = Buffer.alloc(56 + 20)
  end.writeUInt32LE(0x06064b50, 0)
  end.writeBigUInt64LE(44n, 4)
  end.writeUInt16LE(MADE_BY, 12)
  end.writeUInt16LE(VERSION_ZIP64, 14)
  end.writeBigUInt64LE(BigInt(entries), 24)
  end.writeBigUInt64LE(BigInt(entries), 32)
  end.writeBigUInt64LE(BigInt(bytes), 40)
  end.writeBigUInt64LE(BigInt(offset), 48)
  end.writeUInt32LE(0x07064b50, 56)
  // Where the record above begins.
  end.writeBigUInt64LE(BigInt(offset + bytes), 64)
  end.writeUInt32LE(1, 72)
  return end
}

function zip64Field(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + numbers.length * 8)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(numbers.length * 8, 2)
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + index * 8)
  return field
}

function writeTime(header: Buffer, at: number, time: Date): void {
  const year = Math.min(127, Math.max(0, time.getUTCFullYear() - 1980))
  header.writeUInt16LE((time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1), at)
  header.writeUInt16LE((year << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate(), at + 2)
}
