/** Checks one finished file against what its manifest says: bytes, SHA-256 and rows. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { createRowCounter, type TextFormat } from './count-rows.ts'
import { countSheetRows } from './count-sheet-rows.ts'
import { count } from './progress-bar.ts'
import type { Receipt, ReceiptFile } from './receipt.ts'

/** What is wrong with the file, in words; empty when nothing is. */
export async function checkFile(path: string, expected: ReceiptFile, receipt: Receipt): Promise<string[]> {
  const hash = createHash('sha256')
  let bytes = 0
  let rows = 0
  let unreadable: NodeJS.ErrnoException | null = null
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.length
    }
    rows = receipt.format === 'xlsx' ? await countSheetRows(path) : await countRows(path, receipt, receipt.format)
  } catch (error) {
    unreadable = error as NodeJS.ErrnoException
  }
  if (unreadable?.code === 'ENOENT') return ['there is no such file']
  const problems: string[] = []
  if (bytes !== expected.bytes) problems.push(`${count(bytes)} bytes instead of ${count(expected.bytes)}`)
  else if (hash.digest('hex') !== expected.sha256) problems.push('the SHA-256 is another')
  if (unreadable) problems.push(`it cannot be read to its end (${unreadable.message})`)
  else if (rows !== expected.rows) problems.push(`${count(rows)} rows instead of ${count(expected.rows)}`)
  return problems
}

async function countRows(path: string, receipt: Receipt, format: TextFormat): Promise<number> {
  const counter = createRowCounter(format, receipt.hasHeader)
  await pipeline(unpacked(path, receipt), async (chunks) => {
    for await (const chunk of chunks) counter.add(chunk)
  })
  return counter.end()
}

async function* unpacked(path: string, { compression }: Receipt): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 })
  if (compression === null) {
    yield* file as AsyncIterable<Buffer>
    return
  }
  const inflate = compression === 'gzip' ? createGunzip() : createZstdDecompress()
  file.on('error', (error) => inflate.destroy(error))
  yield* file.pipe(inflate) as AsyncIterable<Buffer>
}
