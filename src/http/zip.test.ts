/** Archives read back by yauzl and by Info-ZIP's unzip. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Entry, fromBuffer, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl'
import { type ZipEntry, zip, zipLength } from './zip.ts'

const modifiedAt = new Date('2026-03-01T12:34:56Z')

function entry(name: string, method: ZipEntry['method'], bytes: Uint8Array, announced = bytes.length): ZipEntry {
  const open = async (): Promise<AsyncIterable<Uint8Array>> => Readable.from([bytes.subarray(0, 10), bytes.subarray(10)])
  return { name, method, bytes: announced, modifiedAt, open }
}

async function bytesOf(entries: readonly ZipEntry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of zip(entries)) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

interface Read {
  readonly name: string
  readonly content: Buffer
  readonly entry: Entry
}

async function readBack(bytes: Buffer): Promise<Read[]> {
  const file = await promisify<Buffer, object, ZipFile>(fromBuffer)(bytes, { lazyEntries: true })
  return new Promise((resolve, reject) => {
    const read: Read[] = []
    file.on('error', reject).on('end', () => resolve(read))
    file.on('entry', (found: Entry) => {
      file.openReadStream(found, async (error, stream) => {
        if (error) return reject(error)
        read.push({ name: found.fileName, content: await buffer(stream), entry: found })
        file.readEntry()
      })
    })
    file.readEntry()
  })
}

const TEXT = Buffer.from('id,note\n1,"a"\n'.repeat(10_000))

describe('an archive', () => {
  it('holds every file under its name, with its time, stored or deflated as asked', async () => {
    const bytes = await bytesOf([
      entry('orders-00001.csv', 'deflated', TEXT),
      entry('ünïcode.gz', 'stored', TEXT),
      entry('empty', 'stored', Buffer.alloc(0)),
    ])
    const read = await readBack(bytes)
    expect(read.map(({ name, content }) => [name, content.equals(name === 'empty' ? Buffer.alloc(0) : TEXT)])).toEqual([
      ['orders-00001.csv', true],
      ['ünïcode.gz', true],
      ['empty', true],
    ])
    expect(read.map(({ entry: found }) => found.compressionMethod)).toEqual([8, 0, 0])
    expect(read[0]?.entry.compressedSize).toBeLessThan(TEXT.length / 10)
    expect(read[0]?.entry.getLastModDate({ timezone: 'UTC' })).toEqual(modifiedAt)
  })

  it('is taken by unzip, check sums included', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freight-zip-'))
    try {
      const path = join(folder, 'all.zip')
      await writeFile(path, await bytesOf([entry('a.csv', 'deflated', TEXT), entry('b.gz', 'stored', TEXT)]))
      const { stdout } = await promisify(execFile)('unzip', ['-t', path])
      expect(stdout).toContain('No errors detected')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([0, 1, 5, 700])('of %i stored files has the length that was announced', async (count) => {
    const entries = Array.from({ length: count }, (_, index) =>
      entry(`orders-2026-03-01-${index}.csv.gz`, 'stored', TEXT.subarray(0, index)),
    )
    const bytes = await bytesOf(entries)
    expect(zipLength(entries)).toBe(bytes.length)
    expect((await readBack(bytes)).map(({ content }) => content.length)).toEqual(entries.map((each) => each.bytes))
  })

  it('announces no length where something is deflated', () => {
    expect(zipLength([entry('a.csv', 'deflated', TEXT)])).toBeNull()
  })

  it('breaks off where a file is shorter or longer than it was, instead of ending well', async () => {
    for (const bytes of [TEXT.length - 1, TEXT.length + 1])
      for (const method of ['stored', 'deflated'] as const)
        await expect(bytesOf([entry('a', method, TEXT, bytes)])).rejects.toThrow('instead of')
  })

  it('lets go of the file that is being read when its reader leaves', async () => {
    const left: string[] = []
    const endless: ZipEntry['open'] = async () =>
      (async function* () {
        try {
          for (;;) yield TEXT
        } finally {
          left.push('left')
        }
      })()
    for (const method of ['stored', 'deflated'] as const) {
      let seen = 0
      for await (const chunk of zip([{ name: 'a', bytes: 1e12, modifiedAt, method, open: endless }])) {
        seen += chunk.length
        if (seen > 1_000_000 / 100) break
      }
    }
    await expect.poll(() => left.length).toBe(2)
  })
})

/** The beginning and the end of a stream too long to keep, for a reader that looks only there. */
class Ends extends RandomAccessReader {
  readonly pieces: { at: number; bytes: Buffer }[] = []

  override _readStreamForRange(start: number, end: number): Readable {
    const piece = this.pieces.find(({ at, bytes }) => at <= start && end <= at + bytes.length)
    if (!piece) throw new Error(`nothing is kept from ${start} to ${end}`)
    return Readable.from([piece.bytes.subarray(start - piece.at, end - piece.at)])
  }
}

describe('an archive of more than 4 GiB', () => {
  it('says sizes and places in 64 bits where they need them', async () => {
    const block = Buffer.alloc(8 * 1024 * 1024)
    const zeros = (blocks: number) => async () =>
      (async function* () {
        for (let k = 0; k < blocks; k++) yield block
      })()
    const large = 4 * 1024 ** 3 + block.length
    const entries: ZipEntry[] = [
      { name: 'large.gz', bytes: large, modifiedAt, method: 'stored', open: zeros(large / block.length) },
      entry('small.gz', 'stored', TEXT),
    ]
    const ends = new Ends()
    let at = 0
    let tail = Buffer.alloc(0)
    for await (const chunk of zip(entries)) {
      if (at < 1000) ends.pieces.push({ at, bytes: Buffer.from(chunk) })
      at += chunk.length
      if (chunk.length < block.length) tail = Buffer.concat([tail, chunk])
      else tail = Buffer.alloc(0)
    }
    ends.pieces.push({ at: at - tail.length, bytes: tail })
    expect(zipLength(entries)).toBe(at)
    const file = await new Promise<ZipFile>((resolve, reject) =>
      fromRandomAccessReader(ends, at, { lazyEntries: true }, (error, opened) => (error ? reject(error) : resolve(opened))),
    )
    const read: [string, number, string | null][] = []
    await new Promise<void>((resolve, reject) => {
      file.on('error', reject).on('end', () => resolve())
      file.on('entry', (found: Entry) => {
        if (found.fileName === 'large.gz') {
          read.push([found.fileName, found.uncompressedSize, null])
          return file.readEntry()
        }
        file.openReadStream(found, async (error, stream) => {
          if (error) return reject(error)
          read.push([
            found.fileName,
            found.uncompressedSize,
            createHash('sha256')
              .update(await buffer(stream))
              .digest('hex'),
          ])
          file.readEntry()
        })
      })
      file.readEntry()
    })
    expect(read).toEqual([
      ['large.gz', large, null],
      ['small.gz', TEXT.length, createHash('sha256').update(TEXT).digest('hex')],
    ])
  }, 60_000)
})
