/** What every storage promises: an object is whole or not there, and nothing of a failed write stays behind. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Storage } from '../../src/storage/storage.ts'
import { collect, inOnePlace } from './row-text.ts'

export interface StorageUnderTest {
  readonly storage: Storage
  remove(): Promise<void>
}

export async function* body(...pieces: (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece
}

export const NEVER = new AbortController().signal

export async function listed(storage: Storage): Promise<{ key: string; bytes: number; whole: boolean }[]> {
  const objects: { key: string; bytes: number; whole: boolean }[] = []
  for await (const { key, bytes, whole } of storage.list()) objects.push({ key, bytes, whole })
  return objects.sort((a, b) => a.key.localeCompare(b.key))
}

const NO_KEYS = [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  '.hidden',
  'a/.writing-x',
  'a b',
  'é',
  'a\\b',
  'a\0b',
  'a%2fb',
  `${'x'.repeat(201)}`,
]

export function describeStorage(name: string, make: () => Promise<StorageUnderTest>): void {
  describe(`${name} keeps the contract of storage`, () => {
    let under: StorageUnderTest
    let storage: Storage

    beforeEach(async () => {
      under = await make()
      storage = under.storage
    })
    afterEach(() => under.remove())

    const text = async (key: string, range?: { start: number; end: number }): Promise<string> =>
      (await collect(await storage.read(key, range))).toString()

    it('gives back what was put, and says how much it was', async () => {
      expect(await storage.put('job/1/orders.csv', body('id,name\n', '', '1,é\n'), NEVER)).toBe(13)
      expect(await text('job/1/orders.csv')).toBe('id,name\n1,é\n')
      const stat = await storage.stat('job/1/orders.csv')
      expect(stat).toMatchObject({ key: 'job/1/orders.csv', bytes: 13 })
      expect(Math.abs((stat?.modifiedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    })

    it('takes an empty object and a large one in pieces of every size', async () => {
      expect(await storage.put('empty', body(), NEVER)).toBe(0)
      expect(await text('empty')).toBe('')
      const pieces = [1, 100, 65_536, 1_048_575, 1, 5_000_000, 3].map((size) => randomBytes(size))
      const whole = Buffer.concat(pieces)
      expect(await storage.put('large', body(...pieces), NEVER)).toBe(whole.length)
      expect((await collect(await storage.read('large'))).equals(whole)).toBe(true)
      const tiny = Buffer.alloc(20_000, 'abcdefg')
      await storage.put('tiny', body(...Array.from(tiny, (byte) => Uint8Array.of(byte))), NEVER)
      expect((await collect(await storage.read('tiny'))).equals(tiny)).toBe(true)
    })

    it.each([1000, 700_000, 3_000_000])('takes a body that uses its memory again, %i bytes each time', async (size) => {
      const bytes = randomBytes(3_500_000)
      await storage.put('job/1/a', inOnePlace(bytes, size), NEVER)
      expect((await collect(await storage.read('job/1/a'))).equals(bytes)).toBe(true)
    })

    it('reads ranges, both ends included', async () => {
      await storage.put('a', body('0123456789'), NEVER)
      expect(await text('a', { start: 0, end: 0 })).toBe('0')
      expect(await text('a', { start: 3, end: 5 })).toBe('345')
      expect(await text('a', { start: 8, end: 99 })).toBe('89')
    })

    it('says that there is nothing', async () => {
      expect(await storage.stat('a/b')).toBeNull()
      await expect(storage.read('a/b')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await storage.remove('a/b')
      expect(await listed(storage)).toEqual([])
    })

    it('shows the old object or the new one, never a part', async () => {
      await storage.put('a', body('old'), NEVER)
      const seen: string[] = []
      async function* watching(): AsyncIterable<Uint8Array> {
        yield Buffer.alloc(3_000_000, 'n')
        seen.push(await text('a'))
        yield Buffer.from('ew')
        seen.push(await text('a'))
      }
      await storage.put('a', watching(), NEVER)
      expect(seen).toEqual(['old', 'old'])
      expect((await storage.stat('a'))?.bytes).toBe(3_000_002)
      expect(await listed(storage)).toEqual([{ key: 'a', bytes: 3_000_002, whole: true }])
    })

    it('lists an unfinished write as such, and removes it by the key it lists', async () => {
      let during: { key: string; whole: boolean }[] = []
      async function* watching(): AsyncIterable<Uint8Array> {
        yield Buffer.alloc(2_000_000)
        during = await listed(storage)
      }
      await storage.put('job/a', watching(), NEVER)
      expect(during.map(({ whole }) => whole)).toEqual([false])
      expect(await storage.stat('job/a')).not.toBeNull()
      await storage.remove(during[0]?.key ?? '')
    })

    it('throws what the body threw, whatever it was, and leaves nothing behind', async () => {
      // A connection's fault has a code like a disk's, and is none.
      const fault = Object.assign(new Error('gone'), { code: 'ECONNRESET' })
      async function* failing(): AsyncIterable<Uint8Array> {
        yield Buffer.alloc(2_000_000)
        throw fault
      }
      await expect(storage.put('job/a', failing(), NEVER)).rejects.toBe(fault)
      expect(await storage.stat('job/a')).toBeNull()
      expect(await listed(storage)).toEqual([])
    })

    it('ends at once when aborted, also while the body is silent, and closes the body', async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      let isClosed = false
      async function* endless(): AsyncIterable<Uint8Array> {
        try {
          for (;;) {
            yield Buffer.alloc(1_500_000)
            setImmediate(() => abort.abort(reason))
          }
        } finally {
          isClosed = true
        }
      }
      await expect(storage.put('job/a', endless(), abort.signal)).rejects.toBe(reason)
      expect(isClosed).toBe(true)

      const silence = new AbortController()
      async function* silent(): AsyncIterable<Uint8Array> {
        yield Buffer.from('a')
        setImmediate(() => silence.abort(reason))
        await new Promise(() => {})
      }
      await expect(storage.put('job/b', silent(), silence.signal)).rejects.toBe(reason)
      await expect(storage.put('job/c', body('a'), silence.signal)).rejects.toBe(reason)
      expect(await listed(storage)).toEqual([])
    })

    it('removes an object, or everything below a prefix, and nothing beside it', async () => {
      for (const key of ['job/1/a', 'job/1/b/c', 'job/10/a', 'job/2', 'jobs']) await storage.put(key, body(key), NEVER)
      await storage.remove('job/1')
      expect((await listed(storage)).map(({ key }) => key)).toEqual(['job/10/a', 'job/2', 'jobs'])
      await storage.remove('job/2')
      await storage.remove('job/2')
      await storage.remove('job')
      expect((await listed(storage)).map(({ key }) => key)).toEqual(['jobs'])
    })

    it('keeps writes to one key apart: one of them is there, whole', async () => {
      const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000))
      await Promise.all(bodies.map((each) => storage.put('same', body(each), NEVER)))
      expect(bodies).toContain(await text('same'))
      expect((await listed(storage)).length).toBe(1)
    })

    it.each(NO_KEYS)('refuses %j as a key everywhere', async (key) => {
      await expect(async () => storage.put(key, body('a'), NEVER)).rejects.toThrow(/not a storage key/)
      await expect(async () => storage.read(key)).rejects.toThrow(/not a storage key/)
      await expect(async () => storage.stat(key)).rejects.toThrow(/not a storage key/)
      expect(() => storage.locate(key)).toThrow(/not a storage key/)
      if (!key.includes('.writing-')) await expect(async () => storage.remove(key)).rejects.toThrow(/not a storage key/)
      expect(await listed(storage)).toEqual([])
    })

    it('checks that something can be written, and leaves nothing of it', async () => {
      await storage.check()
      expect(await listed(storage)).toEqual([])
    })
  })
}
