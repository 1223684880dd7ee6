/**
 * Counts the rows of a finished workbook, independently of the code that wrote it: the zip's directory says where its sheets are (PKWARE's
 * APPNOTE 6.3.10, section 4.3), and each row of a sheet is one `<row`.
 */
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

const END_BYTES = 22
const LOCATOR_BYTES = 20
const END64_BYTES = 56
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const FOUR_GIB = 0xffffffff
const ROW = Buffer.from('<row ')

/** All sheets' rows without the header that each has. Throws where the file is no zip. */
export async function countSheetRows(path: string): Promise<number> {
  const file = await open(path)
  try {
    let rows = 0
    for (const sheet of sheetsOf(await readDirectory(file))) rows += (await countRows(path, file, sheet)) - 1
    return rows
  } finally {
    await file.close()
  }
}

interface Entry {
  readonly name: string
  readonly offset: number
  readonly packed: number
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  if (bytesRead < length) throw new Error('the zip is cut')
  return buffer
}

async function readDirectory(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat()
  const end = size < END_BYTES ? Buffer.alloc(END_BYTES) : await readBytes(file, size - END_BYTES, END_BYTES)
  if (end.readUInt32LE(0) !== 0x06054b50) throw new Error('it is no zip')
  if (end.readUInt32LE(16) < FOUR_GIB) return readBytes(file, end.readUInt32LE(16), end.readUInt32LE(12))
  const locator = await readBytes(file, size - END_BYTES - LOCATOR_BYTES, LOCATOR_BYTES)
  const end64 = await readBytes(file, Number(locator.readBigUInt64LE(8)), END64_BYTES)
  return readBytes(file, Number(end64.readBigUInt64LE(48)), Number(end64.readBigUInt64LE(40)))
}

function sheetsOf(directory: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < directory.length; ) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== 0x02014b50) throw new Error('the zip is broken')
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    const behindName = at + ENTRY_BYTES + nameBytes
    const name = directory.subarray(at + ENTRY_BYTES, behindName).toString()
    const extra = directory.subarray(behindName, behindName + extraBytes)
    if (/^xl\/worksheets\/[^/]+\.xml$/.test(name)) entries.push({ name, ...placeOf(directory.subarray(at), extra) })
    at = behindName + extraBytes + commentBytes
  }
  return entries
}

/** The zip64 field holds, in this order, those of size, packed size and offset that their own fields could not. */
function placeOf(entry: Buffer, extra: Buffer): { packed: number; offset: number } {
  let at = 4
  const wide = (field: number): number => {
    const value = entry.readUInt32LE(field)
    if (value < FOUR_GIB || extra.length < at + 8 || extra.readUInt16LE(0) !== 1) return value
    at += 8
    return Number(extra.readBigUInt64LE(at - 8))
  }
  wide(24)
  const packed = wide(20)
  return { packed, offset: wide(42) }
}

async function countRows(path: string, file: FileHandle, { offset, packed }: Entry): Promise<number> {
  const local = await readBytes(file, offset, LOCAL_BYTES)
  const start = offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28)
  const bytes = createReadStream(path, { start, end: start + packed - 1, highWaterMark: 1 << 20 })
  let rows = 0
  // Of the chunk before, so that a tag cut between two is found.
  let tail: Buffer = Buffer.alloc(0)
  await pipeline(bytes, createInflateRaw({ chunkSize: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      const text = Buffer.concat([tail, chunk])
      for (let at = text.indexOf(ROW); at >= 0; at = text.indexOf(ROW, at + 1)) rows += 1
      tail = text.subarray(Math.max(0, text.length - ROW.length + 1))
    }
  })
  return rows
}
