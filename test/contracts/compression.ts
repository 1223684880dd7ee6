/** What every compression promises: others unpack it, faults go through it, and it never runs ahead of its reader. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Compression } from '../../src/compression/compression.ts'
import { randomNumbers } from '../random.ts'
import { collect, inOnePlace } from './row-text.ts'

export interface CompressionUnderTest {
  readonly compression: Compression
  /** By Node's own decoder; throws for anything but whole data. */
  unpack(packed: Buffer): Buffer
  /** The system's tool, which reads standard input with `-d -c`. */
  readonly tool: string
}

const MEGABYTE = 1_000_000

/** Text that shrinks to a third or so, as rows do. */
function text(length: number): Buffer {
  const random = randomNumbers(length)
  return Buffer.from(Uint8Array.from({ length }, () => 97 + random(6)))
}

async function* pieces(bytes: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export function describeCompression(name: string, under: CompressionUnderTest): void {
  const { compression, unpack, tool } = under

  describe(`${name} keeps the contract of compressions`, () => {
    it.each([
      [0, 1],
      [1, 1],
      [100_000, 7],
      [20 * MEGABYTE, 4 * MEGABYTE],
    ])('gives %i bytes in pieces of %i back', async (length, size) => {
      const bytes = text(length)
      const packed = await collect(compression.compress(pieces(bytes, size)))
      expect(hash(unpack(packed))).toBe(hash(bytes))
      if (isInstalled(tool)) {
        const unpacked = execFileSync(tool, ['-d', '-c'], { input: packed, maxBuffer: 30 * MEGABYTE })
        expect(hash(unpacked)).toBe(hash(bytes))
      }
      if (length > MEGABYTE) expect(packed.length).toBeLessThan(length / 2)
    })

    it('takes input that uses its memory again', async () => {
      const bytes = text(10 * MEGABYTE)
      expect(unpack(await collect(compression.compress(inOnePlace(bytes, MEGABYTE)))).equals(bytes)).toBe(true)
    })

    it('throws what its input throws, and what came before is no whole file', async () => {
      const fault = new Error('the source is gone')
      async function* failing(): AsyncIterable<Uint8Array> {
        yield* pieces(text(3 * MEGABYTE), MEGABYTE)
        throw fault
      }
      const got: Uint8Array[] = []
      const reading = (async () => {
        for await (const piece of compression.compress(failing())) got.push(piece)
      })()
      await expect(reading).rejects.toBe(fault)
      expect(() => unpack(Buffer.concat(got))).toThrow()
    })

    it('stops reading its input while nobody takes its output', async () => {
      let read = 0
      async function* endless(): AsyncIterable<Uint8Array> {
        const noise = Buffer.from(
          Uint32Array.from({ length: MEGABYTE / 4 }, (_, k) => Math.imul(k ^ (k >>> 3), 0x9e3779b1)).buffer,
        )
        for (;;) {
          read++
          yield noise
        }
      }
      const reader = compression.compress(endless())[Symbol.asyncIterator]()
      await reader.next()
      let before = -1
      while (before !== read) {
        before = read
        await new Promise((settled) => setTimeout(settled, 100))
      }
      expect(read).toBeLessThan(40)
      await reader.return?.()
    })

    it('closes its input when its reader leaves', async () => {
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      async function* endless(): AsyncIterable<Uint8Array> {
        try {
          for (;;) yield text(100_000)
        } finally {
          resolve()
        }
      }
      for await (const _ of compression.compress(endless())) break
      await closed
    })
  })
}
